import * as z from 'zod';
import { configSpec, secretField } from '../../../lib/core/config';
import { connector } from '../../../lib/core/connector';
import type { Json } from '../../../lib/core/json';
import { Redactor } from '../../../lib/core/secret';
import { maskSecrets, unmaskSecrets } from '../../../lib/engine/masking';
import { isReference, resolveReferences } from '../../../lib/engine/resolve';
import { MemorySecrets } from '../../memory/secrets';
import { faultFrom } from './home';

const shop = connector({
  type: 'shop',
  title: 'Shop',
  modes: ['full'],
  config: configSpec(
    z.strictObject({
      connection: z.strictObject({
        uri: z.string().optional(),
        password: secretField('Password.').optional(),
        ssl: z.union([z.boolean(), z.strictObject({ key: secretField('Key.') })]).optional(),
        brokers: z.array(z.strictObject({ token: secretField('Token.') })).optional(),
      }),
    }),
  ),
  open: () => Promise.reject(new Error('never opened')),
  classify: () => undefined,
});

const of = (connection: Json) => ({ name: 'main', type: 'shop', connection });
const mask = (connection: Json) => maskSecrets(of(connection), shop).connection;

describe('maskSecrets', () => {
  it('masks a password written into the document, and leaves the rest alone', () => {
    expect(maskSecrets(of({ password: 'hunter2', uri: 'db://host/x' }), shop)).toEqual(
      of({ password: '[secret]', uri: 'db://host/x' }),
    );
  });

  it('shows a reference as it is', () => expect(mask({ password: '${PW}' })).toEqual({ password: '${PW}' }));

  it('masks secrets in lists', () => {
    expect(mask({ brokers: [{ token: 'abcd' }, { token: '${T}' }] })).toEqual({
      brokers: [{ token: '[secret]' }, { token: '${T}' }],
    });
  });

  it('masks a secret inside of a union', () => {
    expect(mask({ ssl: { key: 'PRIVATE' } })).toEqual({ ssl: { key: '[secret]' } });
  });

  it('masks a secret of which only a part is a reference', () => {
    expect(JSON.stringify(mask({ password: 'hunter2${SUFFIX}' }))).not.toContain('hunter2');
  });

  it.each([
    ['db://user:hunter2@host/x', 'db://user:[secret]@host/x'],
    ['db://:hunter2@host', 'db://:[secret]@host'],
    ['mongodb+srv://u:hunter2@h/?a=b', 'mongodb+srv://u:[secret]@h/?a=b'],
    ['db://user:${PW}@host', 'db://user:${PW}@host'],
    ['db://host:5432/x', 'db://host:5432/x'],
    ['db://user@host', 'db://user@host'],
    ['mailto:someone@example.com', 'mailto:someone@example.com'],
  ])('takes the password out of %s', (uri, shown) => expect(mask({ uri })).toEqual({ uri: shown }));

  it.each(['db://user:pa@hunter2@host/x', 'db://user:pa/hunter2@host/x', 'db://user:${A}hunter2@host'])(
    'takes the password out of %s, which is not encoded',
    (uri) => expect(JSON.stringify(mask({ uri }))).not.toContain('hunter2'),
  );
});

describe('unmaskSecrets', () => {
  const stored = of({ password: 'hunter2', uri: 'db://u:pw@host', brokers: [{ token: 'one' }, { token: 'two' }] });

  it('gives back what was stored when the shown document is sent', () => {
    expect(unmaskSecrets(maskSecrets(stored, shop), stored, shop)).toEqual(stored);
  });

  it('takes a new value, a reference, and the absence of one', () => {
    const next = of({ password: 'new', uri: '${URI}' });
    expect(unmaskSecrets(next, stored, shop)).toEqual(next);
  });

  it('keeps the stored one of two secrets', () => {
    const next = of({
      password: '[secret]',
      uri: 'db://u:other@host',
      brokers: [{ token: 'new' }, { token: '[secret]' }],
    });
    const kept = of({ password: 'hunter2', uri: 'db://u:other@host', brokers: [{ token: 'new' }, { token: 'two' }] });
    expect(unmaskSecrets(next, stored, shop)).toEqual(kept);
  });

  it('does not let a kept secret go to another place', () => {
    const elsewhere = of({
      password: '[secret]',
      uri: 'db://u:pw@other',
      brokers: [{ token: 'one' }, { token: 'two' }],
    });
    expect(() => unmaskSecrets(elsewhere, stored, shop)).toThrow('connection.password: send it again');
  });
});

describe('resolveReferences', () => {
  const redactor = new Redactor();
  const resolve = (document: Json, values: Record<string, string> = {}) =>
    resolveReferences(document, new MemorySecrets(values), redactor);

  it('replaces references anywhere in any text, and keeps all else', async () => {
    const document = { a: ['${X}', 1, null, true], b: { c: 'u:${X}@${Y_2}/$' } };
    expect(await resolve(document, { X: 'ex', Y_2: '${X}$&' })).toEqual({
      a: ['ex', 1, null, true],
      b: { c: 'u:ex@${X}$&/$' },
    });
    expect(document.b.c).toBe('u:${X}@${Y_2}/$');
  });

  it('names every unset reference with its path, and gives nothing', async () => {
    const fault = await faultFrom(resolve({ a: '${NO}', b: [{ c: '${YES}${NEITHER}' }] }, { YES: 'yes' }));
    expect(fault).toMatchObject({ kind: 'config', code: 'invalid_config' });
    expect(fault.issues).toEqual([
      { path: 'a', message: expect.stringMatching(/^NO is not set/) },
      { path: 'b[0].c', message: expect.stringMatching(/^NEITHER is not set/) },
    ]);
    expect(JSON.stringify([fault.message, fault.issues])).not.toContain('${');
  });

  it('lets the redactor know each value', async () => {
    await resolve({ a: '${TOKEN}' }, { TOKEN: 'tok/en-1' });
    expect(redactor.redact('refused tok/en-1 and tok%2Fen-1')).toBe('refused [secret] and [secret]');
  });

  it.each(['${DB-PASSWORD}', '${db.password}', '${1PW}', '${}'])(
    'refuses %s instead of sending it as text',
    async (text) => {
      expect((await faultFrom(resolve({ password: text }))).issues?.[0]?.path).toBe('password');
    },
  );

  it.each([
    ['${A}', true],
    ['${A_1}', true],
    ['x${A_1}y', false],
    ['$A', false],
    ['${A', false],
    ['', false],
  ])('sees whether %p is a reference and nothing else', (text, expected) => {
    expect(isReference(text)).toBe(expected);
    expect(isReference(text)).toBe(expected);
  });
});
