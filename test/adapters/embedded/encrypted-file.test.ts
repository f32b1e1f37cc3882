import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { EncryptedFile, type EncryptedFileOptions } from '../../../lib/adapters/embedded/encrypted-file';
import { Secret } from '../../../lib/core/secret';
import { describeSecrets } from '../../contracts/secrets';
import { temporaryFolder } from './temporary';

const KEY = randomBytes(32).toString('base64');
const PASSPHRASE = 'correct horse battery staple';
const folder = temporaryFolder();
afterAll(() => folder.remove());

let files = 0;
const newPath = () => join(folder.path, `credentials-${++files}.enc`);
const warnings: string[] = [];

function open(path: string, more: Partial<EncryptedFileOptions> & { readonly with?: string } = {}): EncryptedFile {
  return new EncryptedFile({
    path,
    key: async () => new Secret(more.with ?? KEY),
    keyName: 'ENCRYPTION_KEY',
    required: false,
    clock: { now: () => Date.now() },
    warn: (message) => void warnings.push(message),
    ...more,
  });
}

async function filled(values: { readonly [name: string]: string }, key = KEY): Promise<string> {
  const path = newPath();
  for (const [name, value] of Object.entries(values)) await open(path, { with: key }).set(name, new Secret(value));
  return path;
}

const reveal = async (file: EncryptedFile, name: string) => (await file.get(name))?.reveal();
const edit = (path: string, change: (file: Record<string, unknown>) => void) => {
  const file = JSON.parse(readFileSync(path, 'utf8'));
  change(file);
  writeFileSync(path, JSON.stringify(file));
};

describeSecrets('encrypted file', async (values) => {
  const path = await filled(values);
  return {
    secrets: open(path),
    change: async (name, value) => void (await open(path).set(name, new Secret(value))),
    close: async () => undefined,
  };
});

describe('the file of credentials', () => {
  it.each([
    ['a passphrase', PASSPHRASE],
    ['32 bytes in base64', KEY],
    ['32 bytes in base64 for URLs', Buffer.alloc(32, 0xfb).toString('base64url')],
    ['32 bytes in hexadecimal', 'aB'.repeat(32)],
  ])('is written and read with %s', async (_what, key) => {
    const path = await filled({ A: 'väl"ue\n2' }, key);
    expect(await reveal(open(path, { with: key }), 'A')).toBe('väl"ue\n2');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('shows neither names nor values, and never twice the same bytes', async () => {
    const path = await filled({ DB_PASSWORD: 'hunter2-hunter2' });
    const first = readFileSync(path, 'utf8');
    expect(first).not.toMatch(/DB_PASSWORD|hunter2/);
    expect(JSON.parse(first)).toMatchObject({ version: 1, cipher: 'aes-256-gcm' });
    await open(path).set('B', new Secret('x'));
    await open(path).remove('B');
    expect(readFileSync(path, 'utf8')).not.toBe(first);
  });

  it('says in it how the key is made of a passphrase', async () => {
    const { kdf } = JSON.parse(readFileSync(await filled({ A: 'a' }, PASSPHRASE), 'utf8'));
    expect(kdf).toMatchObject({ name: 'scrypt', N: 131_072, r: 8, p: 1 });
    expect(Buffer.from(kdf.salt, 'base64')).toHaveLength(16);
  });

  it('keeps the age of a value that is set again, and counts a new one', async () => {
    const path = newPath();
    let now = 1000;
    const file = open(path, { clock: { now: () => now } });
    expect(await file.set('A', new Secret('one'))).toBe('created');
    now = 2000;
    expect(await file.set('A', new Secret('one'))).toBe('unchanged');
    expect(await file.list()).toEqual([{ name: 'A', createdAt: 1000, changedAt: 1000 }]);
    expect(await file.set('A', new Secret('two'))).toBe('changed');
    expect(await file.about('A')).toEqual({ store: 'encrypted_file', changedAt: 2000 });
    expect(await file.list()).toEqual([{ name: 'A', createdAt: 1000, changedAt: 2000 }]);
  });

  it('is read again when somebody else has changed it', async () => {
    const path = await filled({ A: 'old' });
    const reader = open(path);
    expect(await reveal(reader, 'A')).toBe('old');
    await open(path).set('A', new Secret('new'));
    expect(await reveal(reader, 'A')).toBe('new');
  });

  it('is read again on demand even where it looks as before', async () => {
    const path = await filled({ A: 'old' });
    const reader = open(path);
    expect(await reveal(reader, 'A')).toBe('old');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/\}\s*$/, ' }'));
    utimesSync(path, 1, 1);
    expect(await reveal(reader, 'A')).toBe('old');
    reader.refresh();
    expect(await reveal(reader, 'A')).toBe('old');
  });

  it('that is made later counts from then on', async () => {
    const path = newPath();
    const reader = open(path);
    expect(await reveal(reader, 'A')).toBeUndefined();
    await open(path).set('A', new Secret('now'));
    expect(await reveal(reader, 'A')).toBe('now');
  });

  it('that somebody has named must be there', async () => {
    await expect(open(newPath(), { required: true }).get('A')).rejects.toMatchObject({
      kind: 'config',
      code: 'credentials_missing',
    });
  });

  it('warns once when others may read it', async () => {
    const path = await filled({ A: 'a' });
    chmodSync(path, 0o644);
    warnings.length = 0;
    const reader = open(path);
    await reader.get('A');
    reader.refresh();
    await reader.get('A');
    expect(warnings).toEqual([expect.stringMatching(/mode 644.*chmod 600/)]);
    await open(path).set('A', new Secret('b'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each(['', '1A', 'A B', 'A-B', 'ä', '__proto__'])('refuses the name %j', async (name) => {
    await expect(open(newPath()).set(name, new Secret('x'))).rejects.toMatchObject({ code: 'invalid_name' });
  });

  it.each(['short', '', 'elevenchars'])('refuses the new key %j', async (key) => {
    const code = key === '' ? 'encryption_key_missing' : 'weak_encryption_key';
    await expect(open(newPath(), { with: key }).set('A', new Secret('x'))).rejects.toMatchObject({ code });
  });

  it('leaves nothing beside it but the lock, and follows a link', async () => {
    const place = join(folder.path, 'alone');
    mkdirSync(place);
    const path = join(place, 'real.enc');
    await open(path).set('A', new Secret('a'));
    symlinkSync(path, join(place, 'link.enc'));
    await open(join(place, 'link.enc')).set('A', new Secret('b'));
    expect(await reveal(open(path), 'A')).toBe('b');
    expect(readdirSync(place).sort()).toEqual(['link.enc', 'link.enc.lock', 'real.enc', 'real.enc.lock']);
  });

  it('loses nothing when many write at once', async () => {
    const path = newPath();
    const names = Array.from({ length: 20 }, (_, index) => `N${index}`);
    await Promise.all(names.map((name) => open(path).set(name, new Secret(`value of ${name}`))));
    expect((await open(path).list()).map(({ name }) => name)).toEqual([...names].sort());
  });
});

describe('a new key', () => {
  it('replaces the old one at once, ages and values stay', async () => {
    const path = await filled({ A: 'a', B: 'b' });
    const before = await open(path).list();
    expect(await open(path).rotateKey(new Secret(PASSPHRASE))).toBe(2);
    await expect(open(path).get('A')).rejects.toMatchObject({ code: 'wrong_encryption_key' });
    expect(await open(path, { with: PASSPHRASE }).list()).toEqual(before);
    expect(await reveal(open(path, { with: PASSPHRASE }), 'B')).toBe('b');
  });

  it.each([
    ['a passphrase', PASSPHRASE],
    ['32 bytes', randomBytes(32).toString('hex')],
  ])('is taken up without a restart by whoever asks for the key anew: %s', async (_what, next) => {
    const path = await filled({ A: 'a' });
    let key = KEY;
    const reader = open(path, { key: async () => new Secret(key) });
    expect(await reveal(reader, 'A')).toBe('a');
    await open(path).rotateKey(new Secret(next));
    await expect(reader.get('A')).rejects.toMatchObject({ code: 'wrong_encryption_key' });
    key = next;
    expect(await reveal(reader, 'A')).toBe('a');
  });

  it.each([
    ['same_encryption_key', KEY],
    ['weak_encryption_key', 'short'],
  ])('is refused as %s', async (code, key) => {
    const path = await filled({ A: 'a' });
    const before = readFileSync(path, 'utf8');
    await expect(open(path).rotateKey(new Secret(key))).rejects.toMatchObject({ code });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});

describe('a file that cannot be used', () => {
  const flipped = (text: unknown) => {
    const bytes = Buffer.from(String(text), 'base64');
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    return bytes.toString('base64');
  };

  it.each<[string, (path: string) => void]>([
    [
      'wrong_encryption_key',
      (path) => edit(path, (file) => Object.assign(file, { key_check: flipped(file.key_check) })),
    ],
    [
      'credentials_damaged',
      (path) => edit(path, (file) => Object.assign(file, { ciphertext: flipped(file.ciphertext) })),
    ],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { nonce: flipped(file.nonce) }))],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { ciphertext: '' }))],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { more: 1 }))],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { cipher: 'aes-128-cbc' }))],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { kdf: scrypt(2 ** 30) }))],
    ['credentials_damaged', (path) => edit(path, (file) => Object.assign(file, { kdf: scrypt(100_000) }))],
    ['credentials_too_new', (path) => edit(path, (file) => Object.assign(file, { version: 2, future: true }))],
    ['credentials_damaged', (path) => writeFileSync(path, 'root:x:0:0:secret-of-another-file')],
    ['credentials_damaged', (path) => writeFileSync(path, '')],
    ['credentials_damaged', (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 200))],
  ])('is %s, and stays as it is', async (code, spoil) => {
    const path = await filled({ A: 'a' });
    spoil(path);
    const before = readFileSync(path, 'utf8');
    for (const work of [
      (file: EncryptedFile) => file.get('A'),
      (file: EncryptedFile) => file.set('B', new Secret('b')),
      (file: EncryptedFile) => file.rotateKey(new Secret(PASSPHRASE)),
    ]) {
      const fault = await work(open(path)).catch((error) => error);
      expect(fault).toMatchObject({ kind: 'config', code });
      expect(fault.message).not.toContain('secret-of-another-file');
    }
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('is one with another key', async () => {
    const path = await filled({ A: 'a' });
    for (const key of [randomBytes(32).toString('base64'), PASSPHRASE]) {
      await expect(open(path, { with: key }).get('A')).rejects.toMatchObject({ code: 'wrong_encryption_key' });
    }
  });

  it('is a folder', async () => {
    const path = newPath();
    mkdirSync(path);
    await expect(open(path).get('A')).rejects.toMatchObject({ kind: 'config', code: 'credentials_unreadable' });
  });
});

function scrypt(N: number) {
  return { name: 'scrypt', N, r: 8, p: 1, salt: Buffer.alloc(16).toString('base64') };
}
