import { patient } from '../servers/patience';
import { freePort } from '../servers/port';
import { type PostgresqlServer, postgresql, startPostgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, eventually, faultsOf, makeDatabases, openEndToEnd } from './home';

const authentication = ['host all kept_out all reject'];

describeWithServer('a source that does not let us', postgresql({ version: 15, authentication }), (server) => {
  let databases: Databases;
  let program: EndToEnd;

  beforeAll(async () => {
    databases = await makeDatabases(server());
    await databases.source.query(`create role kept_out login password 'pass-of-kept-out'; create schema shop;
      create table shop.orders (id int primary key, updated_at timestamptz default now());
      insert into shop.orders select generate_series(1, 100)`);
    program = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await program.close();
    await databases.close();
  });

  const stored = async () => {
    const { rows } = await databases.target.query(`select count(*) as rows, sum(id) as sum from shop.shop__orders`);
    return rows[0];
  };
  const connection = (changes: object) => {
    const document = documentOf(server(), 'shop');
    return { ...document, connection: { ...document.connection, ...changes } };
  };

  it.each([
    ['unknown keys', { tabels: [] }, 'tabels', 'tables'],
    ['unknown keys inside', { sync_settings: { batchsize: 5 } }, 'sync_settings.batchsize', 'batch_size'],
    ['wrong types', { sync_settings: { batch_size: 'many' } }, 'sync_settings.batch_size', 'number'],
    ['an unknown type', { type: 'postgres' }, 'type', 'postgresql'],
    ['a wrong type of its own', { connection: { host: 5 } }, 'connection.host', 'string'],
  ])('%s are refused by path, and nothing is stored', async (_what, change, path, word) => {
    const before = await program.service.list();
    const document = { ...documentOf(server(), 'wrong'), ...change };
    const fault = await program.service.create(document).then(
      () => undefined,
      (error) => error,
    );
    expect(fault).toMatchObject({ kind: 'config', hint: expect.any(String) });
    expect(fault.message).toContain(path);
    expect(`${fault.message} ${fault.hint}`).toContain(word);
    expect(await program.service.list()).toEqual(before);
  });

  it('is told with what to do, and what was loaded before stays', async () => {
    await program.store(connection({}));
    expect(await program.sync('shop')).toMatchObject({ state: 'succeeded', rows: 100 });
    const before = await stored();
    const changes = [
      [{ password: 'not-the-one' }, 'authentication_failed', 'connection.password'],
      [{ username: 'kept_out', password: 'pass-of-kept-out' }, 'login_refused', 'pg_hba.conf'],
      [{ database: 'nowhere' }, 'database_missing', 'connection.database'],
    ] as const;
    for (const [change, code, hint] of changes) {
      await program.store(connection(change));
      for (const type of ['full', 'incremental'] as const) {
        const run = await program.sync('shop', type);
        expect(run).toMatchObject({ state: 'failed', fault: { kind: 'config', code } });
        expect(run.fault?.hint).toContain(hint);
      }
      expect((await program.service.status('shop')).lastFault).toMatchObject({ code });
    }
    expect(await stored()).toEqual(before);
    await program.store(connection({}));
    expect(await program.sync('shop')).toMatchObject({ state: 'succeeded', rows: 0 });
    expect(JSON.stringify(program.lines)).not.toMatch(/not-the-one|pass-of-kept-out/);
  });

  it('that cannot be reached is tried again, and the run goes on when it is there', async () => {
    await program.store(connection({ port: await freePort() }));
    const { id } = await program.service.sync('shop', { trigger: 'manual', whenRunning: 'refuse' });
    await eventually(async () => ((await program.service.run(id)).retries > 1 ? true : undefined));
    const line = program.lines.findLast(({ message }) => message === 'a run failed');
    expect(String(line?.fields.fault)).toContain('ECONNREFUSED');
    await program.service.cancel(id);
    const run = await program.service.wait(id, AbortSignal.timeout(patient(10_000)));
    expect(run.state).toBe('cancelled');
    await program.store(connection({}));
    const other: PostgresqlServer = await startPostgresql({ version: 15 });
    try {
      await program.store({
        ...connection({ port: other.port, database: 'postgres' }),
        name: 'late',
        schemas: ['public'],
      });
      await other.kill();
      const late = await program.service.sync('late', { trigger: 'manual', whenRunning: 'refuse' });
      await eventually(async () => ((await program.service.run(late.id)).retries > 0 ? true : undefined));
      await other.restart();
      const ended = await program.service.wait(late.id, AbortSignal.timeout(patient(20_000)));
      // It has no tables, which is a fault of its own.
      expect(ended.fault).toMatchObject({ code: 'no_streams' });
    } finally {
      await other.stop();
    }
  }, 60_000);

  it('reads nine of ten tables when there are no rights on one, and says which', async () => {
    const { source, target } = databases;
    await source.query(
      `create schema ten; create role nine login password 'pass-of-nine'; grant usage on schema ten to nine`,
    );
    for (let number = 0; number < 10; number++) {
      await source.query(`create table ten.t${number} (id int primary key, updated_at timestamptz default now());
        insert into ten.t${number} select generate_series(1, 10); grant select on ten.t${number} to nine`);
    }
    const document = documentOf(server(), 'ten');
    await program.store({
      ...document,
      connection: { ...document.connection, username: 'nine', password: 'pass-of-nine' },
    });
    expect(await program.sync('ten')).toMatchObject({ state: 'succeeded', rows: 100 });
    await source.query('revoke select on ten.t3 from nine; insert into ten.t3 values (11)');
    for (const type of ['full', 'incremental'] as const) {
      for (let number = 0; number < 10; number++) await source.query(`update ten.t${number} set updated_at = now()`);
      const run = await program.sync('ten', type);
      expect(run.state).toBe('partial');
      expect(run.streams.filter(({ state }) => state === 'succeeded')).toHaveLength(9);
      expect(faultsOf(run)).toEqual({
        'ten.t3': expect.objectContaining({ code: 'permission_denied', hint: expect.stringContaining('GRANT SELECT') }),
      });
      const { rows } = await target.query('select count(*) as rows from ten.ten__t3');
      expect(rows).toEqual([{ rows: '10' }]);
    }
    await source.query('grant select on ten.t3 to nine');
    expect((await program.sync('ten')).state).toBe('succeeded');
    const { rows } = await target.query('select count(*) as rows from ten.ten__t3');
    expect(rows).toEqual([{ rows: '11' }]);
  });
});
