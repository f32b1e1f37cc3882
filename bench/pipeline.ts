import type { Row, RowBatch } from '../lib/core/batch';
import type { Column, ColumnType, StreamSchema } from '../lib/core/schema';
import { compilePipeline } from '../lib/pipeline/compile';
import { openPlaces } from '../lib/places/places';
import { median } from './harness';

// 12 columns through field mapping, three conversions and the three rules of the specification, on one core. The ratio is
// our time to that of a hand-written loop which does the same work; the two alternate. `--prof` runs ours alone.
const ROUNDS = Number(process.env.BENCH_REPEAT ?? 9);
const BATCHES = 500;
const BATCH_ROWS = 400;
const GOAL_RATIO = 1.5;
const GOAL_LOOKUPS = 300_000;

const COLUMNS: readonly (readonly [string, ColumnType])[] = [
  ['customer_id', 'int64'],
  ['customer_name', 'text'],
  ['email_address', 'text'],
  ['signup_date', 'text'],
  ['age', 'text'],
  ['is_active', 'text'],
  ['country_code', 'text'],
  ['amount', 'decimal'],
  ['city', 'text'],
  ['visits', 'int32'],
  ['score', 'float64'],
  ['note', 'text'],
];
const SCHEMA: StreamSchema = {
  stream: 'customers',
  columns: COLUMNS.map(([name, type]): Column => ({ name, type, nullable: true, native: `bench/${type}` })),
  key: ['customer_id'],
};
const COUNTRIES = ['US', 'CA', 'UK', 'DE', 'FR'];

function batch(number: number): RowBatch {
  const rows = Array.from({ length: BATCH_ROWS }, (_, index): Row => {
    const id = number * BATCH_ROWS + index;
    const two = (value: number) => String(value).padStart(2, '0');
    return [
      BigInt(id),
      `Customer ${id}`,
      id % 100 === 99 ? 'nobody' : `customer.${id}@example.com`,
      `2024-${two((id % 12) + 1)}-${two((id % 28) + 1)}T${two(id % 24)}:${two(id % 60)}:00.${String(id % 1000).padStart(3, '0')}Z`,
      String(id % 120),
      id % 2 === 0 ? 'yes' : 'no',
      COUNTRIES[id % 5] ?? 'US',
      `${id}.50`,
      `City ${id % 1000}`,
      id % 500,
      id / 7,
      `A note of some length about customer ${id}`,
    ];
  });
  return { kind: 'rows', schema: SCHEMA, after: { format: 1, value: number }, rows };
}

async function pipelineRun(batches: readonly RowBatch[]): Promise<number> {
  const pipeline = await compilePipeline(
    {
      transformations: [
        {
          type: 'field_mapping',
          mappings: { customer_id: 'id', customer_name: 'name', email_address: 'email', signup_date: 'created_at' },
        },
        {
          type: 'data_type_conversion',
          conversions: { created_at: 'datetime', age: 'integer', is_active: 'boolean' },
        },
      ],
      validation_rules: [
        { type: 'email_format', field: 'email', required: true },
        { type: 'range', field: 'age', min: 0, max: 150 },
        { type: 'enum', field: 'country_code', values: COUNTRIES },
      ],
    },
    { lookup: async () => new Map(), places: async () => () => undefined },
  );
  const bound = pipeline?.bind(SCHEMA);
  let kept = 0;
  for (const given of batches) kept += (await bound?.run(given, { load: true }))?.batch.rows.length ?? 0;
  return kept;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$/;
const EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
const ACTIVE = new Map([
  ['yes', true],
  ['no', false],
]);

/** The same work as somebody would write it for this one table: copies, so that the records stay for quarantine. */
function floorRun(batches: readonly RowBatch[]): number {
  const allowed = new Set(COUNTRIES);
  let kept = 0;
  for (const given of batches) {
    const rows: Row[] = [];
    const rejected: Row[] = [];
    for (const row of given.rows) {
      const copy = row.slice();
      const time = ISO.exec(String(row[3]));
      const age = /^\d{1,9}$/.test(String(row[4])) ? Number(row[4]) : Number.NaN;
      const active = ACTIVE.get(String(row[5]).toLowerCase());
      if (time !== null) {
        const fraction = (time[7] ?? '').replace(/0+$/, '');
        copy[3] = `${time[1]}-${time[2]}-${time[3]} ${time[4]}:${time[5]}:${time[6]}${fraction && `.${fraction}`}+00`;
      }
      copy[4] = age;
      copy[5] = active ?? null;
      const good =
        time !== null &&
        active !== undefined &&
        age >= 0 &&
        age <= 150 &&
        EMAIL.test(String(row[2])) &&
        allowed.has(String(row[6]));
      if (good) rows.push(copy);
      else rejected.push(row);
    }
    kept += rows.length;
  }
  return kept;
}

const batches = Array.from({ length: BATCHES }, (_, number) => batch(number));
const rows = BATCHES * BATCH_ROWS;
const times = { ours: [] as number[], floor: [] as number[] };
async function timed(into: number[], work: () => number | Promise<number>): Promise<number> {
  const begun = performance.now();
  const kept = await work();
  into.push((performance.now() - begun) / 1000);
  return kept;
}
for (let round = 0; round < ROUNDS; round++) {
  const ours = await timed(times.ours, () => pipelineRun(batches));
  if (process.argv.includes('--prof')) continue;
  const floor = await timed(times.floor, () => floorRun(batches));
  if (ours !== floor) throw new Error(`the two kept different records: ${ours} and ${floor}`);
}
const [ours, floor] = [median(times.ours), median(times.floor)];
const rss = Math.round(process.resourceUsage().maxRSS / 1024);
const rate = Math.round(rows / ours);
console.log(
  `bench pipeline specification ratio=${(ours / floor).toFixed(2)} goal=${GOAL_RATIO} rate=${rate}/s rss_mb=${rss}`,
);

/** The countries of addresses all over the space, none of them twice in a row. */
async function geolocationRun(): Promise<number> {
  const pipeline = await compilePipeline(
    {
      transformations: [
        {
          type: 'data_enrichment',
          enrichments: [{ field: 'country', source: 'ip_geolocation', input_field: 'ip_address' }],
        },
      ],
    },
    { lookup: async () => new Map(), places: openPlaces(undefined) },
  );
  const bound = pipeline?.bind(ADDRESSES);
  let found = 0;
  for (const given of addresses) {
    const result = await bound?.run(given, { load: true });
    for (const row of result?.batch.rows ?? []) if (row.at(-1) !== null) found++;
  }
  return found;
}

const ADDRESSES: StreamSchema = {
  stream: 'visits',
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'bench/int64' },
    { name: 'ip_address', type: 'text', nullable: false, native: 'bench/text' },
  ],
  key: ['id'],
};

function addressBatch(number: number): RowBatch {
  const rows = Array.from({ length: BATCH_ROWS }, (_, index): Row => {
    const id = number * BATCH_ROWS + index;
    // A multiplicative hash: far apart, and the same in each round.
    const bits = Math.imul(id + 1, 0x9e3779b1) >>> 0;
    return [BigInt(id), [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')];
  });
  return { kind: 'rows', schema: ADDRESSES, after: { format: 1, value: number }, rows };
}

const addresses = Array.from({ length: BATCHES }, (_, number) => addressBatch(number));
const lookups: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const found = await timed(lookups, geolocationRun);
  if (found < rows / 2) throw new Error(`only ${found} of ${rows} addresses have a country`);
}
const lookupRate = Math.round(rows / median(lookups));
console.log(
  `bench pipeline geolocation ratio=${(GOAL_LOOKUPS / lookupRate).toFixed(2)} goal=1 rate=${lookupRate}/s rss_mb=${Math.round(process.resourceUsage().maxRSS / 1024)}`,
);
