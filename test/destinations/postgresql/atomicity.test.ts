import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Row } from '../../../lib/core/batch';
import type { Destination } from '../../../lib/core/destination';
import { Fault } from '../../../lib/core/fault';
import { INCREMENT } from '../../../lib/core/position';
import { openDestination } from '../../../lib/destinations';
import { column, options, orders, rowBatch } from '../../contracts/destination-harness';
import { patient } from '../../servers/patience';
import { type PostgresqlServer, postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';
import { startCuttingProxy } from './cutting-proxy';

const schema = orders();
const slice = { integration: 'shop', stream: 'orders', partition: INCREMENT };

async function open(server: PostgresqlServer, namespace: string, port = server.port): Promise<Destination> {
  const { user, password, database } = server;
  const config = { host: '127.0.0.1', port, username: user, database, password: password || 'none' };
  return openDestination('postgresql', config, { integration: 'shop', namespace, deletes: 'hard' }, { log: silent });
}

describeWithServer('atomicity on PostgreSQL 15', postgresql({ version: 15 }), (server) => {
  it.each(['request', 'answer'] as const)(
    'loses or doubles nothing, wherever the connection ends (%s)',
    async (way) => {
      const namespace = `cut_${way}`;
      const proxy = await startCuttingProxy(server().port);
      const destination = await open(server(), namespace, proxy.port);
      await destination.prepare(slice, schema);
      await destination.claim(slice, 1);
      let cuts = 0;
      for (let nth = 1; nth < 200; nth++) {
        const before = (await destination.claim(slice, 1))?.value ?? 0;
        const next = Number(before) + 1;
        const rejected = [{ row: [BigInt(next), 'bad'], schema, reasons: [{ message: 'bad' }] }];
        proxy.cutAt(way, nth);
        const outcome = await destination
          .write(rowBatch(schema, [[BigInt(next), `row ${next}`]], next), slice, options(1, { rejected }))
          .catch((error: unknown) => error);
        const cut = proxy.wasCut;
        proxy.cutAt(way, 0);
        if (cut) {
          cuts++;
          expect(outcome).toBeInstanceOf(Fault);
          expect(outcome).toMatchObject({ kind: 'transient' });
        }
        const position = Number((await destination.claim(slice, 1))?.value ?? 0);
        const [counts] = await query(
          server(),
          `SELECT (SELECT count(*) FROM ${namespace}.orders) AS rows, (SELECT count(*) FROM ${namespace}._explorerio_quarantine) AS bad`,
        );
        expect(counts).toEqual({ rows: String(position), bad: String(position) });
        if (!cut) break;
      }
      expect(cuts).toBeGreaterThan(8);
      await destination.close();
      await proxy.close();
    },
  );

  it('is transient and writes nothing half when the server dies in mid-write, and goes on afterwards', async () => {
    const destination = await open(server(), 'restart');
    await destination.prepare(slice, schema);
    await destination.claim(slice, 1);
    async function* body() {
      for (let id = 0; id < 40; id++) {
        yield Buffer.from(`${id}\tx\n`.repeat(5000));
        if (id === 20) await server().kill();
        await sleep(1);
      }
    }
    const batch = {
      kind: 'bytes',
      schema,
      after: { format: 1, value: 1 },
      format: 'pgcopy-text',
      body: body(),
    } as const;
    await expect(destination.write(batch, slice, options())).rejects.toMatchObject({ kind: 'transient' });
    await expect(destination.claim(slice, 1)).rejects.toMatchObject({ kind: 'transient' });
    await server().restart();
    expect(await destination.claim(slice, 1)).toBeUndefined();
    expect(await query(server(), 'SELECT * FROM restart.orders')).toEqual([]);
    await destination.write(rowBatch(schema, [[1n, 'a']]), slice, options());
    expect(await query(server(), 'SELECT id FROM restart.orders')).toEqual([{ id: '1' }]);
    await destination.close();
  });

  it('ends within five seconds of its signal, also while it waits for a lock, and writes nothing', async () => {
    const destination = await open(server(), 'interrupted');
    await destination.prepare(slice, schema);
    await destination.claim(slice, 1);
    const blocker = new Client({ connectionString: server().url });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE interrupted.orders IN ACCESS EXCLUSIVE MODE');
    const controller = new AbortController();
    const writing = destination.write(rowBatch(schema, [[1n, 'a']]), slice, options(1, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 200);
    const start = Date.now();
    await expect(writing).rejects.toMatchObject({ kind: 'transient', code: 'aborted' });
    expect(Date.now() - start).toBeLessThan(patient(5000));
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(await query(server(), 'SELECT * FROM interrupted.orders')).toEqual([]);
    await destination.close();
  });

  it('finds the records that the server refuses, whatever the reason, and loads the others', async () => {
    const many = orders([column('id', 'int64'), column('uid', 'uuid'), column('doc', 'json'), column('day', 'date')]);
    const destination = await open(server(), 'refused');
    await destination.prepare(slice, many);
    await destination.claim(slice, 1);
    await query(server(), 'ALTER TABLE refused.orders ADD CONSTRAINT positive CHECK (id >= 0)');
    const uid = '00000000-0000-0000-0000-00000000000a';
    const rows: Row[] = Array.from({ length: 1000 }, (_, id) => [BigInt(id), uid, '{}', '2024-02-29']);
    rows[10] = [10n, 'not a uuid', '{}', null];
    rows[500] = [500n, uid, '{broken', null];
    rows[501] = [501n, uid, '"\\u0000"', null];
    rows[998] = [998n, uid, '{}', '0000-00-00'];
    rows[999] = [-1n, uid, '{}', null];
    expect(await destination.write(rowBatch(many, rows), slice, options())).toMatchObject({
      rows: 995,
      quarantined: 5,
    });
    const records = await destination.quarantined({ limit: 10 });
    expect(records.map(({ record }) => record.id).sort()).toEqual(['-1', '10', '500', '501', '998']);
    expect(await query(server(), 'SELECT count(*) FROM refused.orders')).toEqual([{ count: '995' }]);
    await destination.close();
  });

  it('tells the owner when the schema was removed, and builds it anew', async () => {
    const destination = await open(server(), 'removed');
    await destination.prepare(slice, schema);
    await destination.claim(slice, 1);
    await query(server(), 'DROP SCHEMA removed CASCADE');
    await expect(destination.claim(slice, 1)).rejects.toMatchObject({ kind: 'lost', code: 'tables_gone' });
    expect((await destination.prepare(slice, schema)).changes).toEqual(['created table orders']);
    await query(server(), 'DROP TABLE removed.orders');
    await destination.claim(slice, 1);
    const writing = destination.write(rowBatch(schema, [[1n, 'a']]), slice, options());
    await expect(writing).rejects.toMatchObject({ kind: 'lost', code: 'table_gone' });
    await destination.close();
  });

  it('refuses a table that is not its own, naming it, and a role that may not create', async () => {
    await query(server(), 'CREATE SCHEMA owned; CREATE TABLE owned.orders (id int)');
    const destination = await open(server(), 'owned');
    await expect(destination.prepare(slice, schema)).rejects.toMatchObject({
      kind: 'config',
      code: 'table_not_ours',
      message: expect.stringContaining('owned.orders'),
    });
    await destination.close();
    await query(server(), `CREATE ROLE guest LOGIN PASSWORD 'guest-password'`);
    const config = {
      host: '127.0.0.1',
      port: server().port,
      username: 'guest',
      password: 'guest-password',
      database: server().database,
    };
    const context = { integration: 'shop', namespace: 'forbidden', deletes: 'hard' } as const;
    const guest = await openDestination('postgresql', config, context, { log: silent });
    await expect(guest.prepare(slice, schema)).rejects.toMatchObject({
      kind: 'config',
      code: 'permission_denied',
      hint: expect.stringContaining('CREATE SCHEMA'),
    });
    const report = await guest.check(new AbortController().signal);
    expect(report.steps.find(({ state }) => state === 'failed')).toMatchObject({
      name: 'permissions',
      hint: expect.stringContaining('CREATE SCHEMA'),
    });
    expect(report.steps.at(-1)).toMatchObject({ name: 'read', state: 'skipped' });
    await guest.close();
  });

  it.each([
    ['connect', { port: 1 }],
    ['database', { database: 'nowhere' }],
    ['tls', { ssl: true }],
    ['resolve', { host: 'no-such-host.invalid' }],
  ])('names %s as the failed step of a check', async (name, wrong) => {
    const { port, user, password, database } = server();
    const config = { host: '127.0.0.1', port, username: user, password: password || 'none', database, ...wrong };
    const context = { integration: 'shop', namespace: 'checked', deletes: 'hard' } as const;
    const destination = await openDestination('postgresql', config, context, { log: silent });
    const { passed, steps } = await destination.check(new AbortController().signal);
    expect(passed).toBe(false);
    expect(steps.find(({ state }) => state === 'failed')).toMatchObject({ name, hint: expect.any(String) });
    await destination.close();
  });

  it('works for more writers than it has connections', async () => {
    const { port, user, password, database } = server();
    const config = {
      host: '127.0.0.1',
      port,
      username: user,
      password: password || 'none',
      database,
      max_connections: 2,
      connect_timeout: 1,
    };
    const context = { integration: 'shop', namespace: 'crowded', deletes: 'hard' } as const;
    const destination = await openDestination('postgresql', config, context, { log: silent });
    await destination.prepare(slice, schema);
    const writers = Array.from({ length: 12 }, async (_, number) => {
      const own = { ...slice, partition: String(number) };
      await destination.claim(own, 1);
      await destination.write(rowBatch(schema, [[BigInt(number), 'a']]), own, options());
    });
    await Promise.all(writers);
    expect(await query(server(), 'SELECT count(*) FROM crowded.orders')).toEqual([{ count: '12' }]);
    await destination.close();
  });
});
