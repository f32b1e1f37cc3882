import type { ChildResult, ChildTask } from './child';
import { type Bench, baseline, document, expectEqual, median, openBench, REPEAT, report, run, sync } from './harness';

/** A full load of one table, ours and psql's pipe alternating: whole blocks of bytes, and decoded rows with three rules. */
const CASES: readonly {
  readonly name: string;
  readonly goal: number;
  readonly task: Partial<ChildTask>;
  readonly bulk: 'auto' | 'off';
}[] = [
  { name: 'bytes', goal: 0.9, task: {}, bulk: 'auto' },
  { name: 'rows', goal: 1.5, task: { validate: true }, bulk: 'off' },
];

const bench = await openBench();
try {
  const base: number[] = [];
  const results = new Map<string, ChildResult[]>(CASES.map(({ name }) => [name, []]));
  for (let round = 0; round < REPEAT; round++) {
    base.push(await baseline(bench));
    for (const kase of CASES) {
      const result = await load(bench, kase, round);
      results.get(kase.name)?.push(result);
      console.error(
        `round ${round}: psql ${base.at(-1)?.toFixed(2)} s, ${kase.name} ${result.seconds.toFixed(2)} s, ${result.cpuSeconds.toFixed(2)} s of CPU, ${result.rssMb} MB`,
      );
    }
  }
  for (const { name, goal } of CASES) {
    const own = results.get(name) ?? [];
    const seconds = median(own.map((result) => result.seconds));
    report(
      'postgres-full-load',
      name,
      seconds / median(base),
      goal,
      seconds,
      Math.max(...own.map(({ rssMb }) => rssMb)),
    );
  }
} finally {
  await bench.stop();
}

async function load(from: Bench, kase: (typeof CASES)[number], round: number): Promise<ChildResult> {
  await run(from.destination, 'drop schema if exists bench cascade');
  const state = `${kase.name}-${round}.db`;
  const result = await sync(from, {
    ...kase.task,
    state,
    document: document(from, { sync_settings: { bulk: kase.bulk } }),
  });
  await expectEqual(from);
  return result;
}
