import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Row } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { patient } from '../servers/patience';
import { Files, openings } from './sqlite';

const NOBODY = 65534;
const signal = () => AbortSignal.timeout(patient(20_000));

describe('a file of SQLite', () => {
  const files = new Files();
  afterAll(() => files.remove());
  const configOf = (name: string, more: object = {}) => ({ connection: { path: files.path(name), ...more } });
  const make = (name: string, journal = 'delete') => {
    const database = files.writer(name, journal);
    database.exec('create table t (id integer primary key, n int); insert into t values (1, 1)');
    return database;
  };
  const read = async (config: object): Promise<readonly Row[]> => {
    await using source = await openSource('sqlite', config);
    const batches = await source.full(await source.schema('t'));
    return batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
  };
  const problem = async (config: object) => {
    const fault = await faultOf(() => read(config));
    await using source = await openSource('sqlite', config);
    const { steps } = await source.source.check(signal());
    const failed = steps.find(({ state }) => state === 'failed');
    expect(failed).toMatchObject({ kind: fault.kind, code: fault.code, hint: fault.hint });
    return fault;
  };

  it('is not made where it is missing, and says what else is wrong with it', async () => {
    expect(await problem(configOf('missing.db'))).toMatchObject({ kind: 'config', code: 'file_missing' });
    expect(existsSync(files.path('missing.db'))).toBe(false);
    mkdirSync(files.path('folder'));
    expect(await problem(configOf('folder'))).toMatchObject({ kind: 'config', code: 'not_a_database' });
    writeFileSync(files.path('text.db'), 'This is not a database. '.repeat(100));
    expect(await problem(configOf('text.db'))).toMatchObject({
      kind: 'config',
      code: 'not_a_database',
      hint: expect.stringContaining('encrypted'),
    });
    make('cut.db').close();
    const whole = readFileSync(files.path('cut.db'));
    writeFileSync(files.path('cut.db'), Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(4096, 7)]));
    expect(await faultOf(() => read(configOf('cut.db')))).toMatchObject({ kind: 'config', code: 'file_damaged' });
  });

  it('is given by a path or an address, and nothing else', async () => {
    const refused = async (connection: object, path: string, text: string) => {
      const fault = await faultOf(() => openSource('sqlite', { connection }).then(() => undefined));
      expect(fault).toMatchObject({
        code: 'invalid_config',
        issues: [{ path, message: expect.stringContaining(text) }],
      });
    };
    await refused({}, 'connection.path', 'required');
    await refused({ path: 'a.db', url: 'https://b/c' }, 'connection.path', 'not both');
    await refused({ path: 'file:/a.db' }, 'connection.path', '"url"');
    await refused({ url: 's3://bucket' }, 'connection.url', 's3://BUCKET/KEY');
    await refused({ url: 'ftp://host/key.db' }, 'connection.url', 'https://');
    make('a b%?#.db');
    expect(await read(configOf('a b%?#.db'))).toEqual([[1n, 1n]]);
    const url = new URL(`file://${files.folder}/`);
    expect(await read({ connection: { url: `${url}a%20b%25%3F%23.db` } })).toEqual([[1n, 1n]]);
  });

  it('is left as it was, with nothing beside it', async () => {
    const database = make('quiet.db');
    database.close();
    const before = statSync(files.path('quiet.db')).mtimeMs;
    expect(await read(configOf('quiet.db'))).toEqual([[1n, 1n]]);
    expect(readdirSync(files.folder).filter((name) => name.startsWith('quiet'))).toEqual(['quiet.db']);
    expect(statSync(files.path('quiet.db')).mtimeMs).toBe(before);
    expect(await openings(files.path('quiet.db'))).toBe(0);
  });

  it('is waited for while it is locked, and then given back to be tried again', async () => {
    const database = make('locked.db');
    const locker = startLocker(files.path('locked.db'));
    try {
      await locker.lock();
      setTimeout(() => locker.unlock(), 300);
      expect(await read(configOf('locked.db'))).toEqual([[1n, 1n]]);
      await locker.lock();
      const fault = await problem(configOf('locked.db', { busy_timeout: '100ms' }));
      expect(fault).toMatchObject({ kind: 'transient', code: 'file_busy' });
      await locker.unlock();
      await using source = await openSource('sqlite', configOf('locked.db'));
      const schema = await source.schema('t');
      await locker.lock();
      const waiting = source.increment(schema, 'id', undefined);
      setTimeout(() => locker.unlock(), 100);
      expect((await waiting).rows).toEqual([[1n, 1n]]);
      // Nothing of ours is left that would hold the writer up, also where a statement was refused in the middle.
      await locker.lock();
      await locker.unlock();
      database.exec('insert into t values (2, 2)');
    } finally {
      locker.end();
    }
  });

  it.each(['wal', 'delete'])('is read as of one moment while another process writes: %s', async (journal) => {
    const name = `moment-${journal}.db`;
    const database = make(name, journal);
    database.exec('delete from t');
    const accounts = 5000;
    const insert = database.prepare('insert into t values (?, 100)');
    database.exec('begin');
    for (let id = 1; id <= accounts; id++) insert.run([id]);
    database.exec('commit');
    database.close();
    const writer = startWriter(files.path(name), accounts);
    try {
      await once(writer.stdout, 'data');
      await using source = await openSource('sqlite', configOf(name));
      for (let round = 0; round < 5; round++) {
        const schema = await source.schema('t');
        const { parts } = await source.partitions(schema, { want: 3 });
        const sums = await Promise.all(
          parts.map(async (part) => {
            let sum = 0;
            for await (const batch of source.part(schema, part, { size: { rows: 50, bytes: 1 << 20 } })) {
              if (batch.kind === 'rows') for (const [, n] of batch.rows) sum += Number(n);
            }
            return sum;
          }),
        );
        expect(sums.reduce((left, right) => left + right)).toBe(accounts * 100);
      }
    } finally {
      const exit = once(writer, 'exit');
      writer.stdin.end();
      expect(await exit).toEqual([0, null]);
    }
  });

  it('in WAL mode can lie in a folder where nobody may write', async () => {
    make('still.db', 'wal').close();
    // Only then are its -wal and -shm removed.
    await openings(files.path('still.db'));
    make('written.db', 'wal');
    chmodSync(files.folder, 0o555);
    try {
      // Its -wal is there, as its writer is.
      expect(await asNobody(() => read(configOf('written.db')))).toEqual([[1n, 1n]]);
      expect(readdirSync(files.folder).filter((name) => name.startsWith('still.db-'))).toEqual([]);
      expect(await asNobody(() => read(configOf('still.db')))).toEqual([[1n, 1n]]);
      expect(readdirSync(files.folder).filter((name) => name.startsWith('still.db-'))).toEqual([]);
      chmodSync(files.path('still.db'), 0o600);
      expect(await asNobody(() => problem(configOf('still.db')))).toMatchObject({
        kind: 'config',
        code: 'file_unreadable',
      });
    } finally {
      chmodSync(files.folder, 0o755);
    }
  });
});

/** Root may write everywhere. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** Another process that locks the file: within one, another library would not notice. */
function startLocker(path: string) {
  const script = `
    const Database = require('libsql');
    const database = new Database(${JSON.stringify(path)});
    database.pragma('busy_timeout = 5000');
    require('node:readline').createInterface(process.stdin).on('line', (sql) => {
      database.exec(sql);
      console.log(sql);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const order = async (sql: string) => {
    const done = once(child.stdout, 'data');
    child.stdin.write(`${sql}\n`);
    await done;
  };
  return { lock: () => order('begin exclusive'), unlock: () => order('commit'), end: () => child.stdin.end() };
}

/** Another process that moves amounts between accounts until its input ends. */
function startWriter(path: string, accounts: number) {
  const script = `
    const Database = require('libsql');
    const database = new Database(${JSON.stringify(path)});
    database.pragma('busy_timeout = 10000');
    const move = database.prepare('update t set n = n + ? where id = ?');
    const pick = () => 1 + Math.floor(Math.random() * ${accounts});
    let ended = false;
    process.stdin.resume().on('end', () => { ended = true; });
    const round = () => {
      database.exec('begin immediate');
      for (let index = 0; index < 20; index++) { move.run([1, pick()]); move.run([-1, pick()]); }
      database.exec('commit');
      process.stdout.write('.');
      if (ended) process.exit(0);
      setImmediate(round);
    };
    round();`;
  return spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}
