import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { SecretStream } from '../../bin/cli';
import { readEnvironment } from '../../bin/environment';
import { EnvironmentSecrets } from '../../lib/adapters/embedded/secrets';
import type { Credential } from '../../lib/core/service';
import { commandLine, connectionTo } from './command-line';

const KEY = Buffer.alloc(32, 7).toString('base64');
const VALUE = 'canary-value-of-a-credential';
const env = { EXPLORERIO_ENCRYPTION_KEY: KEY, FROM: VALUE, NEW_KEY: 'another key, a long one', EMPTY: '' };

let folder = '';
let data = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explorerio-secrets-'));
  data = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const secrets = (args: readonly string[], more: Parameters<typeof commandLine>[1] = {}) =>
  commandLine(['secrets', ...args, '--data', data], { env, ...more });
const list = (credentials: readonly Credential[], more: readonly string[] = [], given: object = env) =>
  secrets(['list', ...more], {
    env: given as typeof env,
    connection: connectionTo({ credentials: async () => credentials }),
  });

function piped(text: string): SecretStream {
  const stream = new PassThrough();
  stream.end(text);
  return stream;
}

/** A terminal at which somebody types, and how it was switched. */
function terminal(...lines: readonly string[]) {
  const raw: boolean[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  let next = 0;
  stream.on('resume', () => setImmediate(() => stream.write(lines[next++] ?? '\u0003')));
  return { stream, raw };
}

describe('explorerio secrets set', () => {
  it.each([
    ['an environment variable', ['--from-env', 'FROM'], undefined],
    ['standard input', ['--stdin'], piped(`${VALUE}\n`)],
    ['standard input of Windows', ['--stdin'], piped(`${VALUE}\r\n`)],
  ])('stores a value from %s, and does not show it', async (_what, args, stdin) => {
    const { code, out, err } = await secrets(['set', 'DB_PASSWORD', ...args], { env, ...(stdin && { stdin }) });
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`DB_PASSWORD: created in ${join(data, 'credentials.enc')}\n`);
    expect(readFileSync(join(data, 'credentials.enc'), 'utf8')).not.toContain(VALUE);
    expect(existsSync(join(data, '.gitignore'))).toBe(true);
    expect((await secrets(['set', 'DB_PASSWORD', '--from-env', 'FROM', '--json'])).out).toContain('"unchanged"');
  });

  it('asks twice at a terminal, and shows nothing of what is typed', async () => {
    const { stream, raw } = terminal(`${VALUE}x\u007f\r`, `${VALUE}\r`);
    const { code, err } = await secrets(['set', 'DB_PASSWORD'], { env, stdin: stream });
    expect(code).toBe(0);
    expect(err).toBe('Value of DB_PASSWORD: \nThe same again: \n');
    expect(raw).toEqual([true, false, true, false]);
    expect((await secrets(['set', 'DB_PASSWORD', '--from-env', 'FROM'])).out).toContain('unchanged');
  });

  it.each([
    ['two that differ', [], () => terminal('one\r', 'two\r').stream, 'not the same'],
    ['an interruption', [], () => terminal('one\u0003').stream, 'interrupted'],
    ['nobody to ask', [], () => piped(''), 'nobody to ask'],
    ['nothing', ['--stdin'], () => piped('\n'), 'is empty'],
    ['an empty variable', ['--from-env', 'EMPTY'], () => piped(''), 'is empty'],
    ['a variable that is not set', ['--from-env', 'NOT_SET'], () => piped(''), 'NOT_SET is not set'],
    ['two places', ['--from-env', 'FROM', '--stdin'], () => piped('x'), 'both'],
  ])('refuses %s', async (_what, args, stdin, message) => {
    const { code, err } = await secrets(['set', 'A', ...args], { env, stdin: stdin() });
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(existsSync(join(data, 'credentials.enc'))).toBe(false);
  });

  it('takes no value as an argument', async () => {
    const { code, err } = await secrets(['set', 'DB_PASSWORD', VALUE]);
    expect(code).toBe(2);
    expect(err).not.toContain(VALUE);
  });

  it('says how to make a key where there is none', async () => {
    const { code, err } = await secrets(['set', 'A', '--from-env', 'FROM'], { env: { FROM: VALUE } });
    expect(code).toBe(2);
    expect(err).toMatch(/EXPLORERIO_ENCRYPTION_KEY is not set[\s\S]*openssl rand -base64 32/);
  });

  it('writes another file under another key', async () => {
    const file = join(folder, 'other.enc');
    await secrets(['set', 'A', '--from-env', 'FROM', '--file', file, '--key-env', 'NEW_KEY']);
    expect((await secrets(['path', '--file', file])).out).toBe(`${file}\n`);
    expect((await list([], ['--file', file])).err).toContain('not that of the file');
    expect((await list([], ['--file', file, '--key-env', 'NEW_KEY'])).out).toMatch(/^A +encrypted file/m);
  });

  it.each([
    ['--url', 'http://127.0.0.1:1'],
    ['--stage', 'dev'],
  ])('is not for a server elsewhere: %s', async (...args) => {
    const { code, err } = await secrets(['set', 'A', '--from-env', 'FROM', ...args]);
    expect(code).toBe(2);
    expect(err).toContain('on the machine of the server');
  });
});

describe('explorerio secrets list, remove, rotate-key and path', () => {
  const used: Credential = {
    name: 'DB_PASSWORD',
    store: 'encrypted_file',
    usedBy: ['crm', 'shop'],
    changedAt: '2026-01-01T00:00:00.000Z',
    ageSeconds: 100 * 86_400,
    dueAt: '2026-04-01T00:00:00.000Z',
    state: 'overdue',
  };

  it('list what integrations use and what lies in the file, without values', async () => {
    await secrets(['set', 'DB_PASSWORD', '--from-env', 'FROM']);
    await secrets(['set', 'SPARE', '--from-env', 'FROM']);
    const { code, out, err } = await list([used, { name: 'GONE', usedBy: ['shop'], state: 'missing' }]);
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'NAME KEPT IN AGE STATE DUE USED BY',
      'DB_PASSWORD encrypted file 100 d overdue 2026-04-01 crm, shop',
      'GONE - - missing - shop',
      expect.stringMatching(/^SPARE encrypted file 0\.\d s ok - -$/),
      '',
    ]);
    const { credentials } = JSON.parse((await list([used], ['--json'])).out);
    expect(credentials).toMatchObject([{ name: 'DB_PASSWORD', used_by: ['crm', 'shop'] }, { name: 'SPARE' }]);
    expect(JSON.stringify(credentials) + out).not.toContain(VALUE);
  });

  it('list what integrations use also where the file cannot be read', async () => {
    await secrets(['set', 'SPARE', '--from-env', 'FROM']);
    const { code, out, err } = await list([used], [], { EXPLORERIO_ENCRYPTION_KEY: 'a wrong one, but long' });
    expect(code).toBe(2);
    expect(out).toContain('DB_PASSWORD');
    expect(err).toContain('not that of the file');
    expect((await list([])).out).toContain('SPARE');
  });

  it('remove one, and say so when there is none', async () => {
    await secrets(['set', 'A', '--from-env', 'FROM']);
    expect((await secrets(['remove', 'A'])).code).toBe(0);
    const { code, err } = await secrets(['remove', 'A']);
    expect([code, err]).toEqual([2, expect.stringContaining('none of that name')]);
  });

  it('change the key', async () => {
    await secrets(['set', 'A', '--from-env', 'FROM']);
    const { code, out } = await secrets(['rotate-key', '--from-env', 'NEW_KEY']);
    expect([code, out]).toEqual([0, expect.stringContaining('1 credential under the new key')]);
    expect((await secrets(['set', 'A', '--from-env', 'FROM'])).err).toContain('not that of the file');
    const changed = { ...env, EXPLORERIO_ENCRYPTION_KEY: env.NEW_KEY };
    expect((await secrets(['set', 'A', '--from-env', 'FROM'], { env: changed })).out).toContain('unchanged');
  });

  it('say where the file is', async () => {
    expect((await secrets(['path'])).out).toBe(`${join(data, 'credentials.enc')}\n`);
    const relative = { ...env, EXPLORERIO_CREDENTIALS_FILE: 'own/file.enc' };
    expect((await secrets(['path'], { env: relative })).out).toBe(`${join(data, 'own/file.enc')}\n`);
    expect(JSON.parse((await secrets(['path', '--json'])).out)).toEqual({ path: join(data, 'credentials.enc') });
  });
});

describe('a .env file of the working folder', () => {
  it('is read anew by who keeps the environment that was made of it', async () => {
    writeFileSync(join(folder, '.env'), 'A=old\nB=file\n');
    const environment = readEnvironment(join(folder, '.env'), { B: 'outside' });
    const kept = new EnvironmentSecrets([folder], environment);
    expect([environment.A, environment.B, environment.toString]).toEqual(['old', 'outside', undefined]);
    writeFileSync(join(folder, '.env'), 'A=new\nB=new\n');
    expect((await kept.get('A'))?.reveal()).toBe('new');
    expect((await kept.get('B'))?.reveal()).toBe('outside');
  });
});
