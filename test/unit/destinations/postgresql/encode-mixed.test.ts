import fc from 'fast-check';
import type { MixedRows, Row, Value } from '../../../../lib/core/batch';
import type { ColumnType, StreamSchema } from '../../../../lib/core/schema';
import { encodeRows, type Refusal } from '../../../../lib/destinations/postgresql/encode';
import { encodeMixed } from '../../../../lib/destinations/postgresql/encode-mixed';
import type { Shape } from '../../../../lib/destinations/postgresql/shape';
import { MixedBatch } from '../../../../lib/pipeline/piped';
import { textBatch } from '../../text-batch';

const VALUES: { readonly [type in ColumnType]?: fc.Arbitrary<Value> } = {
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
  decimal: fc.constantFrom('0.10', '-12345678901234567890.5', 'NaN'),
  text: fc.string({ unit: fc.constantFrom('a', '\\', '\t', '\n', 'N', '.', 'é', '🙂', '\r', ' ') }),
  json: fc.constantFrom('{"a": 1}', '"\\u0000"', '"\\\\u0000"', '"a\\nb"'),
  bytes: fc.uint8Array({ maxLength: 4 }),
  timestamptz: fc.constantFrom('2024-01-01 00:00:00+00', 'infinity', '0044-03-15 00:00:00+00 BC'),
};

/** What comes from `jsonb` never holds what that refuses. */
function arbitraryOf({ type, native }: { readonly type: ColumnType; readonly native: boolean }): fc.Arbitrary<Value> {
  const values = VALUES[type] as fc.Arbitrary<Value>;
  return type === 'json' && native ? values.filter((value) => value !== '"\\u0000"') : values;
}

interface Made {
  readonly shape: Shape;
  readonly batch: MixedBatch;
  readonly text: NonNullable<ReturnType<typeof textBatch>>;
}

/** Rows of which some columns were decoded and others were not, in another order, and some left out. */
const made: fc.Arbitrary<Made> = fc
  .array(fc.record({ type: fc.constantFrom(...(Object.keys(VALUES) as ColumnType[])), native: fc.boolean() }), {
    minLength: 1,
    maxLength: 7,
  })
  .chain((columns) => {
    const row = fc.tuple(...columns.map((column) => fc.option(arbitraryOf(column), { freq: 8 })));
    return fc.record({
      columns: fc.constant(columns),
      rows: fc.array(row as fc.Arbitrary<Row>, { minLength: 1, maxLength: 6 }),
      decoded: fc.array(fc.boolean(), { minLength: columns.length, maxLength: columns.length }),
      order: fc.shuffledSubarray(
        columns.map((_, place) => place),
        { minLength: 1 },
      ),
      swapped: fc.boolean(),
      left: fc.array(fc.nat(5)),
      key: fc.boolean(),
    });
  })
  .map(({ columns, rows, decoded, order, swapped, left, key }) => {
    const all = columns.map(({ type, native }, place) => ({
      name: `c${place}`,
      type,
      nullable: true,
      native: native ? `postgresql/${type === 'json' ? 'jsonb' : type}` : 'test/x',
    }));
    const schema: StreamSchema = { stream: 's', columns: all, key: [] };
    const text = textBatch(schema, rows);
    if (text?.text === undefined) throw new Error('these rows have a text');
    const places = swapped ? order : [...order].sort((one, other) => one - other);
    const output = { ...schema, columns: places.flatMap((place) => all[place] ?? []) };
    const origin = rows.map((_, index) => index).filter((index) => !left.includes(index));
    const mixed: MixedRows = {
      text: text.text,
      columns: places.map((place) => (decoded[place] ? { cell: place } : { text: place })),
      rows: origin.map((index) => text.rows[index]?.map((cell, place) => (decoded[place] ? cell : null)) ?? []),
      ...(origin.length < rows.length && { origin }),
    };
    return { shape: shapeOf(output, key ? [0] : []), batch: new MixedBatch(output, text, mixed), text };
  });

function shapeOf(schema: StreamSchema, key: readonly number[]): Shape {
  const columns = schema.columns.map((source) => ({
    source,
    name: source.name,
    type: source.type === 'json' ? 'jsonb' : source.type,
    exact: true,
  }));
  return { schema, table: 's', columns, key };
}

function collected(encode: (refuse: (refusal: Refusal) => void) => Iterable<Uint8Array>) {
  const refused: Refusal[] = [];
  const chunks = [...encode((refusal) => void refused.push(refusal))];
  return { text: Buffer.concat(chunks).toString(), refused };
}

const both = ({ shape, batch }: Pick<Made, 'shape' | 'batch'>) => ({
  mixed: collected((refuse) => encodeMixed(shape, batch, batch.mixed, refuse)),
  rows: collected((refuse) => encodeRows({ shape, rows: batch.rows, ops: undefined, staged: false, refuse })),
});

it('writes and refuses what is written and refused of decoded rows', () => {
  let written = 0;
  let refused = 0;
  fc.assert(
    fc.property(made, (one) => {
      const { mixed, rows } = both(one);
      expect(mixed.refused).toEqual(rows.refused);
      // A source may escape more than it must; here it does not, so that even the bytes are equal.
      expect(mixed.text).toBe(rows.text);
      written += mixed.text.length;
      refused += mixed.refused.length;
    }),
    { numRuns: 2000 },
  );
  expect(written).toBeGreaterThan(10_000);
  expect(refused).toBeGreaterThan(100);
});

it('sends a run of undecoded cells that is large in pieces', () => {
  const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'text', nullable: true, native: 'test/x' }) as const);
  const schema: StreamSchema = { stream: 's', columns, key: [] };
  const large = 'x\t'.repeat(50_000);
  const text = textBatch(schema, [
    ['1', 'one', null],
    ['2', large, large],
    ['3', 'three', ''],
  ]);
  if (text?.text === undefined) throw new Error('these rows have a text');
  const mixed: MixedRows = {
    text: text.text,
    columns: [0, 1, 2].map((place) => ({ text: place })),
    rows: [[], [], []],
  };
  const found = both({ shape: shapeOf(schema, [0]), batch: new MixedBatch(schema, text, mixed) });
  expect(found.mixed).toEqual(found.rows);
  expect(found.mixed.text.length).toBeGreaterThan(300_000);
});

it('writes converted text as it is for a column that reads it alike, and its values for any other', () => {
  const written = {
    stream: 's',
    columns: [{ name: 'a', type: 'text', nullable: true, native: 'test/x' }],
    key: [],
  } as const;
  const text = textBatch(written, [['yes'], [null], ['off']]);
  if (text?.text === undefined) throw new Error('these rows have a text');
  const schema: StreamSchema = { ...written, columns: [{ ...written.columns[0], type: 'bool' }] };
  const mixed: MixedRows = {
    text: text.text,
    columns: [{ text: 0, convert: (value) => value === 'yes' }],
    rows: [[], [], []],
  };
  const storedAs = (type: string) => {
    const shape = shapeOf(schema, []);
    const columns = shape.columns.map((column) => ({ ...column, type }));
    return both({ shape: { ...shape, columns }, batch: new MixedBatch(schema, text, mixed) }).mixed.text;
  };
  expect(storedAs('boolean')).toBe('yes\n\\N\noff\n');
  expect(storedAs('text')).toBe('true\n\\N\nfalse\n');
});
