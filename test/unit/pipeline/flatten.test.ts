import fc from 'fast-check';
import { UNCHANGED, type Value } from '../../../lib/core/batch';
import type { TransformationOf } from '../../../lib/core/transformations';
import { JsonPaths, readPath } from '../../../lib/pipeline/json-paths';
import { pipe, stream } from './pipe';

const schema = stream({ id: 'int32', data: 'json' });
const step = (columns: TransformationOf<'flatten'>['columns'], more: object = {}): TransformationOf<'flatten'> => ({
  type: 'flatten',
  field: 'data',
  columns,
  ...more,
});

describe('flatten', () => {
  it('takes values out by their path, as text or as the type that is asked for', async () => {
    const data = '{"address":{"city":"Köln","zip":"50667"},"items":[{"id":7},{"id":8}],"paid":true,"n":1.50}';
    const { batch } = await pipe(
      {
        steps: [
          step({
            city: 'address.city',
            second: { path: 'items[1].id', type: 'integer' },
            items: { path: '$.items', type: 'json' },
            paid: { path: 'paid', type: 'boolean' },
            n: { path: 'n', type: 'decimal' },
            gone: 'address.street',
            deeper: 'paid.x[0]',
          }),
        ],
      },
      schema,
      [[1, data]],
    );
    expect(batch.rows).toEqual([[1, data, 'Köln', 8, '[{"id":7},{"id":8}]', true, '1.50', null, null]]);
    expect(batch.schema.columns.map(({ type }) => type)).toEqual([
      'int32',
      'json',
      'text',
      'int32',
      'json',
      'bool',
      'decimal',
      'text',
      'text',
    ]);
  });

  it('keeps every digit of a number', async () => {
    const data = '{"id":12345678901234567890,"x":0.1234567890123456789}';
    const { batch } = await pipe(
      { steps: [step({ a: 'id', b: { path: 'x', type: 'decimal' } }, { keep: false })] },
      schema,
      [[1, data]],
    );
    expect(batch.rows).toEqual([[1, '12345678901234567890', '0.1234567890123456789']]);
    expect(batch.schema.columns.map(({ name }) => name)).toEqual(['id', 'a', 'b']);
  });

  it('gives NULL of NULL and of null, and leaves what did not change', async () => {
    const { batch, rejected } = await pipe({ steps: [step({ a: 'a' })] }, schema, [
      [1, null],
      [2, '{"a":null}'],
      [3, UNCHANGED],
      [4, '"text"'],
    ]);
    expect(batch.rows.map((row) => row[2])).toEqual([null, null, UNCHANGED, null]);
    expect(rejected).toEqual([]);
  });

  it('fails records whose JSON does not parse or whose value is none of the type', async () => {
    const text = stream({ id: 'int32', data: 'text' });
    const { batch, rejected } = await pipe({ steps: [step({ n: { path: 'n', type: 'integer' } })] }, text, [
      [1, '{"n": 1'],
      [2, '{"n": "x"}'],
      [3, ' '],
      [4, '{"n": "4"}'],
    ]);
    expect(batch.rows.map((row) => [row[0], row[2]])).toEqual([
      [3, null],
      [4, 4],
    ]);
    expect(rejected.map(({ reasons }) => reasons[0])).toEqual([
      { field: 'data', message: 'is not JSON', rule: 'flatten' },
      { field: 'n', message: expect.stringMatching(/whole number/), rule: 'flatten' },
    ]);
  });

  it.each([
    [step({ a: 'a..b' }), /columns\.a: "a\.\.b" is no path, such as "address\.city"/],
    [step({ a: 'a[x]' }), /is no path/],
    [step({ a: 'a]' }), /is no path/],
    [step({ id: 'a' }), /columns\.id: "id" is part of the key/],
    [{ ...step({ a: 'a' }), field: 'id' }, /"id" holds int32, and flatten is for JSON/],
  ])('refuses what it cannot do: %#', async (config, message) => {
    await expect(pipe({ steps: [config] }, schema, [])).rejects.toThrow(message);
  });
});

describe('paths', () => {
  it.each([
    ['a.b[0].c', ['a', 'b', 0, 'c']],
    ['[2]', [2]],
    ['$.a', ['a']],
    ['labels["a.b"].x', ['labels', 'a.b', 'x']],
    ['größe', ['größe']],
  ])('reads %s', (path, parts) => expect(readPath(path)).toEqual(parts));

  it('gives of any JSON what JSON.parse gives', () => {
    const follow = (value: unknown, path: readonly (string | number)[]): unknown =>
      path.reduce<unknown>((from, part) => {
        if (typeof from !== 'object' || from === null || Array.isArray(from) !== (typeof part === 'number'))
          return undefined;
        return Object.hasOwn(from, part) ? (from as { [name: string | number]: unknown })[part] : undefined;
      }, value);
    const key = fc.constantFrom('a', 'b', '"', '\\', 'ü\n');
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 1, -0.5, 'x]}', '\\"'),
        fc.dictionary(key, tie('json')),
        fc.array(tie('json'), { maxLength: 3 }),
      ),
    }));
    const path = fc.array(fc.oneof(key, fc.nat(2)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        json,
        fc.array(path, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(undefined, 1),
        (value, paths, indent) => {
          const read = new JsonPaths(paths).read(JSON.stringify(value, undefined, indent));
          const expected = paths.map((one) => follow(value, one));
          expect(read.map((text) => (text === undefined ? undefined : (JSON.parse(text) as Value)))).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes the last of members of one name, with nothing of those before', () => {
    const read = new JsonPaths([
      ['a', 'b'],
      ['a', 'c'],
    ]).read('{"a":{"b":1,"c":2},"a":{"c":3}}');
    expect(read).toEqual([undefined, '3']);
  });
});
