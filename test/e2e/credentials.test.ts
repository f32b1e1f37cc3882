import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../bin/client';
import { type Home, openHome } from '../../bin/embedded';
import type { Json } from '../../lib/core/json';
import { Redactor } from '../../lib/core/secret';
import { commandLine } from '../cli/command-line';
import { type LogLine, recordingLogger } from '../contracts/recording-logger';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { SECTIONS } from '../unit/engine/specification';
import { type Databases, documentOf, makeDatabases, temporaryFolder } from './home';

const KEY = Buffer.alloc(32, 9).toString('base64');
const LONGEST_RUN_MS = patient(60_000);

describeWithServer('credentials in encrypted files', postgresql({ version: 15 }), (server) => {
  const folder = temporaryFolder();
  const [data, secure] = [join(folder, 'data'), join(folder, 'secure')];
  const env = {
    ENCRYPTION_KEY: 'the passphrase of the secure file',
    EXPLORERIO_CREDENTIALS_FOLDERS: secure,
    FIRST: 'first-password',
    SECOND: 'second-password',
  };
  let databases: Databases;
  let home: Home;
  let lines: readonly LogLine[];

  beforeAll(async () => {
    for (const path of [data, secure]) mkdirSync(path);
    databases = await makeDatabases(server());
    await databases.source.query(`create role reader login password 'first-password'; create schema shop;
      create table shop.orders (id int primary key); insert into shop.orders select generate_series(1, 10);
      grant usage on schema shop to reader; grant select on shop.orders to reader`);
    const recording = recordingLogger();
    lines = recording.lines;
    home = await openHome({
      dataFolder: data,
      destinationUrl: databases.targetUrl,
      env,
      log: recording.log,
      redactor: new Redactor(),
    });
    await home.startWork();
  });
  afterAll(async () => {
    await home?.stop();
    await databases?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const cli = (...args: string[]) => {
    const client = createClient(async (path, init) => home.app.request(path, init));
    return commandLine([...args, '--data', data], { env, connection: { client, close: async () => undefined } });
  };
  const create = (name: string, password: string, more: { readonly [key: string]: Json } = {}) => {
    const { connection, ...document } = documentOf(server(), name, { schemas: ['shop'], ...more });
    return home.service.create({ ...document, connection: { ...connection, username: 'reader', password } });
  };
  const sync = async (name: string) => {
    const { id } = await home.service.sync(name, { trigger: 'manual', whenRunning: 'refuse', type: 'full' });
    return home.service.wait(id, AbortSignal.timeout(LONGEST_RUN_MS));
  };
  const fileOf = (file_path: string) =>
    ({ ...SECTIONS.credential_store[0], file_path }) as { readonly [key: string]: Json };

  it("are taken from where the specification's example says, and anew when they change", async () => {
    const file = join(secure, 'credentials.enc');
    const set = ['secrets', 'set', 'DB_PASSWORD', '--file', file, '--key-env', 'ENCRYPTION_KEY', '--from-env'];
    expect((await cli(...set, 'FIRST')).code).toBe(0);
    const { warnings } = await create('shop', '${DB_PASSWORD}', {
      credential_store: fileOf(file),
      rotation_policy: SECTIONS.rotation_policy[0] as { readonly [key: string]: Json },
    });
    expect(warnings.filter((warning) => /credential|rotation/.test(warning))).toEqual([]);
    expect(await sync('shop')).toMatchObject({ state: 'succeeded', rows: 10 });
    await databases.source.query(`alter role reader password 'second-password'`);
    expect((await cli(...set, 'SECOND')).out).toContain('changed');
    expect(await sync('shop')).toMatchObject({ state: 'succeeded', rows: 10, retries: 0 });
    expect(await home.service.credentials()).toMatchObject([
      { name: 'DB_PASSWORD', store: 'encrypted_file', usedBy: ['shop'], state: 'ok', dueAt: expect.any(String) },
      { name: 'ENCRYPTION_KEY', store: 'environment', usedBy: ['shop'] },
    ]);
    expect((await cli('secrets', 'list')).out).toMatch(/DB_PASSWORD +encrypted file .* shop/);
  }, 60_000);

  it('may lie in the data folder, whose own file needs no section', async () => {
    writeFileSync(join(data, '.env'), `EXPLORERIO_ENCRYPTION_KEY=${KEY}\nREADER=wrong-in-env\n`);
    expect((await cli('secrets', 'set', 'READER', '--from-env', 'SECOND')).code).toBe(0);
    await create('own', '${READER}');
    expect(await sync('own')).toMatchObject({ state: 'succeeded', rows: 10 });
    expect((await cli('secrets', 'list')).out).toMatch(/READER +encrypted file .* own/);
    const next = Buffer.alloc(32, 10).toString('base64');
    writeFileSync(join(data, '.env'), `EXPLORERIO_ENCRYPTION_KEY=${KEY}\nNEXT=${next}\n`);
    const rotated = await commandLine(['secrets', 'rotate-key', '--from-env', 'NEXT', '--data', data], {
      env: { ...env, NEXT: next },
    });
    expect(rotated).toMatchObject({ code: 0 });
    expect((await sync('own')).fault).toMatchObject({ code: 'wrong_encryption_key' });
    writeFileSync(join(data, '.env'), `EXPLORERIO_ENCRYPTION_KEY=${next}\n`);
    expect(await sync('own')).toMatchObject({ state: 'succeeded', rows: 10 });
  }, 60_000);

  it.each(['/etc/passwd', '../secure-other/x', '/secure/credentials.enc'])('may not lie in %s', async (path) => {
    await expect(create('other', '${DB_PASSWORD}', { credential_store: fileOf(path) })).rejects.toMatchObject({
      issues: [
        { path: 'credential_store.file_path', message: expect.stringContaining('EXPLORERIO_CREDENTIALS_FOLDERS') },
      ],
    });
  });

  it('do not give away their own key', async () => {
    await create('greedy', '${EXPLORERIO_ENCRYPTION_KEY}');
    expect((await sync('greedy')).fault?.message).toContain('EXPLORERIO_ENCRYPTION_KEY is not set');
  });

  it('are in no log', () => {
    expect(lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toMatch(/first-password|second-password|passphrase of the/);
  });
});
