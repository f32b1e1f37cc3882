import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileStores } from '../../../lib/adapters/embedded/credential-stores';
import { EncryptedFile } from '../../../lib/adapters/embedded/encrypted-file';
import { Redactor, Secret } from '../../../lib/core/secret';
import { MemorySecrets } from '../../memory/secrets';
import { temporaryFolder } from './temporary';

const KEY = 'k'.repeat(40);
const folder = temporaryFolder();
const data = join(folder.path, 'data');
const secure = join(folder.path, 'secure');
const elsewhere = join(folder.path, 'elsewhere');
const environment = new MemorySecrets({ ENCRYPTION_KEY: KEY, A: 'a of the environment', B: 'b of the environment' });
const redactor = new Redactor();

const stores = () =>
  new FileStores({
    dataFolder: data,
    folders: [secure, 'relative', join(folder.path, 'not-there')],
    environment,
    redactor,
    clock: { now: () => 1 },
    warn: () => undefined,
  });

const storeOf = (file_path: string, encryption_key = '${ENCRYPTION_KEY}') =>
  ({ type: 'encrypted_file', encryption_key, file_path }) as const;

async function write(path: string, values: { readonly [name: string]: string }): Promise<void> {
  const file = new EncryptedFile({
    path,
    key: async () => new Secret(KEY),
    keyName: 'KEY',
    required: false,
    clock: { now: () => 1 },
    warn: () => undefined,
  });
  for (const [name, value] of Object.entries(values)) await file.set(name, new Secret(value));
}

beforeAll(async () => {
  for (const path of [data, secure, elsewhere]) mkdirSync(path);
  await write(join(secure, 'credentials.enc'), { A: 'a of the file', ENCRYPTION_KEY: 'not this one' });
  await write(join(elsewhere, 'credentials.enc'), { A: 'a of elsewhere' });
});
afterAll(() => folder.remove());

describe('the files that documents name', () => {
  it('come before the environment, but for the key of the file', async () => {
    const secrets = stores().open(storeOf(join(secure, 'credentials.enc')));
    expect((await secrets.get('A'))?.reveal()).toBe('a of the file');
    expect((await secrets.get('B'))?.reveal()).toBe('b of the environment');
    expect(await secrets.get('C')).toBeUndefined();
    expect(await secrets.about?.('A')).toEqual({ store: 'encrypted_file', changedAt: 1 });
    expect(await secrets.about?.('B')).toEqual({ store: 'environment' });
    expect(redactor.redact(KEY)).toBe('[secret]');
  });

  it('may have their key in the document', async () => {
    const secrets = stores().open(storeOf(join(secure, 'credentials.enc'), KEY));
    expect((await secrets.get('A'))?.reveal()).toBe('a of the file');
  });

  it.each(['${OTHER_KEY}', 'x${ENCRYPTION_KEY}', '${ENCRYPTION_KEY'])('want a key that is set: %s', async (key) => {
    const secrets = stores().open(storeOf(join(secure, 'credentials.enc'), key));
    await expect(secrets.get('A')).rejects.toMatchObject({ code: 'encryption_key_missing' });
  });

  it.each(['own.enc', 'sub/own.enc', join(data, 'own.enc')])('may lie in the data folder: %s', (path) => {
    expect(stores().check(storeOf(path))).toEqual([]);
  });

  it.each([
    '/etc/passwd',
    '../elsewhere/credentials.enc',
    `${data}/../elsewhere/credentials.enc`,
    join(elsewhere, 'credentials.enc'),
    `${secure}-other/credentials.enc`,
    '.',
    '',
    data,
    'relative/../../x',
    'a\0b',
  ])('may lie nowhere else: %j', (path) => {
    expect(stores().check(storeOf(path))).toEqual([
      {
        path: 'credential_store.file_path',
        message: expect.stringContaining('EXPLORERIO_CREDENTIALS_FOLDERS'),
      },
    ]);
    expect(() => stores().open(storeOf(path))).toThrow(/EXPLORERIO_CREDENTIALS_FOLDERS/);
  });

  it('are not reached by links that lead out of the folders', async () => {
    symlinkSync(elsewhere, join(data, 'way-out'));
    symlinkSync(join(elsewhere, 'credentials.enc'), join(data, 'link.enc'));
    writeFileSync(join(elsewhere, 'text'), 'something else');
    symlinkSync(join(elsewhere, 'text'), join(data, 'text'));
    for (const path of ['way-out/credentials.enc', 'link.enc', 'text']) {
      const fault = await stores()
        .open(storeOf(path))
        .get('A')
        .catch((error) => error);
      expect(fault).toMatchObject({ kind: 'config', code: 'credentials_not_allowed' });
    }
  });

  it('must be there', async () => {
    await expect(stores().open(storeOf('none.enc')).get('A')).rejects.toMatchObject({ code: 'credentials_missing' });
  });
});
