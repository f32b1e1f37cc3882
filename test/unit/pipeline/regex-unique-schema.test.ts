import { Op, type Row, UNCHANGED } from '../../../lib/core/batch';
import type { ValidationRule } from '../../../lib/core/validation-rules';
import { SeenValues } from '../../../lib/pipeline/rules/seen-values';
import { patient } from '../../servers/patience';
import { batchOf, pipe, pipelineOf, stream } from './pipe';

const text = stream({ id: 'int32', value: 'text' });
const numbered = (values: readonly Row[number][]): Row[] => values.map((value, index) => [index + 1, value]);
const failedOf = async (rule: ValidationRule, values: readonly Row[number][], schema = text) => {
  const { rejected } = await pipe({ rules: [rule] }, schema, numbered(values));
  return rejected.map(({ row, reasons }) => [row[0], reasons[0]?.message]);
};

describe('regex', () => {
  const rule = (pattern: string, more: object = {}): ValidationRule => ({
    type: 'regex',
    field: 'value',
    pattern,
    ...more,
  });

  it('matches the whole text; NULL passes unless it is required', async () => {
    const problem = 'does not match the pattern';
    expect(await failedOf(rule('[A-Z]{2}\\d+'), ['DE12', 'xDE12', 'DE12x', null, 'DE1\n', UNCHANGED])).toEqual([
      [2, problem],
      [3, problem],
      [5, problem],
    ]);
    expect(await failedOf(rule('.*', { required: true }), [null, ''])).toEqual([
      [1, 'is required'],
      [2, 'is required'],
    ]);
    expect(await failedOf(rule('(?i)straße|😀.'), ['STRASSE', 'Straße', '😀x'])).toEqual([[1, problem]]);
  });

  it('is not made slow by a pattern that makes others slow', async () => {
    const start = performance.now();
    expect(await failedOf(rule('(a+)+b|(a|aa)*c|(.*)*d'), ['a'.repeat(20_000)])).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(patient(5000));
  });

  it.each([
    ['a(b', /validation_rules\[0\]\.pattern: no regular expression of RE2: missing closing \)/],
    ['(?=a)b', /validation_rules\[0\]\.pattern: no regular expression of RE2: .*\(\?=/],
    ['(a)\\1', /invalid escape sequence/],
    ['.{900}'.repeat(10), /too large; repeat less/],
  ])('refuses %s', async (pattern, message) => {
    await expect(pipelineOf({ rules: [rule(pattern)] })).rejects.toThrow(message);
  });
});

describe('unique', () => {
  const rule: ValidationRule = { type: 'unique', field: 'value' };

  it('fails every later record with a value of another one, over all batches of the run', async () => {
    const pipeline = await pipelineOf({ rules: [rule] });
    expect(pipeline.isSerial('orders')).toBe(true);
    const first = await pipeline.bind(text).run(batchOf(text, numbered(['a', 'b', 'a', null, null])), { load: true });
    expect(first.rejected.map(({ row, reasons }) => [row[0], reasons])).toEqual([
      [3, [{ field: 'value', message: 'is not unique', rule: 'unique' }]],
    ]);
    const second = await pipeline.bind(text).run(batchOf(text, [[9, 'b']]), { load: true });
    expect(second.rejected).toHaveLength(1);
  });

  it('takes versions of one record for one', async () => {
    const rows: Row[] = [
      [1, 'a'],
      [1, 'a'],
      [1, UNCHANGED],
      [1, 'left over'],
      [2, 'a'],
    ];
    const ops = [Op.Insert, Op.Update, Op.Update, Op.Delete, Op.Insert];
    const { rejected } = await pipe({ rules: [rule] }, text, rows, { ops, load: false });
    expect(rejected.map(({ row }) => row[0])).toEqual([2]);
  });

  it('takes equal records of a stream without a key for one', async () => {
    const keyless = stream({ id: 'int32', value: 'text' }, []);
    const { rejected } = await pipe({ rules: [rule] }, keyless, [
      [1, 'a'],
      [1, 'a'],
      [2, 'a'],
    ]);
    expect(rejected.map(({ row }) => row[0])).toEqual([2]);
  });

  it('compares within other fields, and never mixes cells up', async () => {
    const schema = stream({ id: 'int32', a: 'text', b: 'text' });
    const { rejected } = await pipe({ rules: [{ type: 'unique', field: 'b', within: ['a'] }] }, schema, [
      [1, 'x', 'y'],
      [2, 'z', 'y'],
      [3, '1:x1', 'y'],
      [4, null, 'y'],
      [5, 'x', 'y'],
    ]);
    expect(rejected.map(({ row }) => row[0])).toEqual([5]);
  });

  it('remembers hundreds of thousands of values without confusing two, and says when it is full', () => {
    const seen = new SeenValues(200_000, 7);
    const all = Array.from({ length: 200_000 }, (_, index) => `value ${index}`);
    expect(all.filter((value) => seen.take(value, value) !== true)).toEqual([]);
    expect(all.filter((value) => seen.take(value, value) !== true)).toEqual([]);
    expect(all.filter((value) => seen.take(value, 'somebody else') !== false)).toEqual([]);
    expect(seen.take('one more', 'a')).toBe('full');
  });
});

describe('json_schema', () => {
  const rule = (schema: object): ValidationRule =>
    ({ type: 'json_schema', field: 'value', schema }) as unknown as ValidationRule;
  const json = stream({ id: 'int32', value: 'json' });
  const order = {
    type: 'object',
    properties: {
      id: { $ref: '#/$defs/id' },
      email: { type: 'string', format: 'email', pattern: '^[^@]+@[^@]+$' },
      lines: { type: 'array', items: { type: 'object', required: ['sku'] }, minItems: 1 },
    },
    required: ['id'],
    additionalProperties: false,
    $defs: { id: { type: 'integer', minimum: 1 } },
  };

  it('fails JSON that does not fit, without telling its values', async () => {
    const problem = 'does not fit the JSON Schema';
    const values = [
      '{"id":1}',
      '{"id":0}',
      '{"id":1,"email":"x"}',
      '{"id":1,"lines":[{}]}',
      '{"id":1,"x":2}',
      '[]',
      null,
    ];
    expect(await failedOf(rule(order), values, json)).toEqual([2, 3, 4, 5, 6].map((id) => [id, problem]));
    expect(await failedOf(rule(order), ['{"id":1}', '{"id":', 'x'])).toEqual([
      [2, problem],
      [3, problem],
    ]);
  });

  it.each([
    [{ type: 'objekt' }, /validation_rules\[0\]\.schema\.type: /],
    [{ propertys: {} }, /validation_rules\[0\]\.schema: .*unknown keyword: "propertys"/],
    [{ $ref: 'https://example.com/schema.json' }, /schema\.\$ref: "https:\/\/example\.com\/schema\.json" is elsewhere/],
    [{ properties: { a: { $ref: 'file:///etc/passwd' } } }, /schema\.properties\.a\.\$ref: .*nothing is fetched/],
    [{ $ref: '#/$defs/x' }, /there is nothing at/],
    [{ $async: true, type: 'object' }, /"\$async" is not allowed/],
    [{ $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, /refers to itself/],
    [{ properties: { child: { $ref: '#' } } }, /refers to itself/],
    [{ $dynamicRef: '#x' }, /not supported; use "\$ref"/],
    [{ type: 'array', uniqueItems: true }, /compares each item with all others/],
    [{ pattern: '(?=a)' }, /pattern "\(\?=a\)": no regular expression of RE2/],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /draft-04/],
  ])('refuses %j', async (schema, message) => {
    await expect(pipelineOf({ rules: [rule(schema)] })).rejects.toThrow(message);
  });

  it('refuses references that multiply', async () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => {
        const next = { $ref: `#/$defs/d${index + 1}` };
        return [`d${index}`, index === 39 ? { type: 'string' } : { allOf: [next, next] }];
      }),
    );
    await expect(pipelineOf({ rules: [rule({ $defs, $ref: '#/$defs/d0' })] })).rejects.toThrow(/multiply to more than/);
  });

  it('runs no pattern that could be slow, and breaks on no depth of the data', async () => {
    const start = performance.now();
    expect(await failedOf(rule({ pattern: '^(a+)+$' }), [JSON.stringify(`${'a'.repeat(20_000)}b`)], json)).toHaveLength(
      1,
    );
    expect(performance.now() - start).toBeLessThan(patient(5000));
    expect(
      await failedOf(rule({ type: 'array' }), [`${'['.repeat(100_000)}${']'.repeat(100_000)}`], json),
    ).toHaveLength(0);
  });

  it('makes no code of what stands in a schema', async () => {
    const attack = `"+(globalThis.hacked=1)+"'\`\${globalThis.hacked=1}\`\n*/globalThis.hacked=1//\u2028`;
    const schema = {
      title: attack,
      $comment: attack,
      type: 'object',
      properties: {
        [attack]: { const: attack },
        ['__proto__']: { type: 'string' },
        a: { enum: [attack], default: attack },
      },
      patternProperties: { '^x': { type: 'string' } },
      required: [attack],
      dependentRequired: { [attack]: [attack] },
    };
    expect(
      await failedOf(rule(schema), ['{}', JSON.stringify({ [attack]: attack }), JSON.stringify({ [attack]: 1 })], json),
    ).toEqual([
      [1, 'does not fit the JSON Schema'],
      [3, 'does not fit the JSON Schema'],
    ]);
    expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
    await expect(pipelineOf({ rules: [rule({ type: ["string');globalThis.hacked=1;('"] })] })).rejects.toThrow(
      /schema\.type/,
    );
    expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
  });
});
