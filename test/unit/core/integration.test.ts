import { durationMs } from '../../../lib/core/duration';
import { integrationFields, NAME_PATTERN, RESERVED_NAMES } from '../../../lib/core/integration';
import { SECTIONS } from '../engine/specification';

const base = { name: 'main', type: 'x' };

describe('integrationFields', () => {
  it.each(Object.entries(SECTIONS).flatMap(([name, examples]) => examples.map((example) => [name, example] as const)))(
    'take the example of %s as the specification has it',
    (section, example) => {
      const parsed = integrationFields.parse({ ...base, [section]: example });
      expect(parsed[section as keyof typeof parsed]).toEqual(example);
    },
  );

  it('add nothing: what is not said stays unsaid', () => {
    const document = { ...base, sync_settings: {}, sync_strategy: {}, destination: {}, streams: { orders: {} } };
    expect(integrationFields.parse(document)).toEqual(document);
  });

  it.each([
    [{ name: 'a b' }],
    [{ colour: 'red' }],
    [{ sync_settings: { batch_size: 1.5 } }],
    [{ sync_settings: { batch_size: 1_000_001 } }],
    [{ sync_settings: { parallel: 0 } }],
    [{ sync_strategy: { timestamp_field: '' } }],
    [{ sync_strategy: { initial_sync: 'some' } }],
    [{ streams: { orders: { curser: 'x' } } }],
    [{ streams: [] }],
    [{ destination: { schema: 'information_schema' } }],
    [{ destination: { schema: 'pg_x' } }],
    [{ destination: { schema: 'ä'.repeat(32) } }],
    [{ description: 'x'.repeat(2001) }],
    [{ validation_rules: [{ field: 'a', type: 'enum', values: [] }] }],
    [{ alerts: [{ name: 'a', condition: 'x', severity: 'terrible' }] }],
  ])('refuse %j', (more) => expect(integrationFields.safeParse({ ...base, ...more }).success).toBe(false));

  it.each(['Pg_x', 'ä'.repeat(31), 'my "schema"', '🚀'])('take %s as the name of a schema', (schema) => {
    expect(integrationFields.safeParse({ ...base, destination: { schema } }).success).toBe(true);
  });

  it('take a stream of any name', () => {
    const names = ['public.orders', 'a b', '🚀', 'constructor'];
    const streams = Object.fromEntries(names.map((name) => [name, { enabled: false }]));
    expect(Object.keys(integrationFields.parse({ ...base, streams }).streams ?? {})).toEqual(names);
  });
});

describe('names', () => {
  it.each(['health', 'stats'])('reserve %s, which is well-formed', (name) => {
    expect(RESERVED_NAMES).toContain(name);
    expect(name).toMatch(NAME_PATTERN);
  });

  it.each(['a\n', 'a/b', '..', ''])('refuse %j', (name) => expect(name).not.toMatch(NAME_PATTERN));
});

describe('durationMs', () => {
  it.each([
    ['0ms', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['90d', 7_776_000_000],
  ])('of %s is %i', (text, expected) => expect(durationMs(text)).toBe(expected));
});
