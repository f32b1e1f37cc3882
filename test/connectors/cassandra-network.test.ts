import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Row, RowBatch } from '../../lib/core/batch';
import type { Fault } from '../../lib/core/fault';
import type { Position } from '../../lib/core/position';
import { guardedNetwork, type NetworkSecurity, type Resolve } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { sorted } from '../contracts/source-reading';
import { startCuttingProxy } from '../destinations/postgresql/cutting-proxy';
import { cassandra } from '../servers/cassandra';
import { makeCertificates } from '../servers/certificates';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, executeMany, makeKeyspace } from './cassandra';

const ROWS = 400;

describeWithServer('the network of Cassandra 5.0', cassandra(), (server) => {
  const signal = () => AbortSignal.timeout(patient(20_000));
  const run = async (...statements: string[]) => {
    for (const cql of statements) await server().client.execute(cql);
  };
  const open = (security: NetworkSecurity, changes: object = {}, resolve?: Resolve) => {
    const { connection } = configOf(server());
    return openSource('cassandra', { connection: { ...connection, ...changes } }, guardedNetwork(security, resolve));
  };
  const failedStep = async (security: NetworkSecurity, changes: object = {}, resolve?: Resolve) => {
    await using source = await open(security, changes, resolve);
    const { steps } = await source.source.check(signal());
    return steps.find((step) => step.state === 'failed');
  };
  const rows = async (security: NetworkSecurity, changes: object = {}, resolve?: Resolve) => {
    await using source = await open(security, changes, resolve);
    const batches = await source.full(await source.schema('t'));
    return batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : [])).length;
  };
  const answering = (...addresses: string[]): Resolve => {
    return (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
  };
  const refused = { kind: 'config', code: 'address_refused', hint: expect.any(String) };

  beforeAll(async () => {
    await makeKeyspace(server());
    await run('create table shop.t (id int primary key, v text)', 'create table shop.secret (id int primary key)');
    const values = Array.from({ length: ROWS }, (_, id) => [id, `value ${id}`]);
    await executeMany(server(), 'insert into shop.t (id, v) values (?, ?)', values);
    await run(
      `create role if not exists limited with password = 'limited-secret' and login = true`,
      'grant select on shop.t to limited',
    );
  });

  it('lets through what is in the ranges, by address and by name', async () => {
    const ranges = { allowed_ip_ranges: ['127.0.0.0/8'] };
    expect(await rows(ranges)).toBe(ROWS);
    expect(await rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).toBe(ROWS);
  });

  it('refuses what is not', async () => {
    const ranges = { allowed_ip_ranges: ['10.0.0.0/8'] };
    await expect(rows(ranges)).rejects.toMatchObject(refused);
    await expect(rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).rejects.toMatchObject(refused);
    expect(await failedStep(ranges)).toMatchObject({ name: 'connect', code: 'address_refused' });
    await expect(rows({}, { host: 'db.example.com' }, answering('169.254.169.254'))).rejects.toMatchObject(refused);
  });

  it('never connects to a node that the cluster names and the rules refuse', async () => {
    const arrived: string[] = [];
    const trap = createServer((socket) => {
      arrived.push(socket.localAddress ?? '');
      socket.destroy();
    });
    trap.listen(server().port, '127.0.0.2');
    await once(trap, 'listening');
    await run(`insert into system.peers (peer, rpc_address, data_center, rack, release_version, host_id, tokens)
      values ('127.0.0.2', '127.0.0.2', 'datacenter1', 'rack1', '5.0.9', 50554d6e-29bb-41e5-b345-feff819cdc9f, {'17'})`);
    try {
      expect(await rows({ allowed_ip_ranges: ['127.0.0.1'] })).toBe(ROWS);
      expect(arrived).toEqual([]);
      // The same node, where nothing forbids it: the trap would have noticed.
      expect(await rows({ allowed_ip_ranges: ['127.0.0.0/8'] })).toBe(ROWS);
      expect(arrived).toContain('127.0.0.2');
      // Nor is it connected to beyond max_connections.
      arrived.length = 0;
      expect(await rows({}, { max_connections: 1 })).toBe(ROWS);
      expect(arrived).toEqual([]);
    } finally {
      await run(`delete from system.peers where peer = '127.0.0.2'`);
      trap.close();
    }
  });

  it('tries the other contact points where one does not answer', async () => {
    expect(await rows({}, { host: undefined, contact_points: ['127.0.0.3', '127.0.0.1'] })).toBe(ROWS);
    const unknown = await open({}, { local_data_center: 'nowhere' });
    await expect(unknown.schema('t')).rejects.toMatchObject({
      kind: 'config',
      code: 'data_center_unknown',
      hint: expect.stringContaining('datacenter1'),
    });
    await unknown.source.close();
  });

  it('asks for encryption before a byte is sent, and verifies whom it speaks to', async () => {
    const rule = { require_ssl: true };
    await expect(open(rule)).rejects.toMatchObject({ code: 'invalid_config', issues: [{ path: 'connection.ssl' }] });
    await expect(rows({}, { ssl: true })).rejects.toMatchObject({ kind: 'config' });
    const folder = mkdtempSync(join(tmpdir(), 'explorerio-tls-'));
    const { ca } = makeCertificates(folder, 'nobody');
    const file = (name: string) => readFileSync(join(folder, name));
    const proxy = createTlsServer({ cert: file('server.crt'), key: file('server.key') }, (client) => {
      const upstream = connect(server().port, '127.0.0.1');
      client.on('error', () => upstream.destroy()).pipe(upstream);
      upstream.on('error', () => client.destroy()).pipe(client);
    });
    proxy.on('tlsClientError', () => undefined);
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    try {
      expect(await rows(rule, { port, ssl: { ca } })).toBe(ROWS);
      expect(await rows(rule, { port, host: 'localhost', ssl: { ca } }, answering('127.0.0.1'))).toBe(ROWS);
      expect(await failedStep({}, { port, ssl: { ca } })).toBeUndefined();
      await expect(rows({}, { port, ssl: true })).rejects.toMatchObject({ code: 'tls_untrusted' });
      expect(await failedStep({}, { port, ssl: true })).toMatchObject({ name: 'tls', code: 'tls_untrusted' });
      const wrongName = { port, ssl: { ca, server_name: 'db.example.com' } };
      await expect(rows({}, wrongName)).rejects.toMatchObject({ code: 'tls_wrong_name' });
      expect(await rows({}, { port, ssl: { verification: 'off' } })).toBe(ROWS);
    } finally {
      proxy.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('may be cut at any moment: what was read before is not read again, and nothing is missing', async () => {
    const proxy = await startCuttingProxy(server().port);
    const size = { rows: 40, bytes: 1 << 20 };
    const changes = { port: proxy.port };
    const seen: Row[] = [];
    const faults = new Set<string>();
    let from: Position | undefined;
    try {
      for (let attempt = 1; attempt < 20; attempt++) {
        await using source = await open({}, changes);
        const schema = await source.schema('t');
        proxy.cutAt('answer', 9);
        try {
          for await (const batch of source.part(schema, null, { size, ...(from && { from }) })) {
            seen.push(...(batch as RowBatch).rows);
            from = JSON.parse(JSON.stringify(batch.after)) as Position;
          }
          break;
        } catch (error) {
          const { kind, code } = error as Fault;
          expect(kind).toBe('transient');
          faults.add(code);
        }
      }
    } finally {
      await proxy.close();
    }
    expect(faults.size).toBeGreaterThan(0);
    expect(new Set(seen.map(([id]) => id)).size).toBe(ROWS);
    expect(sorted(seen)).toHaveLength(ROWS);
  });

  it('reads what may be read, and reports the table that may not', async () => {
    const login = { username: 'limited', password: 'limited-secret' };
    await using source = await open({}, login);
    const infos = await source.source.discover(signal());
    const unreadable = infos.filter((info) => info.unreadable);
    expect(unreadable.map((info) => [info.schema.stream, info.unreadable?.code])).toEqual([
      ['secret', 'permission_denied'],
    ]);
    const { passed, steps } = await source.source.check(signal());
    expect(passed).toBe(true);
    expect(steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('1 of 2 tables can be read; not secret'),
      hint: expect.stringContaining('GRANT SELECT'),
    });
    expect(await rows({}, login)).toBe(ROWS);
    await expect(source.full({ stream: 'secret', key: ['id'], columns: [] })).rejects.toMatchObject({
      kind: 'config',
      code: 'permission_denied',
    });
  });

  it('tells a keyspace or table that is not there from one that was dropped while it was read', async () => {
    await using nowhere = await open({}, { keyspace: 'Shop' });
    await expect(nowhere.source.discover(signal())).rejects.toMatchObject({ code: 'keyspace_missing' });
    await run('create table shop.dropped (id int primary key)');
    const values = Array.from({ length: 3000 }, (_, id) => [id]);
    await executeMany(server(), 'insert into shop.dropped (id) values (?)', values);
    await using source = await open({});
    const schema = await source.schema('dropped');
    const reading = async () => {
      for await (const batch of source.part(schema, null, { size: { rows: 10, bytes: 1 << 20 } })) {
        if (batch) await run('drop table if exists shop.dropped');
      }
    };
    await expect(reading()).rejects.toMatchObject({ kind: 'config', code: 'table_missing' });
    await expect(source.full(schema)).rejects.toMatchObject({ kind: 'config', code: 'table_missing' });
  });
});
