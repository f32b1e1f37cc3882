import type { ChildResult } from './child';
import { document, expectEqual, median, openBench, REPEAT, ROWS, report, run, sync } from './harness';

/** Increments over a loaded table. The ratio is to the goal in seconds, beyond the start of the process. */
const CHANGED_GOAL_SECONDS = 0.8;
const UNCHANGED_GOAL_SECONDS = 0.15;

const bench = await openBench();
try {
  const state = 'incremental.db';
  const increment = () => sync(bench, { state, type: 'incremental', document: document(bench, {}) });
  await increment();
  await expectEqual(bench);
  const changed: ChildResult[] = [];
  const unchanged: ChildResult[] = [];
  for (let round = 0; round < REPEAT; round++) {
    await run(
      bench.source,
      `update public.events set updated_at = now(), quantity = quantity + 1 where id % 100 = ${round}`,
    );
    changed.push(await increment());
    unchanged.push(await increment());
    console.error(
      `round ${round}: 1 % changed ${changed.at(-1)?.seconds.toFixed(3)} s (${changed.at(-1)?.rows} rows), unchanged ${unchanged.at(-1)?.seconds.toFixed(3)} s`,
    );
  }
  await expectEqual(bench);
  print('one-percent-changed', changed, CHANGED_GOAL_SECONDS, ROWS / 100);
  print('nothing-changed', unchanged, UNCHANGED_GOAL_SECONDS, ROWS);
} finally {
  await bench.stop();
}

function print(kase: string, results: readonly ChildResult[], goal: number, rows: number): void {
  const seconds = median(results.map((result) => result.seconds));
  report(
    'postgres-incremental',
    kase,
    seconds / goal,
    1,
    seconds,
    Math.max(...results.map(({ rssMb }) => rssMb)),
    rows,
  );
}
