import { Op, type Row, UNCHANGED, type Value } from '../../../lib/core/batch';
import type { ColumnType } from '../../../lib/core/schema';
import type { ConversionName, TransformationOf } from '../../../lib/core/transformations';
import { patient } from '../../servers/patience';
import { pipe, pipelineOf, stream } from './pipe';

const columns: { readonly [name: string]: ColumnType } = {
  id: 'int32',
  name: 'text',
  n: 'int64',
  price: 'decimal',
  at: 'timestamptz',
  ok: 'bool',
  type: 'text',
  raw: 'bytes',
  day: 'date',
  doc: 'json',
};
const schema = stream(columns);
const ROW: Row = [
  1,
  'Ann',
  5n,
  '2.50',
  '2024-03-01 10:00:00.123456+00',
  true,
  'x',
  Buffer.from('ab'),
  '2024-03-01',
  '{}',
];
const rowWith = (cells: { readonly [name: string]: Value }): Row =>
  Object.keys(columns).map((name, index) => (name in cells ? (cells[name] ?? null) : (ROW[index] ?? null)));

const calculate = (expression: string, as: ConversionName): TransformationOf<'expression'> => ({
  type: 'expression',
  field: 'result',
  expression,
  as,
});
const resultOf = async (expression: string, as: ConversionName, cells: { readonly [name: string]: Value } = {}) => {
  const { batch, rejected } = await pipe({ steps: [calculate(expression, as)] }, schema, [rowWith(cells)]);
  return rejected[0]?.reasons[0]?.message ?? batch.rows[0]?.at(-1);
};
const refusal = (expression: string) =>
  pipe({ steps: [{ type: 'filter', expression, stream: 'orders' }] }, schema, []).then(
    () => 'accepted',
    (error: Error) => error.message.replace('reading the configuration: transformations[0].expression: ', ''),
  );

describe('expression', () => {
  it.each<[string, ConversionName, Value]>([
    ['price * double(n)', 'decimal', '12.5'],
    ['n * 2 + id', 'bigint', 11n],
    ['n * 2', 'integer', 10],
    ['name + "-" + string(n)', 'string', 'Ann-5'],
    ['at', 'datetime', '2024-03-01 10:00:00.123456+00'],
    ['at + duration("24h")', 'datetime', '2024-03-02 10:00:00.123+00'],
    ['at > timestamp("2024-01-01T00:00:00Z")', 'boolean', true],
    ['at.getFullYear()', 'integer', 2024],
    ['day', 'date', '2024-03-01'],
    ['type == "x"', 'boolean', true],
    ['raw', 'bytes', Buffer.from('ab')],
    ['raw.hex()', 'string', '6162'],
    ['name.matches("^A.*n$") ? "yes" : "no"', 'string', 'yes'],
    ['"a,b,c".split(",").map(p, p + "!").join("/")', 'string', 'a!/b!/c!'],
    ['name.split("").map(c, c == "n" ? 1 : 0)', 'json', '[0,1,1]'],
    ['["A", "B"].exists(p, name.startsWith(p))', 'boolean', true],
    ['{"Ann": "known"}[name]', 'string', 'known'],
    ['name == null ? null : n', 'bigint', 5n],
    ['9223372036854775807', 'string', '9223372036854775807'],
  ])('%s as %s is %s', async (expression, as, result) => {
    expect(await resultOf(expression, as)).toEqual(result);
  });

  it.each<[string, ConversionName, { readonly [name: string]: Value }, unknown]>([
    ['name == null ? "none" : name', 'string', { name: null }, 'none'],
    ['name == null ? null : n + 1', 'bigint', { name: null }, null],
    ['n + 1', 'bigint', { n: null }, 'expression failed: no such overload (a field in it is NULL)'],
    ['10 / n', 'bigint', { n: 0n }, 'expression failed: division by zero'],
    ['n + 1', 'bigint', { n: 2n ** 63n - 1n }, 'expression failed: numeric overflow'],
    ['int(name)', 'bigint', { name: 'secret' }, 'expression failed: int conversion error'],
    ['{"a": 1}[name]', 'bigint', { name: 'secret' }, 'expression failed: no such key'],
    ['n', 'integer', { n: 2n ** 40n }, 'the result of the expression is no integer'],
    ['-n', 'bigint', { n: -(2n ** 63n) }, 'the result of the expression is no bigint'],
    ['name + "x"', 'string', { name: UNCHANGED }, UNCHANGED],
    ['at', 'datetime', { at: 'infinity' }, 'infinity'],
    ['string(at > timestamp("2024-01-01T00:00:00Z"))', 'string', { at: 'infinity' }, 'true'],
    ['at', 'datetime', { at: '0044-03-15 00:00:00+00 BC' }, 'expression failed: a time outside of the years 1 to 9999'],
    ['price > 1.0', 'boolean', { price: 'NaN' }, false],
  ])('%s as %s of %j is %s', async (expression, as, cells, result) => {
    expect(await resultOf(expression, as, cells)).toEqual(result);
  });

  it('replaces a field, not one of the key, and leaves deletions alone', async () => {
    const steps = [{ ...calculate('name.upperAscii()', 'string'), field: 'name' }];
    const { batch } = await pipe({ steps }, schema, [ROW, ROW], { ops: [Op.Update, Op.Delete], load: false });
    expect(batch.rows.map((row) => row[1])).toEqual(['ANN', 'Ann']);
    await expect(pipe({ steps: [{ ...calculate('1', 'integer'), field: 'id' }] }, schema, [])).rejects.toThrow(
      /transformations\[0\]\.field: "id" is part of the key/,
    );
  });

  it('says when a result can never be what is asked for', async () => {
    await expect(pipe({ steps: [calculate('at', 'integer')] }, schema, [])).rejects.toThrow(
      /transformations\[0\]\.as: /,
    );
    await expect(pipe({ steps: [calculate('at - at', 'string')] }, schema, [])).rejects.toThrow(/no field can hold/);
  });
});

describe('filter', () => {
  const filter = (expression: string) => ({ steps: [{ type: 'filter' as const, expression }] });

  it('leaves out the records for which it is not true', async () => {
    const rows = [rowWith({ name: 'test' }), rowWith({}), rowWith({ name: null }), rowWith({ name: UNCHANGED })];
    const { batch, rejected, skipped } = await pipe(filter('name != "test"'), schema, rows);
    expect(batch.rows.map((row) => row[1])).toEqual(['Ann', null, UNCHANGED]);
    expect([rejected, skipped]).toEqual([[], 0]);
  });

  it('makes deletions of changes that it leaves out, lets deletions pass, and fails what it cannot judge', async () => {
    const rows = [
      rowWith({ id: 1, n: 0n }),
      rowWith({ id: 2, n: 0n }),
      rowWith({ id: 3, n: null }),
      rowWith({ id: 4 }),
    ];
    const ops = [Op.Update, Op.Delete, Op.Insert, Op.Insert];
    const { batch, rejected } = await pipe(filter('n > 0'), schema, rows, { ops, load: false });
    expect(batch.rows.map(([id]) => id)).toEqual([1, 2, 4]);
    expect([...(batch.ops ?? [])]).toEqual([Op.Delete, Op.Delete, Op.Insert]);
    expect(rejected[0]?.reasons).toEqual([
      { message: 'expression failed: no such overload (a field in it is NULL)', rule: 'filter' },
    ]);
  });

  it('does not concern streams that lack its fields, unless they are named', async () => {
    const pipeline = await pipelineOf(filter('status == "x"'));
    expect(pipeline.bind(schema).notes).toEqual([
      expect.stringMatching(/at character 1: orders has no field "status"; it has id, name, .*left out here/),
    ]);
  });
});

describe('the rule expression', () => {
  it('fails records for which it is not true, with its message', async () => {
    const rule = { type: 'expression' as const, expression: 'n >= 0', message: 'is negative', field: 'n' };
    const rows = [rowWith({}), rowWith({ n: -1n }), rowWith({ n: UNCHANGED }), rowWith({ n: null })];
    const { rejected } = await pipe({ rules: [rule] }, schema, rows);
    expect(rejected.map(({ reasons }) => reasons[0])).toEqual([
      { message: 'is negative', field: 'n', rule: 'expression' },
      { message: expect.stringMatching(/^expression failed: /), field: 'n', rule: 'expression' },
    ]);
  });

  it('has to be true or false', async () => {
    await expect(pipe({ rules: [{ type: 'expression', expression: 'n + 1' }] }, schema, [])).rejects.toThrow(
      /validation_rules\[0\]\.expression: it gives int, and has to be true or false/,
    );
  });
});

describe('mistakes in expressions', () => {
  it.each([
    ['nme == "x"', 'at character 1: orders has no field "nme"; did you mean "name"?'],
    ['n > 1 && statuz', /^at character 10: orders has no field "statuz"; it has /],
    ['name + n == "x"', 'at character 1: no such overload: string + int'],
    ['name ==', 'at character 8: Unexpected token: EOF'],
    ['name = "x"', /^at character 6: /],
    ['name.startWith("A")', 'at character 6: there is no method "startWith"; did you mean "startsWith"?'],
    ['length(name) > 1', /there is no function "length"/],
    ['name.length > 1', /a value has no fields here/],
    ['doc.a == 1', /take JSON apart with "flatten"/],
    ['name.matches("a(b")', /^at character 14: no regular expression of RE2: missing closing/],
    ['name', 'it gives string, and has to be true or false'],
  ])('%s: %s', async (expression, message) => {
    if (typeof message === 'string') expect(await refusal(expression)).toBe(message);
    else expect(await refusal(expression)).toMatch(message);
  });
});

describe('attacks by expressions', () => {
  it.each([
    ['name.constructor == name'],
    ['name.__proto__ == name'],
    ['name["constructor"] == name'],
    ['[1].constructor == 1'],
    ['__proto__ == name'],
    ['constructor == name'],
    ['toString == name'],
    ['process == name'],
    ['globalThis == name'],
    ['env == name'],
    ['this == name'],
    ['google == name'],
    ['cel == name'],
    ['eval("1") == 1'],
    ['Function("return 1")() == 1'],
    ['name.replace("a", "b") == name'],
    ['raw.json() == raw'],
    ['type(name) == string'],
    ['import("fs") == 1'],
    ['name.bounded_matches("a")'],
    ['name.matches(name)'],
    ['duration(name) == duration("1s")'],
    ['at.getHours("Europe/Berlin") == 1'],
    ['cel.bind(a, name + name, a == a)'],
    ['[1,2].all(x, [1,2].all(y, x == y))'],
    ['[1,2].map(x, [1,2].map(y, x * y)).size() == 1'],
    [`${'('.repeat(100)}ok${')'.repeat(100)}`],
    [`[${'1,'.repeat(600)}1].size() > 0`],
    [`ok${' && ok'.repeat(600)}`],
  ])('refuses %s', async (expression) => {
    expect(await refusal(expression)).not.toBe('accepted');
  });

  const time = async (expression: string, cells: { readonly [name: string]: Value }) => {
    const start = performance.now();
    const result = await resultOf(expression, 'json', cells);
    return { result, milliseconds: performance.now() - start };
  };

  it.each<[string, { readonly [name: string]: Value }, RegExp]>([
    ['name.matches("^(a+)+$")', { name: `${'a'.repeat(50_000)}!` }, /^false$/],
    ['name.split("").size()', { name: 'x'.repeat(1_000_000) }, /limit exceeded/],
    [`name.split("").map(c, name + c).join()`, { name: 'x'.repeat(999) }, /./],
    [
      `name.split(",").map(c, c + ${'name + '.repeat(50)}name).join()`,
      { name: `${'x'.repeat(5000)},`.repeat(900) },
      /limit exceeded/,
    ],
    [
      `name.split("").exists(c, ${'name.contains("y") || '.repeat(60)} c == "z")`,
      { name: 'x'.repeat(1000) },
      /limit exceeded/,
    ],
    [`(${'name + '.repeat(200)}name).size()`, { name: 'x'.repeat(1_000_000) }, /limit exceeded/],
    [
      `name.split("").exists(c, ${'int(c) == 1 || '.repeat(60)} c == "z")`,
      { name: 'x'.repeat(1000) },
      /int conversion error/,
    ],
    [`${'bytes('.repeat(30)}raw${'.hex())'.repeat(30)}.size()`, { raw: Buffer.alloc(1000) }, /limit exceeded/],
    ['timestamp(name) == at', { name: '9'.repeat(1_000_000) }, /invalid timestamp/],
    ['double(name)', { name: ' '.repeat(1_000_000) }, /conversion error/],
    ['int(name)', { name: '9'.repeat(1_000_000) }, /conversion error/],
  ])('%# ends soon: %s', async (expression, cells, expected) => {
    const { result, milliseconds } = await time(expression, cells);
    expect(String(result)).toMatch(expected);
    expect(milliseconds).toBeLessThan(patient(5000));
  });

  it('sees no member that a record does not have, and changes nothing of the process', async () => {
    const names: { readonly [name: string]: ColumnType } = JSON.parse(
      '{"id": "int32", "constructor": "text", "hasOwnProperty": "text"}',
    );
    const odd = stream(names);
    const step = { type: 'filter' as const, expression: 'constructor == "a" && hasOwnProperty == "b"' };
    const { batch } = await pipe({ steps: [step] }, odd, [
      [1, 'a', 'b'],
      [2, 'a', null],
    ]);
    expect(batch.rows).toHaveLength(1);
    expect(await resultOf('{"__proto__": 1, "constructor": 2, "a": n}', 'json')).toBe('{"a":5}');
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });
});
