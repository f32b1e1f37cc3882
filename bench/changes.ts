import { join } from 'node:path';
import { DEFAULT_OPTIONS } from '../lib/engine/ports';
import { runClient } from './connector-cases/case';
import type { FeedResult, FeedTask } from './feed-child';
import { document, expectEqual, median, openBench, REPEAT, ROWS, report, run, runChild, sync } from './harness';

// Changes of PostgreSQL, half of them inserts and half updates, read into nothing against pg_recvlogical writing the same
// messages into a file, alternating; beside it the sync that applies them to a table of the destination.
const GOAL_RATIO = 1.5;
const TRANSACTIONS = 20;
const COLUMNS = 'account, title, note, amount, ratio, quantity, active, attributes, payload, created_at, updated_at';

const bench = await openBench();
try {
  const state = 'changes.db';
  const follow = { state, document: document(bench, { sync_strategy: { type: 'cdc' } }), type: undefined };
  await sync(bench, follow);
  const { config, type } = task();
  const { position } = await runChild<FeedResult>('bench/feed-child.ts', { type, config, size: DEFAULT_OPTIONS.batch });
  await run(
    bench.source,
    `select pg_copy_logical_replication_slot(slot_name, 'client') from pg_replication_slots
    where slot_name like 'explorerio_bench_%' limit 1`,
  );
  const [names] = (await run(bench.source, 'select pubname from pg_publication limit 1'))?.rows ?? [];
  for (let part = 0; part < TRANSACTIONS; part++) {
    await run(
      bench.source,
      `begin; insert into events select id + ${ROWS}, ${COLUMNS} from events where id <= ${ROWS / 2} and id % ${TRANSACTIONS} = ${part};
       update events set quantity = quantity + 1, updated_at = now() where id <= ${ROWS / 2} and id % ${TRANSACTIONS} = ${part}; commit`,
    );
  }
  const [end] = (await run(bench.source, 'select pg_current_wal_flush_lsn() as lsn'))?.rows ?? [];
  const client: number[] = [];
  const own: FeedResult[] = [];
  for (let round = 0; round < REPEAT; round++) {
    client.push(await receive(`client_${round}`, String(names?.pubname), String(end?.lsn)));
    own.push(await runChild<FeedResult>('bench/feed-child.ts', { ...task(), from: position }));
    const read = own.at(-1);
    if (read?.rows !== ROWS) throw new Error(`${read?.rows} of ${ROWS} changes were read`);
    console.error(`round ${round}: pg_recvlogical ${client.at(-1)?.toFixed(2)} s, feed ${read.seconds.toFixed(2)} s`);
  }
  const seconds = median(own.map((result) => result.seconds));
  report(
    'changes',
    'postgresql',
    seconds / median(client),
    GOAL_RATIO,
    seconds,
    Math.max(...own.map((one) => one.rssMb)),
  );
  const applied = await sync(bench, follow);
  await expectEqual(bench);
  console.error(`into PostgreSQL: ${applied.rows} changes in ${applied.seconds.toFixed(1)} s, ${applied.rssMb} MB`);
} finally {
  await bench.stop();
}

function task(): FeedTask {
  const { connection, tables } = document(bench, {});
  return {
    type: 'postgresql',
    config: { connection: connection ?? null, tables: tables ?? null },
    size: DEFAULT_OPTIONS.batch,
  };
}

/** Seconds that the server's own client takes, from a slot of its own. */
async function receive(slot: string, publication: string, end: string): Promise<number> {
  await run(bench.source, `select pg_copy_logical_replication_slot('client', '${slot}')`);
  const options = ['-o', 'proto_version=1', '-o', `publication_names=${publication}`];
  const begun = performance.now();
  const file = join(bench.folder, 'client.out');
  const to = ['--file', file, '--endpos', end, '--no-loop', '--fsync-interval', '0'];
  await runClient(
    'pg_recvlogical',
    ['--dbname', bench.source, '--slot', slot, '--start', ...options, ...to],
    '/dev/null',
  );
  const seconds = (performance.now() - begun) / 1000;
  await run(bench.source, `select pg_drop_replication_slot('${slot}')`);
  return seconds;
}
