import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { guardedNetwork, type NetworkSecurity, type Resolve } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { makeCertificates } from '../servers/certificates';
import { type Intervene, startMongoProxy } from '../servers/mongo-proxy';
import { mongoServer } from '../servers/mongo-server';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf } from './mongodb';

describeWithServer('the network of MongoDB', mongoServer, (server) => {
  beforeAll(async () => {
    const client = new MongoClient(server().url);
    await client
      .db('contract')
      .collection('t')
      .insertMany([{ n: 1 }, { n: 2 }]);
    await client.close();
  });

  const signal = () => AbortSignal.timeout(patient(10_000));
  const open = (security: NetworkSecurity, changes: object = {}, resolve?: Resolve) => {
    const { connection } = configOf(server());
    const config = { connection: { ...connection, connect_timeout: '1s', ...changes } };
    return openSource('mongodb', config, guardedNetwork(security, resolve));
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
  const answering = (address: string): Resolve => {
    return (_host, _options, done) => done(null, [{ address, family: 4 }]);
  };
  const refused = { kind: 'config', code: 'address_refused', hint: expect.any(String) };

  it('lets through what is in the ranges, by address and by name', async () => {
    const ranges = { allowed_ip_ranges: ['127.0.0.0/8'] };
    expect(await rows(ranges)).toBe(2);
    expect(await rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).toBe(2);
  });

  it('refuses what is not, whoever connects', async () => {
    const ranges = { allowed_ip_ranges: ['10.0.0.0/8'] };
    await expect(rows(ranges)).rejects.toMatchObject(refused);
    await expect(rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).rejects.toMatchObject(refused);
    expect(await failedStep(ranges)).toMatchObject({ name: 'connect', code: 'address_refused' });
    await expect(rows({}, { host: 'db.example.com' }, answering('169.254.169.254'))).rejects.toMatchObject(refused);
  });

  it('never connects to a member at a refused address that the server names', async () => {
    let reached = 0;
    const trap = createServer((socket) => {
      reached++;
      socket.destroy();
    });
    trap.listen(0, '127.0.0.2');
    await once(trap, 'listening');
    const trapPort = (trap.address() as AddressInfo).port;
    let own = 0;
    const asSecondary: Intervene = (command) => {
      if (!('hello' in command || 'ismaster' in command || 'isMaster' in command)) return undefined;
      const hosts = [`127.0.0.1:${own}`, `127.0.0.2:${trapPort}`];
      const member = { ok: 1, setName: 'rs', hosts, me: hosts[0], maxWireVersion: 9, minWireVersion: 0 };
      return { ...member, secondary: true, isWritablePrimary: false, ismaster: false, localTime: new Date() };
    };
    const proxy = await startMongoProxy(server().port, asSecondary);
    own = proxy.port;
    try {
      const changes = { port: proxy.port, replica_set: 'rs' };
      const ranges = { allowed_ip_ranges: ['127.0.0.1'] };
      await expect(rows(ranges, changes)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('127.0.0.2'),
      });
      expect(reached).toBe(0);
      await using source = await open(ranges, { ...changes, read_preference: 'secondary' });
      expect((await source.source.discover(signal())).length).toBe(1);
      expect(reached).toBe(0);
    } finally {
      await proxy.close();
      trap.close();
    }
  });

  it('asks for encryption, and verifies the server', async () => {
    await expect(open({ require_ssl: true })).rejects.toMatchObject({ issues: [{ path: 'connection.ssl' }] });
    const folder = mkdtempSync(join(tmpdir(), 'explorerio-mongo-tls-'));
    const { ca } = makeCertificates(folder, 'reader');
    const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
    rmSync(folder, { recursive: true });
    const proxy = await startMongoProxy(server().port, undefined, { cert, key });
    const { port } = proxy;
    try {
      expect(await rows({ require_ssl: true }, { port, ssl: { ca } })).toBe(2);
      await expect(rows({}, { port, ssl: true })).rejects.toMatchObject({ kind: 'config', code: 'tls_untrusted' });
      expect(await failedStep({}, { port, ssl: true })).toMatchObject({ name: 'tls', code: 'tls_untrusted' });
      expect(await rows({ ssl_verification: false }, { port, ssl: true })).toBe(2);
      await expect(rows({}, { port: server().port, ssl: { ca } })).rejects.toMatchObject({ kind: expect.anything() });
    } finally {
      await proxy.close();
    }
  });
});
