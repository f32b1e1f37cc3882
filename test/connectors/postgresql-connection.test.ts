import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../contracts/open-source';
import { patient } from '../servers/patience';
import { freePort } from '../servers/port';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './postgresql';

const authentication = ['hostnossl all tls_only all reject'];

describeWithServer('connections to PostgreSQL 15', postgresql({ version: 15, tls: true, authentication }), (server) => {
  beforeAll(async () => {
    const client = await textClient(server());
    await client.query(`create table t (id int primary key); create role tls_only login password 'some-password'`);
    await client.end();
  });

  const check = async (changes: object) => {
    const { connection } = configOf(server());
    await using source = await openSource('postgresql', { connection: { ...connection, ...changes } });
    const { steps, passed } = await source.source.check(AbortSignal.timeout(patient(10_000)));
    const failed = steps.find((step) => step.state === 'failed');
    return { passed, failed: failed?.name, hint: failed?.hint ?? '', steps };
  };
  const discover = async (changes: object) => {
    const { connection } = configOf(server());
    await using source = await openSource('postgresql', { connection: { ...connection, ...changes } });
    return await source.source.discover(AbortSignal.timeout(patient(10_000)));
  };

  it('does not trust a certificate that nobody vouches for', async () => {
    expect(await check({ ssl: true })).toMatchObject({
      passed: false,
      failed: 'tls',
      hint: expect.stringContaining('ca'),
    });
    await expect(discover({ ssl: true })).rejects.toMatchObject({ kind: 'config', code: 'tls_untrusted' });
  });

  it('trusts the authority that is named, as text or as a file', async () => {
    const { ca } = server();
    expect(await check({ ssl: { ca } })).toMatchObject({ passed: true });
    const file = join(tmpdir(), `ca-${process.pid}.pem`);
    writeFileSync(file, ca ?? '');
    expect(await discover({ ssl: { ca: file } })).toHaveLength(1);
    await expect(discover({ ssl: { ca: '/no/such/file' } })).rejects.toMatchObject({
      code: 'invalid_config',
      issues: [{ path: 'connection.ssl.ca', message: expect.stringContaining('ENOENT') }],
    });
  });

  it('checks the name in the certificate, or the one that is asked for', async () => {
    const { ca } = server();
    await expect(discover({ ssl: { ca, server_name: 'db.example.com' } })).rejects.toMatchObject({
      code: 'tls_wrong_name',
    });
    expect(await check({ ssl: { ca, server_name: 'db.example.com' } })).toMatchObject({ failed: 'tls' });
    expect(await discover({ ssl: { ca, server_name: 'localhost' } })).toHaveLength(1);
    expect(await discover({ ssl: { ca, verification: 'ca', server_name: 'db.example.com' } })).toHaveLength(1);
  });

  it('leaves verification out only when told so, and warns', async () => {
    const report = await check({ ssl: { verification: 'off' } });
    expect(report.passed).toBe(true);
    expect(report.steps.find(({ name }) => name === 'tls')).toMatchObject({
      state: 'warning',
      hint: expect.any(String),
    });
  });

  it('says that the server lets this role in by TLS only', async () => {
    const login = { username: 'tls_only', password: 'some-password' };
    await expect(discover(login)).rejects.toMatchObject({
      kind: 'config',
      code: 'login_refused',
      hint: expect.stringContaining('ssl'),
    });
    expect(await discover({ ...login, ssl: { verification: 'off' } })).toHaveLength(1);
  });

  it.each([
    [{ host: 'no-such-host.invalid' }, 'resolve'],
    [{ database: 'no_such_database' }, 'authenticate'],
    [{ username: 'nobody_here' }, 'authenticate'],
    [{ password: undefined }, 'authenticate'],
    [{ password: 'wrong-password' }, 'authenticate'],
  ])('names the step that fails: %j', async (changes, step) => {
    const { passed, failed, hint } = await check(changes);
    expect({ passed, failed }).toEqual({ passed: false, failed: step });
    expect(hint).not.toBe('');
  });

  it('takes a URI, and refuses one that would not verify', async () => {
    const { host, port, database, user, password } = server();
    const uri = `postgresql://${user}:${password}@${host}:${port}/${database}`;
    await using source = await openSource('postgresql', { connection: { uri } });
    expect(await source.source.discover(AbortSignal.timeout(patient(10_000)))).toHaveLength(1);
    for (const wrong of [
      `${uri}?sslmode=require`,
      `${uri}?what=1`,
      'mysql://a:b@c/d',
      'nonsense',
      `postgresql://${host}`,
    ]) {
      await expect(openSource('postgresql', { connection: { uri: wrong } })).rejects.toMatchObject({
        code: 'invalid_config',
        issues: [{ path: 'connection.uri', message: expect.not.stringContaining(password) }],
      });
    }
  });

  it('gives up on a server that does not answer', async () => {
    await expect(discover({ port: await freePort() })).rejects.toMatchObject({
      kind: 'transient',
      code: 'unreachable',
    });
    const before = performance.now();
    await expect(discover({ host: '10.255.255.1', connect_timeout: '300ms' })).rejects.toMatchObject({
      kind: 'transient',
    });
    expect(performance.now() - before).toBeLessThan(patient(3000));
  });

  it('stops the statement at the server when it is aborted', async () => {
    const client = await textClient(server());
    await client.query('create view slow as select 1 as one, pg_sleep(60)::text as slept');
    await using source = await openSource('postgresql', configOf(server()));
    const schema = await source.schema('slow');
    const { parts } = await source.partitions(schema);
    const controller = new AbortController();
    const read = source
      .part(schema, parts[0] ?? null, { signal: controller.signal })
      [Symbol.asyncIterator]()
      .next();
    setTimeout(() => controller.abort(), 200);
    await expect(read).rejects.toMatchObject({ kind: 'transient', code: 'aborted' });
    const running = `select count(*) as n from pg_stat_activity where state = 'active' and query like 'COPY%'`;
    for (let attempt = 0; attempt < 40; attempt++) {
      if ((await client.query<{ n: string }>(running)).rows[0]?.n === '0') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await client.query<{ n: string }>(running)).rows).toEqual([{ n: '0' }]);
    await client.query('drop view slow');
    await client.end();
  });

  it('is transient when the server dies in mid-read, and works again when it is back', async () => {
    await using source = await openSource('postgresql', configOf(server()));
    const client = await textClient(server());
    await client.query(`create table many as select g as id, repeat('x', 500) as v from generate_series(1, 100000) g`);
    await client.query('checkpoint'); // the test servers keep nothing else through a power failure
    const schema = await source.schema('many');
    const { parts } = await source.partitions(schema);
    const size = { rows: 100, bytes: 1 << 20 };
    const read = async () => {
      let batches = 0;
      for await (const batch of source.part(schema, parts[0] ?? null, { size })) {
        if (batch && batches++ === 2) await server().kill();
      }
    };
    await expect(read()).rejects.toMatchObject({ kind: 'transient', hint: expect.any(String) });
    await expect(source.source.discover(AbortSignal.timeout(patient(10_000)))).rejects.toMatchObject({
      kind: 'transient',
    });
    await server().restart();
    await expect(read()).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
    const rows = (await source.full(schema)).flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    expect(rows).toHaveLength(100_000);
  });
});
