import type { Json } from '../lib/core/json';
import type { ChildResult } from './child';
import { type Bench, baseline, document, expectEqual, median, openBench, REPEAT, report, run, sync } from './harness';

const RULES: Json = [
  { type: 'range', field: 'amount', min: 0 },
  { type: 'length', field: 'title', max: 200 },
  { type: 'required', field: 'updated_at' },
];
const STEPS: Json = [
  { type: 'field_mapping', mappings: { account: 'account_id', note: 'remark' } },
  { type: 'data_type_conversion', conversions: { account_id: 'decimal', quantity: 'bigint', active: 'string' } },
];
const PIPED =
  'id, account_id::bigint, title, remark, amount, ratio, quantity::integer, active::boolean, attributes, payload, created_at, updated_at';

/**
 * A full load of one table, ours and psql's pipe alternating: whole blocks of bytes, decoded rows with three rules, and
 * with field mapping, three conversions and three rules.
 */
const CASES: readonly {
  readonly name: string;
  readonly goal: number;
  readonly document: { readonly [section: string]: Json };
  readonly stored?: string;
}[] = [
  { name: 'bytes', goal: 0.9, document: {} },
  { name: 'rows', goal: 1.5, document: { validation_rules: RULES } },
  { name: 'pipeline', goal: 1.6, document: { transformations: STEPS, validation_rules: RULES }, stored: PIPED },
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
  const result = await sync(from, { state, document: document(from, kase.document) });
  await expectEqual(from, kase.stored);
  return result;
}
