import fc from 'fast-check';
import { Op, type Row, UNCHANGED } from '../../../lib/core/batch';
import type { Transformation } from '../../../lib/core/transformations';
import type { ValidationRule } from '../../../lib/core/validation-rules';
import { batchOf, pipe, pipelineOf, stream } from './pipe';

const CUSTOMERS = stream(
  { customer_id: 'int64', customer_name: 'text', email_address: 'text', signup_date: 'text', age: 'text' },
  ['customer_id'],
);

/** The steps and rules of the specification. */
const MAPPING: Transformation = {
  type: 'field_mapping',
  mappings: { customer_id: 'id', customer_name: 'name', email_address: 'email', signup_date: 'created_at' },
};
const CONVERSION: Transformation = {
  type: 'data_type_conversion',
  conversions: { created_at: 'datetime', age: 'integer' },
};
const EMAIL: ValidationRule = { type: 'email_format', field: 'email', required: true };
const AGE: ValidationRule = { type: 'range', field: 'age', min: 0, max: 150 };

describe('the pipeline of the specification', () => {
  const good: Row = [1n, 'Ada', 'ada@example.com', '2024-01-31T10:00:00Z', '36'];
  const bad: Row = [2n, 'Bob', 'nobody', '2024-01-31T10:00:00Z', '200'];
  const worse: Row = [3n, 'Eve', null, 'yesterday', 'x'];

  it('maps, converts and checks; a record that fails is kept as it came, with every reason', async () => {
    const before = structuredClone([good, bad, worse]);
    const rows = [good, bad, worse];
    const { batch, rejected, skipped } = await pipe(
      { steps: [MAPPING, CONVERSION], rules: [EMAIL, AGE] },
      CUSTOMERS,
      rows,
    );
    expect(batch.rows).toEqual([[1n, 'Ada', 'ada@example.com', '2024-01-31 10:00:00+00', 36]]);
    expect(batch.schema.key).toEqual(['id']);
    expect(batch.schema.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id int64',
      'name text',
      'email text',
      'created_at timestamptz',
      'age int32',
    ]);
    expect(skipped).toBe(0);
    expect(rejected.map(({ row, reasons }) => ({ row, reasons }))).toEqual([
      {
        row: bad,
        reasons: [
          { field: 'email', rule: 'email_format', message: 'is not an email address' },
          { field: 'age', rule: 'range', message: 'is not between 0 and 150' },
        ],
      },
      {
        row: worse,
        reasons: [
          { field: 'created_at', rule: 'data_type_conversion', message: 'is not a date and time in the given format' },
        ],
      },
    ]);
    expect(rejected.every(({ schema }) => schema === CUSTOMERS)).toBe(true);
    expect(rows).toEqual(before);
  });

  it('skips and counts, with the strategy "skip"', async () => {
    const parts = { steps: [MAPPING, CONVERSION], rules: [EMAIL, AGE], handling: { strategy: 'skip' as const } };
    expect(await pipe(parts, CUSTOMERS, [good, bad, worse])).toMatchObject({ rejected: [], skipped: 2 });
  });

  it('empties the field that failed, with "null_field"; what is required cannot be emptied', async () => {
    const parts = { steps: [MAPPING, CONVERSION], rules: [EMAIL, AGE], handling: { strategy: 'null_field' as const } };
    const { batch, rejected } = await pipe(parts, CUSTOMERS, [good, bad, worse]);
    expect(batch.rows).toEqual([
      [1n, 'Ada', 'ada@example.com', '2024-01-31 10:00:00+00', 36],
      [2n, 'Bob', null, '2024-01-31 10:00:00+00', null],
    ]);
    expect(rejected.map(({ row, reasons }) => [row, reasons.map(({ message }) => message)])).toEqual([
      [worse, ['is required']],
    ]);
  });

  it('ends the stream with "stop", without showing the value', async () => {
    const parts = { steps: [MAPPING, CONVERSION], rules: [EMAIL], handling: { strategy: 'stop' as const } };
    await expect(pipe(parts, CUSTOMERS, [good, bad])).rejects.toMatchObject({
      kind: 'data',
      code: 'record_refused',
      message: 'syncing orders: a record failed: is not an email address (email)',
    });
  });

  it('has the same fingerprint for the same configuration only', async () => {
    const { fingerprint } = await pipelineOf({ steps: [MAPPING], rules: [EMAIL] });
    expect((await pipelineOf({ steps: [MAPPING], rules: [EMAIL] })).fingerprint).toBe(fingerprint);
    expect((await pipelineOf({ steps: [MAPPING], rules: [AGE] })).fingerprint).not.toBe(fingerprint);
  });
});

describe('field_mapping', () => {
  const shape = stream({ id: 'int32', a: 'text', b: 'text' });
  const mapped = (mappings: { readonly [from: string]: string }, names?: string) =>
    pipelineOf({ steps: [{ type: 'field_mapping', mappings, ...(names && { stream: names }) }] });

  it('changes all names at once, so that two can be swapped', async () => {
    const { output } = (await mapped({ a: 'b', b: 'a' })).bind(shape);
    expect(output.columns.map(({ name }) => name)).toEqual(['id', 'b', 'a']);
  });

  it.each<[string, { readonly [from: string]: string }, RegExp]>([
    [
      'would lose a field',
      { a: 'b' },
      /transformations\[0\]\.mappings\.a: orders would have two fields "b" and lose one/,
    ],
    ['would lose one of its own', { a: 'c', b: 'c' }, /mappings\.b: orders would have two fields "c"/],
    [
      'is written the other way round',
      { customer: 'a' },
      /orders has no field "customer", but "a".*Write "a": "customer"/,
    ],
  ])('refuses what %s', async (_, mappings, message) => {
    const pipeline = await mapped(mappings);
    expect(() => pipeline.bind(shape)).toThrow(message);
  });

  it('leaves a stream alone that has nothing of it, and says so; a stream that is named must have it', async () => {
    const all = (await mapped({ x: 'y' })).bind(shape);
    expect(all.notes).toEqual(['transformations[0].mappings.x: this stream has no field "x", so it is left as it is']);
    const named = await mapped({ x: 'y' }, 'orders');
    expect(() => named.bind(shape)).toThrow('orders has no field "x"; it has id, a, b');
    const others = await mapped({ a: 'z' }, '!orders');
    expect(others.bind(shape).output.columns.map(({ name }) => name)).toEqual(['id', 'a', 'b']);
  });
});

describe('drop and constant', () => {
  const shape = stream({ id: 'int32', a: 'text', b: 'text' });

  it('leaves fields out, and adds one', async () => {
    const steps: Transformation[] = [
      { type: 'drop', fields: ['a'] },
      { type: 'constant', field: 'origin', value: 'shop' },
    ];
    const { batch } = await pipe({ steps }, shape, [[1, 'x', 'y']]);
    expect(batch.schema.columns.map(({ name }) => name)).toEqual(['id', 'b', 'origin']);
    expect(batch.rows).toEqual([[1, 'y', 'shop']]);
  });

  it('keeps the whole record for quarantine', async () => {
    const steps: Transformation[] = [{ type: 'drop', fields: ['a'] }];
    const { rejected } = await pipe({ steps, rules: [{ type: 'required', field: 'b' }] }, shape, [[1, 'x', '']]);
    expect(rejected[0]?.row).toEqual([1, 'x', '']);
  });

  it.each<[string, Transformation]>([
    ['drop', { type: 'drop', fields: ['id'] }],
    ['constant', { type: 'constant', field: 'id', value: 1 }],
  ])('%s refuses the key', async (_, step) => {
    const pipeline = await pipelineOf({ steps: [step] });
    expect(() => pipeline.bind(shape)).toThrow('"id" is part of the key of orders');
  });
});

describe('rows on their way', () => {
  const shape = stream({ id: 'int32', a: 'text' });
  const rules: ValidationRule[] = [{ type: 'enum', field: 'a', values: ['x', 'y'] }];

  it('keep their operations; deletions and values that were not sent are not judged', async () => {
    const rows: Row[] = [
      [1, 'x'],
      [2, 'bad'],
      [3, 'bad'],
      [4, UNCHANGED],
    ];
    const ops = [Op.Insert, Op.Update, Op.Delete, Op.Update];
    const { batch, rejected } = await pipe({ rules }, shape, rows, { ops, load: false });
    expect(batch.rows.map(([id]) => id)).toEqual([1, 3, 4]);
    expect([...(batch.ops ?? [])]).toEqual([Op.Insert, Op.Delete, Op.Update]);
    expect(rejected.map(({ row }) => row[0])).toEqual([2]);
  });

  it('move the position even when none is left', async () => {
    const pipeline = await pipelineOf({ rules });
    const given = { ...batchOf(shape, [[1, 'bad']]), after: { format: 1, value: 9 }, sourceTime: 5 };
    const { batch } = await pipeline.bind(shape).run(given, { load: true });
    expect(batch).toMatchObject({ rows: [], after: { value: 9 }, sourceTime: 5 });
    expect(batch.ops).toBeUndefined();
  });

  it('come out once each, good or rejected, in their order, whatever they hold', async () => {
    const pipeline = await pipelineOf({
      rules,
      steps: [{ type: 'data_type_conversion', conversions: { a: 'string' } }],
    });
    const bound = pipeline.bind(shape);
    const cell = fc.constantFrom('x', 'y', 'z', '', null);
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 50 }), async (cells) => {
        const rows = cells.map((value, id): Row => [id, value]);
        const { batch, rejected } = await bound.run(batchOf(shape, rows), { load: true });
        const good = rows.filter(([, value]) => value === 'x' || value === 'y' || value === null);
        expect(batch.rows).toEqual(good);
        expect(rejected.map(({ row }) => row)).toEqual(rows.filter((row) => !good.includes(row)));
      }),
    );
  });
});
