import * as z from 'zod';
import { configSpec, invalidConfig, nearest, parseConfig, secretField } from '../../../lib/core/config';
import { Fault } from '../../../lib/core/fault';
import { Secret } from '../../../lib/core/secret';

const schema = z.strictObject({
  connection: z
    .strictObject({
      host: z.string().meta({ description: 'Name of the server.', example: 'db.company.com' }),
      port: z.int().min(1).max(65535).meta({ default: 5432 }).optional(),
      password: secretField('Password.').optional(),
      ssl: z.union([z.boolean(), z.strictObject({ key: secretField('Key.').optional() })]).optional(),
    })
    .meta({ description: 'Where it is.' }),
  mode: z.enum(['fast', 'safe']).optional(),
  endpoints: z.array(z.strictObject({ path: z.string(), token: secretField('Token.').optional() })).optional(),
  authentication: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('bearer'), token: secretField('Token.') }),
      z.strictObject({ type: z.literal('basic'), username: z.string(), secret: secretField('Password.') }),
    ])
    .optional(),
  headers: z.record(z.string(), z.strictObject({ value: secretField('Value.') })).optional(),
});
const spec = configSpec(schema);
const minimal = { connection: { host: 'db' } };

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('expected a fault');
}
const issues = (input: unknown) => faultOf(() => spec.parse(input)).issues ?? [];

describe('configSpec', () => {
  it('parses, and hides secrets in what it gives', () => {
    const parsed = spec.parse({ connection: { host: 'db', password: 'hunter2' } });
    expect(parsed.connection.password).toBeInstanceOf(Secret);
    expect(parsed.connection.password?.reveal()).toBe('hunter2');
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });

  it('knows its top-level keys', () => {
    expect(spec.keys).toEqual(['connection', 'mode', 'endpoints', 'authentication', 'headers']);
  });

  it('gives one issue per wrong field, all at once, with its path', () => {
    const input = { connection: { port: '1', pasword: 'x' }, mode: 'slow', endpoints: [{ path: '/' }, { path: 7 }] };
    expect(
      issues(input)
        .map((issue) => issue.path)
        .sort(),
    ).toEqual(['connection.host', 'connection.pasword', 'connection.port', 'endpoints[1].path', 'mode'].sort());
  });

  it.each([
    [{ ...minimal, mod: 'fast' }, 'mod', 'did you mean "mode"?'],
    [{ connection: { host: 'db', prt: 1 } }, 'connection.prt', 'did you mean "port"?'],
    [{ ...minimal, endpoints: [{ path: '/', tokn: 'x' }] }, 'endpoints[0].tokn', 'did you mean "token"?'],
    [{ ...minimal, zzzzzz: 1 }, 'zzzzzz', 'known here: connection, mode'],
  ])('names the key that was meant in %j', (input, path, message) => {
    expect(issues(input)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it.each([
    [{ ...minimal, headers: { a: { value: 'x', valu: 'y' } } }, 'headers.a.valu', 'did you mean "value"?'],
    [{ connection: { host: 'db', ssl: { ky: 'x' } } }, 'connection.ssl.ky', 'did you mean "key"?'],
    [{ ...minimal, authentication: { type: 'bearer', token: 'x', tokens: 1 } }, 'authentication.tokens', '"token"'],
  ])('names the key that was meant inside of records and unions in %j', (input, path, message) => {
    expect(issues(input)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it.each([
    [{ ...minimal, mode: 'fats' }, 'mode', 'expected one of "fast", "safe"; did you mean "fast"?'],
    [{ ...minimal, mode: 'unlike any' }, 'mode', 'expected one of "fast", "safe"'],
    [{ ...minimal, mode: 7 }, 'mode', 'expected one of "fast", "safe"'],
    [
      { ...minimal, authentication: { type: 'baerer', token: 'x' } },
      'authentication.type',
      'expected one of "bearer", "basic"; did you mean "bearer"?',
    ],
    [{ ...minimal, authentication: {} }, 'authentication.type', 'expected one of "bearer", "basic"'],
  ])('names the word that was meant in %j', (input, path, message) => {
    expect(issues(input)).toEqual([{ path, message }]);
  });

  it('never repeats a value, which may be a secret', () => {
    const fault = faultOf(() => spec.parse({ connection: { host: 'db', password: ['hunter2'], port: 'hunter2' } }));
    expect(fault.issues).toHaveLength(2);
    expect(JSON.stringify([fault.message, fault.issues])).not.toContain('hunter2');
  });

  it('documents its fields: path, type, need, default, example, secret', () => {
    const field = (path: string) => spec.fields.find((candidate) => candidate.path === path);
    expect(field('connection.host')).toEqual({
      path: 'connection.host',
      type: 'string',
      doc: 'Name of the server.',
      required: true,
      secret: false,
      example: 'db.company.com',
    });
    expect(field('connection.port')).toMatchObject({ required: false, default: 5432, type: 'integer' });
    expect(field('connection.password')).toMatchObject({ secret: true, required: false });
    expect(field('mode')?.type).toBe('`fast` or `safe`');
    expect(field('endpoints')?.type).toMatch(/^list of/);
  });

  it.each(['connection.password', 'connection.ssl.key', 'endpoints[].token'])('knows that %s is a secret', (path) => {
    expect(spec.fields.find((field) => field.path === path)?.secret).toBe(true);
  });

  it.each(['authentication.token', 'authentication.secret'])('knows that %s of a tagged union is a secret', (path) => {
    expect(spec.fields.find((field) => field.path === path)?.secret).toBe(true);
  });
  it('knows that there is a secret in a record', () => {
    expect(spec.fields.some((field) => field.path.startsWith('headers.') && field.secret)).toBe(true);
  });

  it('gives a JSON Schema of the input that marks secrets and refuses unknown keys', () => {
    const json = spec.jsonSchema();
    expect(json).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['connection'],
      properties: { connection: { properties: { password: { type: 'string', writeOnly: true } } } },
    });
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});

describe('invalidConfig', () => {
  it('says each problem once, with and without a path', () => {
    const fault = invalidConfig([
      { path: 'a.b', message: 'is wrong' },
      { path: '', message: 'expected an object' },
    ]);
    expect(fault).toMatchObject({ kind: 'config', code: 'invalid_config', hint: expect.any(String) });
    expect(fault.message).toBe('reading the configuration: a.b: is wrong; expected an object');
  });

  it('is what parseConfig throws', () => {
    expect(faultOf(() => parseConfig(z.string(), 7))).toMatchObject({ code: 'invalid_config', issues: [{ path: '' }] });
  });
});

describe('nearest', () => {
  it.each([
    ['postgres', ['mysql', 'postgresql'], 'postgresql'],
    ['Schedule', ['schedule', 'mode'], 'schedule'],
    ['kfka', ['kafka', 'rabbitmq'], 'kafka'],
    ['ab', ['abc'], 'abc'],
    ['mongo', ['kafka'], undefined],
    ['x', [], undefined],
    ['', ['mode'], undefined],
  ])('of %p in %j is %p', (word, known, expected) => expect(nearest(word, known)).toBe(expected));

  it.each([
    ['prot', 'port'],
    ['hots', 'host'],
    ['tabels', 'tables'],
  ])('of %p sees that letters have changed places', (word, meant) =>
    expect(nearest(word, ['mode', meant])).toBe(meant),
  );
});
