import pg from 'pg';
import type { Json } from '../lib/core/json';
import { SECTIONS } from '../test/unit/engine/specification';
import type { ChildResult } from './child';
import {
  type Bench,
  type BenchTable,
  baseline,
  document,
  median,
  openBench,
  REPEAT,
  ROWS,
  report,
  run,
  sync,
} from './harness';

const GOAL_RATIO = 1.6;
/** How much more memory four times the rows may take. */
const GOAL_MEMORY = 1.15;

const COLUMNS = `
  customer_id bigint primary key, customer_name text, email_address text, signup_date text, age text, is_active text,
  ip_address text, country_code text, amount numeric(18,2), city text, visits integer, note text`;

/** Records that pass the example's rules, of addresses all over the space. */
const FILL = `
  select i, 'Customer ' || i, 'customer.' || i || '@example.com',
    to_char(timestamp '2024-01-01' + i * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), (i % 120)::text,
    case when i % 2 = 0 then 'yes' else 'no' end,
    concat_ws('.', 1 + i % 222, i * 7919 % 256, i * 104729 % 256, i * 15485863 % 256),
    (array['US', 'CA', 'UK', 'DE', 'FR'])[1 + i % 5], (i % 1000000)::numeric / 7, 'City ' || i % 1000, (i % 500)::int,
    'A note of some length about customer ' || i
  from generate_series(1::bigint, $1::bigint) i`;

const SIZES: readonly (BenchTable & { readonly rows: number })[] = [
  { name: 'customers', columns: COLUMNS, rows: ROWS },
  { name: 'fewer', columns: COLUMNS, rows: Math.ceil(ROWS / 4) },
];

/** The sections of the specification's example of a pipeline. */
const PIPELINE = {
  transformations: SECTIONS.transformations[0],
  validation_rules: SECTIONS.validation_rules[0],
  error_handling: SECTIONS.error_handling[0],
} as unknown as { readonly [section: string]: Json };

const bench = await openBench(async (source) => {
  const client = new pg.Client(source);
  await client.connect();
  for (const { name, columns, rows } of SIZES) {
    await client.query(`create table public.${name} (${columns})`);
    await client.query(`insert into public.${name} ${FILL}`, [rows]);
    await client.query(`vacuum analyze public.${name}`);
  }
  await client.end();
});
try {
  const base: number[] = [];
  const whole: ChildResult[] = [];
  const fewer: ChildResult[] = [];
  const [large, small] = SIZES;
  if (large === undefined || small === undefined) throw new Error('there are two sizes');
  for (let round = 0; round < REPEAT; round++) {
    base.push(await baseline(bench, large));
    whole.push(await load(bench, large, round));
    fewer.push(await load(bench, small, round));
    console.error(
      `round ${round}: psql ${base.at(-1)?.toFixed(2)} s, ours ${whole.at(-1)?.seconds.toFixed(2)} s, ${whole.at(-1)?.cpuSeconds.toFixed(2)} s of CPU, ${whole.at(-1)?.rssMb} MB; a quarter of the rows ${fewer.at(-1)?.rssMb} MB`,
    );
  }
  const seconds = median(whole.map((result) => result.seconds));
  const rss = Math.max(...whole.map(({ rssMb }) => rssMb));
  report('postgres-pipeline', 'specification', seconds / median(base), GOAL_RATIO, seconds, rss);
  const growth = rss / Math.max(...fewer.map(({ rssMb }) => rssMb));
  report('postgres-pipeline', 'memory', growth, GOAL_MEMORY, seconds, rss);
} finally {
  await bench.stop();
}

async function load(from: Bench, { name, rows }: (typeof SIZES)[number], round: number): Promise<ChildResult> {
  await run(from.destination, 'drop schema if exists bench cascade');
  const result = await sync(from, {
    state: `${name}-${round}.db`,
    document: document(from, { ...PIPELINE, tables: [name], sync_strategy: { type: 'full' } }),
  });
  await compare(from, name, rows);
  return result;
}

/** Whether all that was mapped and converted is what PostgreSQL makes of it, and most addresses have a country. */
async function compare({ source, destination }: Bench, name: string, rows: number): Promise<void> {
  const digest = (table: string, columns: string) =>
    `select count(*)::text as rows, sum(hashtextextended(row(${columns})::text, 0))::text as hash from ${table}`;
  const rest = 'ip_address, country_code, amount, city, visits, note';
  const given = `customer_id, customer_name, email_address, signup_date::timestamptz, age::int, is_active::boolean, ${rest}`;
  const stored = `id, name, email, created_at, age::int, is_active::boolean, ${rest}`;
  const left = (await run(source, digest(`public.${name}`, given)))?.rows;
  const right = (await run(destination, digest(`bench.${name}`, stored)))?.rows;
  if (JSON.stringify(left) !== JSON.stringify(right)) {
    throw new Error(`source and destination differ: ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
  }
  const [{ found } = { found: 0 }] =
    (await run(destination, `select count(country)::int as found from bench.${name}`))?.rows ?? [];
  if (found < rows / 2) throw new Error(`only ${found} of ${rows} addresses have a country`);
}
