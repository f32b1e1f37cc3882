import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type PostgresqlServer, startPostgresql } from '../test/servers/postgresql';
import type { ChildResult, ChildTask } from './child';

/** Rows of the benchmark's table; `BENCH_ROWS` sets another number. */
export const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
/** Alternating repetitions; `BENCH_REPEAT` sets another number. */
export const REPEAT = Number(process.env.BENCH_REPEAT ?? 3);

const TABLE = `
  id bigint primary key, account bigint not null, title text not null, note text, amount numeric(18,4) not null,
  ratio double precision, quantity integer not null, active boolean not null, attributes jsonb not null,
  payload jsonb, created_at timestamptz not null, updated_at timestamptz not null`;

/** About 250 bytes a row: quotes, newlines, backslashes and unicode in the texts, 25-digit numbers in the JSON. */
const FILL = `
  insert into public.events select i, (i * 7919) % 100000,
    'Title "' || i || E'" of\\nmany — \u00e4\u00f6\u00fc \u65e5\u672c\u8a9e ' || repeat('x', (i % 20)::int),
    case when i % 10 = 0 then null else E'a\\tnote\\\\' || md5(i::text) end,
    (i % 1000000)::numeric / 7, i / 3.0::float8, (i % 1000)::int, i % 3 = 0,
    jsonb_build_object('n', (i::text || '.1234567890123456789')::numeric, 'tag', 'v' || (i % 100), 'ok', true),
    case when i % 4 = 0 then null else jsonb_build_object('list', jsonb_build_array(i, i + 1, 'two')) end,
    timestamptz '2024-01-01' + i * interval '1 second', timestamptz '2024-01-01' + i * interval '1.5 seconds'
  from generate_series(1::bigint, $1::bigint) i`;

/** A server with a source and a destination database, and the folder of the children's state. */
export interface Bench {
  readonly server: PostgresqlServer;
  readonly source: string;
  readonly destination: string;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Starts a server, fills the source. */
export async function openBench(fill: (source: string) => Promise<void> = fillEvents): Promise<Bench> {
  const version = process.env.BENCH_POSTGRESQL === '15' ? 15 : 18;
  const settings = { shared_buffers: '256MB', max_wal_size: '16GB', checkpoint_timeout: '1h', autovacuum: 'off' };
  const server = await startPostgresql({ version, settings });
  const folder = await mkdtemp(join(tmpdir(), 'explorerio-bench-'));
  const url = (database: string) => server.url.replace(/\/[^/]*$/, `/${database}`);
  const bench = {
    server,
    source: url('source'),
    destination: url('target'),
    folder,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await run(server.url, 'create database source', 'create database target');
  await fill(bench.source);
  return bench;
}

async function fillEvents(source: string): Promise<void> {
  await run(source, `create table public.events (${TABLE})`);
  const client = new pg.Client(source);
  await client.connect();
  await client.query(FILL, [ROWS]);
  await client.end();
  await run(source, 'create index on public.events (updated_at)', 'vacuum analyze public.events');
}

/** Runs statements one after another. */
export async function run(url: string, ...statements: readonly string[]): Promise<pg.QueryResult | undefined> {
  const client = new pg.Client(url);
  await client.connect();
  let result: pg.QueryResult | undefined;
  for (const statement of statements) result = await client.query(statement);
  await client.end();
  return result;
}

/** A table to be moved. */
export interface BenchTable {
  readonly name: string;
  readonly columns: string;
}

const EVENTS: BenchTable = { name: 'events', columns: TABLE };

/** The baseline: psql COPY TO piped into psql COPY FROM, as text, into a table with its primary key; in seconds. */
export async function baseline(
  { source, destination }: Pick<Bench, 'source' | 'destination'>,
  { name, columns } = EVENTS,
): Promise<number> {
  await run(destination, `drop table if exists public.${name}`, `create table public.${name} (${columns})`);
  const begun = performance.now();
  const command = `psql "$0" -Xqc 'copy public.${name} to stdout' | psql "$1" -Xqc 'copy public.${name} from stdin'`;
  await shell(command, [source, destination]);
  return (performance.now() - begun) / 1000;
}

function shell(command: string, parameters: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command, ...parameters], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: exit code ${code}`))));
  });
}

/** Runs one sync in a process of its own. */
export async function sync(bench: Bench, task: Partial<ChildTask> & { readonly state: string }): Promise<ChildResult> {
  const whole: ChildTask = {
    destination: bench.destination,
    document: document(bench, {}),
    type: 'full',
    ...task,
    state: join(bench.folder, task.state),
  };
  const result = await runChild<ChildResult>('bench/child.ts', whole);
  if (result.state !== 'succeeded') throw new Error(JSON.stringify(result));
  return result;
}

/** Runs a script in a process of its own, and gives what it prints as JSON in its last line. */
export function runChild<Result>(script: string, task: object): Promise<Result> {
  return new Promise((resolve, reject) => {
    const options = process.env.BENCH_NODE_OPTIONS?.split(' ') ?? [];
    const child = spawn(process.execPath, [...options, 'scripts/run.mjs', script, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the child ended with code ${code}`));
      // What flags of Node make it print comes before.
      const lines = output.trimEnd().split('\n');
      if (lines.length > 1) console.error(lines.slice(0, -1).join('\n'));
      resolve(JSON.parse(lines.at(-1) ?? '') as Result);
    });
  });
}

/** The integration document of the benchmark. */
export function document(bench: Bench, more: ChildTask['document']): ChildTask['document'] {
  const { host, port, user, password } = bench.server;
  return {
    name: 'bench',
    type: 'postgresql',
    connection: { host, port, database: 'source', username: user, password },
    tables: ['events'],
    sync_strategy: { type: 'incremental', timestamp_field: 'updated_at' },
    ...more,
  };
}

const COLUMNS =
  'id, account, title, note, amount, ratio, quantity, active, attributes, payload, created_at, updated_at';

/** Whether source and destination hold the same rows, value by value. `stored`: the columns as they have to be read there. */
export async function expectEqual({ source, destination }: Bench, stored = COLUMNS): Promise<void> {
  const digest = (table: string, names: string) =>
    `select count(*)::text as rows, sum(hashtextextended(row(${names})::text, 0))::text as hash from ${table}`;
  const [left] = (await run(source, digest('public.events', COLUMNS)))?.rows ?? [];
  const [right] = (await run(destination, digest('bench.events', stored)))?.rows ?? [];
  if (JSON.stringify(left) !== JSON.stringify(right)) {
    throw new Error(`source and destination differ: ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
  }
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  return [...figures].sort((left, right) => left - right)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

/** Prints one result line. */
export function report(
  name: string,
  kase: string,
  ratio: number,
  goal: number,
  seconds: number,
  rssMb: number,
  rows = ROWS,
): void {
  const rate = Math.round(rows / seconds);
  console.log(`bench ${name} ${kase} ratio=${ratio.toFixed(2)} goal=${goal} rate=${rate}/s rss_mb=${rssMb}`);
}
