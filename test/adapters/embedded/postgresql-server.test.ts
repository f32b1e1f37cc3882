import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { type EmbeddedPostgresql, startEmbeddedPostgresql } from '../../../lib/adapters/embedded/postgresql-server';
import { silentLog } from '../../memory/scheduler';
import { type Child, startChild } from './children';
import { temporaryFolder } from './temporary';

const isRoot = process.getuid?.() === 0;

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const postmasterPid = (folder: string) =>
  Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

async function ended(pid: number): Promise<void> {
  for (let alive = true; alive; ) {
    try {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 10));
    } catch {
      alive = false; // ESRCH
    }
  }
}

describe('embedded PostgreSQL', () => {
  const temporary = temporaryFolder();
  const folder = join(temporary.path, 'data-folder', 'postgresql');
  let server: EmbeddedPostgresql | undefined;
  let child: Child | undefined;
  const start = async () => {
    server = await startEmbeddedPostgresql(folder, silentLog);
    return server;
  };

  beforeAll(() => {
    chmodSync(temporary.path, 0o711);
    mkdirSync(join(temporary.path, 'data-folder'), { mode: 0o711 });
  });
  afterEach(async () => {
    await child?.kill();
    await server?.stop();
  });
  afterAll(() => temporary.remove());

  it('is made, answers, and is set up for a laptop', async () => {
    const { url, host, port, user, password, attached } = await start();
    expect({ host, user, attached }).toEqual({ host: '127.0.0.1', user: 'explorerio', attached: false });
    expect(port).toBeLessThan(32768);
    expect(new URL(url).password).toBe(encodeURIComponent(password));
    const names = [
      'listen_addresses',
      'unix_socket_directories',
      'wal_level',
      'max_wal_size',
      'shared_buffers',
      'fsync',
    ];
    const [settings] = await query(
      url,
      `SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join()}`,
    );
    expect(settings).toEqual({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      wal_level: 'logical',
      max_wal_size: '2GB',
      shared_buffers: '256MB',
      fsync: 'on',
    });
    const [text] = await query(
      url,
      "SELECT current_setting('server_encoding') AS encoding, lower('ÄÉЖ') AS lower, 'Z' < 'a' AS bytewise",
    );
    expect(text).toEqual({ encoding: 'UTF8', lower: 'äéж', bytewise: true });
  });

  it('keeps its password and data to itself', async () => {
    const { host, port } = await start();
    expect(statSync(join(folder, 'server.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data')).mode & 0o077).toBe(0);
    expect(existsSync(join(folder, 'server.log'))).toBe(true);
    const wrong = query(`postgresql://explorerio:wrong@${host}:${port}/postgres`, 'SELECT 1');
    await expect(wrong).rejects.toMatchObject({ code: '28P01' });
    if (isRoot) expect(statSync(join(folder, 'data')).uid).not.toBe(0);
  });

  it('creates databases, of any name and only once', async () => {
    const { createDatabase } = await start();
    const name = 'Größe "x" 🚀';
    const url = await createDatabase(name);
    expect(await createDatabase(name)).toBe(url);
    expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name }]);
    await Promise.all([createDatabase('twice'), createDatabase('twice')]);
  });

  it('has the same port, password and rows after a stop, which takes its clients along', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    const idle = new Client({ connectionString: first.url });
    const cut = new Promise((resolve) => idle.on('error', resolve));
    await idle.connect();
    const pid = postmasterPid(folder);
    await first.stop();
    await cut;
    await ended(pid);
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(second.attached).toBe(false);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('is found again by the next process when ours is killed', async () => {
    child = startChild('server', folder);
    await child.until(1);
    const { url } = child.lines[0] as { url: string };
    const pid = postmasterPid(folder);
    await child.kill();
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    const second = await start();
    expect(second).toMatchObject({ url, attached: true });
    expect(postmasterPid(folder)).toBe(pid);
    await second.stop();
    await ended(pid);
  });

  it('recovers after it was killed itself', async () => {
    const first = await start();
    await query(first.url, 'INSERT INTO kept VALUES (2)');
    const pid = postmasterPid(folder);
    process.kill(pid, 'SIGKILL');
    await ended(pid);
    expect(existsSync(join(folder, 'data', 'postmaster.pid'))).toBe(true);
    const second = await start();
    expect(second.attached).toBe(false);
    expect(await query(second.url, 'SELECT n FROM kept ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('starts when another process has got the number in a stale postmaster.pid', async () => {
    const first = await start();
    await first.stop();
    const lines = [process.pid, join(folder, 'data'), 1, first.port, '', '127.0.0.1', '', 'ready'];
    writeFileSync(join(folder, 'data', 'postmaster.pid'), `${lines.join('\n')}\n`, { mode: 0o644 });
    const second = await start();
    expect(second.attached).toBe(false);
    expect(await query(second.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 2 }]);
  });

  it('takes another port when its own is taken', async () => {
    const first = await start();
    await first.stop();
    const other = await listen(first.port);
    try {
      const second = await start();
      expect(second.port).not.toBe(first.port);
      await second.stop();
      expect((await start()).port).toBe(second.port);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('begins anew where a killed process left it half made', async () => {
    const half = join(temporary.path, 'half', 'postgresql');
    mkdirSync(join(half, 'data.1.new', 'base'), { recursive: true });
    writeFileSync(join(half, 'data.1.new.password'), 'x');
    server = await startEmbeddedPostgresql(half, silentLog);
    expect(existsSync(join(half, 'data.1.new'))).toBe(false);
    expect(existsSync(join(half, 'data.1.new.password'))).toBe(false);
  });

  it.each([
    ['server_password_lost', (path: string) => rmSync(join(path, 'server.json'))],
    ['server_version', (path: string) => writeFileSync(join(path, 'data', 'PG_VERSION'), '15\n')],
    ['server_password_refused', (path: string) => changePassword(path)],
    ['server_not_started', (path: string) => writeFileSync(join(path, 'data', 'postgresql.conf'), 'nonsense = 1\n')],
  ])('says %s, with what to do', async (code, damage) => {
    const path = join(temporary.path, code, 'postgresql');
    await (await startEmbeddedPostgresql(path, silentLog)).stop();
    damage(path);
    const failed = startEmbeddedPostgresql(path, silentLog);
    await expect(failed).rejects.toMatchObject({ kind: 'config', code, hint: expect.stringMatching(/.{10}/) });
    if (code === 'server_not_started') await expect(failed).rejects.toThrow('nonsense');
    expect(existsSync(join(path, 'data', 'postmaster.pid'))).toBe(false);
  });
});

(isRoot ? describe : describe.skip)('embedded PostgreSQL of root in a closed folder', () => {
  const closed = temporaryFolder();
  const remembered = () =>
    JSON.parse(readFileSync(join(closed.path, 'postgresql', 'server.json'), 'utf8')) as { data: string };
  afterAll(() => {
    rmSync(remembered().data, { recursive: true, force: true });
    closed.remove();
  });

  it('keeps its data where its user can reach it, says where and finds it again', async () => {
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (message: string, fields: unknown) => warnings.push([message, fields]) };
    for (const expected of [1, 1]) {
      const server = await startEmbeddedPostgresql(join(closed.path, 'postgresql'), { ...log, with: () => silentLog });
      expect(warnings).toHaveLength(expected);
      await query(server.url, 'CREATE TABLE IF NOT EXISTS kept (n int)');
      await server.stop();
    }
    expect(JSON.stringify(warnings)).toContain(remembered().data);
    expect(existsSync(join(remembered().data, 'PG_VERSION'))).toBe(true);
  });
});

function changePassword(path: string): void {
  const file = join(path, 'server.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), password: 'another' }));
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
