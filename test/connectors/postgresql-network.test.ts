import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { guardedNetwork, type NetworkSecurity, type Resolve } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { startNameServer } from '../servers/name-server';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './postgresql';

const SSL_REQUEST = '0000000804d2162f';

/** A server that is none, and what it was sent, in hex; an empty text for a connection. */
async function listening(host: string, at: number, answer?: string) {
  const received: string[] = [];
  const server = createServer((socket) => {
    if (answer === undefined) received.push('');
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      received.push(data.toString('hex'));
      if (answer !== undefined) socket.write(answer);
    });
  });
  server.listen(at, host);
  await once(server, 'listening');
  return { received, port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

describeWithServer('the network rules of PostgreSQL 15', postgresql({ version: 15, tls: true }), (server) => {
  beforeAll(async () => {
    const client = await textClient(server());
    await client.query('create table t (id int primary key); insert into t select generate_series(1, 10)');
    await client.end();
  });

  const signal = () => AbortSignal.timeout(patient(10_000));
  const open = (security: NetworkSecurity, changes: object = {}, resolve?: Resolve) => {
    const { connection } = configOf(server());
    return openSource('postgresql', { connection: { ...connection, ...changes } }, guardedNetwork(security, resolve));
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
    return (_host, _options, done) => done(null, [{ address, family: address.includes(':') ? 6 : 4 }]);
  };

  it('let through what is in the ranges, by address and by name', async () => {
    const ranges = { allowed_ip_ranges: ['127.0.0.0/8'] };
    expect(await rows(ranges)).toBe(10);
    expect(await rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).toBe(10);
  });

  it('refuse what is not, whoever connects', async () => {
    const ranges = { allowed_ip_ranges: ['10.0.0.0/8'] };
    const refused = { kind: 'config', code: 'address_refused', hint: expect.stringContaining('allowed_ip_ranges') };
    await expect(rows(ranges)).rejects.toMatchObject(refused);
    await expect(rows(ranges, { host: 'db.example.com' }, answering('127.0.0.1'))).rejects.toMatchObject(refused);
    expect(await failedStep(ranges)).toMatchObject({
      name: 'connect',
      detail: expect.stringContaining('127.0.0.1 is in none of network_security.allowed_ip_ranges'),
      hint: expect.stringContaining('allowed_ip_ranges'),
    });
    const metadata = answering('169.254.169.254');
    await expect(rows({}, { host: 'db.example.com' }, metadata)).rejects.toMatchObject(refused);
  });

  it('hold for every connection, when the name changes its answer after the first', async () => {
    const trap = await listening('127.0.0.2', server().port);
    const ranges = { allowed_ip_ranges: ['127.0.0.1'] };
    // One lookup each for the steps "resolve" and "connect"; the next would log in elsewhere.
    const names = await startNameServer([['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2'], ['169.254.169.254']]);
    try {
      expect(await failedStep(ranges, { host: 'db.example.com' }, names.resolve)).toMatchObject({
        name: 'authenticate',
        detail: expect.stringContaining('127.0.0.2 is in none of network_security.allowed_ip_ranges'),
      });
      expect(await failedStep(ranges, { host: 'db.example.com' }, names.resolve)).toMatchObject({
        name: 'resolve',
        detail: expect.stringContaining('169.254.169.254 is a link-local address'),
      });
      expect(trap.received).toEqual([]);
    } finally {
      names.close();
      trap.close();
    }
  });

  it('take the allowed one of several answers, and no other', async () => {
    const trap = await listening('127.0.0.2', server().port);
    const names = await startNameServer([['127.0.0.2', '169.254.169.254', '127.0.0.1']]);
    try {
      expect(await rows({ allowed_ip_ranges: ['127.0.0.1'] }, { host: 'db.example.com' }, names.resolve)).toBe(10);
      expect(trap.received).toEqual([]);
    } finally {
      names.close();
      trap.close();
    }
  });

  it('ask for encryption before a byte is sent, and tell a server that has none nothing', async () => {
    const plain = await listening('127.0.0.1', 0, 'N');
    const { port } = plain;
    const rule = { require_ssl: true };
    try {
      for (const connection of [{ port }, { port, ssl: false }]) {
        await expect(open(rule, connection)).rejects.toMatchObject({ code: 'invalid_config' });
      }
      await expect(
        open(rule, { port, host: undefined, uri: `postgresql://u:p@127.0.0.1:${port}/d?sslmode=disable` }),
      ).rejects.toMatchObject({ issues: [{ path: 'connection.ssl' }] });
      expect(plain.received).toEqual([]);
      await expect(rows(rule, { port, ssl: true })).rejects.toMatchObject({ code: 'tls_not_offered' });
      expect(new Set(plain.received)).toEqual(new Set([SSL_REQUEST]));
    } finally {
      plain.close();
    }
  });

  it('ask for encryption', async () => {
    const { ca } = server();
    const rule = { require_ssl: true };
    await expect(open(rule, { ssl: false })).rejects.toMatchObject({
      code: 'invalid_config',
      issues: [{ path: 'connection.ssl', message: expect.stringContaining('network_security.require_ssl') }],
    });
    expect(await rows(rule, { ssl: { ca } })).toBe(10);
  });

  it('ask for a verified server, or do without', async () => {
    await expect(open({ ssl_verification: true }, { ssl: { verification: 'off' } })).rejects.toMatchObject({
      issues: [{ path: 'connection.ssl.verification', message: expect.stringContaining('ssl_verification') }],
    });
    await expect(rows({ ssl_verification: true }, { ssl: true })).rejects.toMatchObject({ code: 'tls_untrusted' });
    expect(await rows({ ssl_verification: false }, { ssl: true })).toBe(10);
    await expect(rows({ ssl_verification: false }, { ssl: { verification: 'full' } })).rejects.toMatchObject({
      code: 'tls_untrusted',
    });
  });
});
