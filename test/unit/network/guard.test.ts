import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Fault } from '../../../lib/core/fault';
import type { FoundAddress, Network } from '../../../lib/core/network';
import { guardedNetwork } from '../../../lib/network/guard';
import { startNameServer } from '../../servers/name-server';

const PRIVATE = { allowed_ip_ranges: ['10.0.0.0/8', '192.168.1.0/24', 'fd12:3456::/32', '127.0.0.1'] };

function problemOf(network: Network, address: string): string | undefined {
  try {
    network.check(address, 'db.example.com');
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ kind: 'config', code: 'address_refused' });
    return (error as Fault).message;
  }
}

describe('addresses', () => {
  it.each<[string, RegExp]>([
    ['169.254.169.254', /link-local/],
    ['169.254.170.2', /link-local/],
    ['::ffff:169.254.169.254', /link-local/],
    ['::ffff:a9fe:a9fe', /link-local/],
    ['64:ff9b::a9fe:a9fe', /link-local/],
    ['2002:a9fe:a9fe::1', /link-local/],
    ['::169.254.169.254', /link-local/],
    ['::ffff:0:169.254.169.254', /link-local/],
    ['fe80::1', /link-local/],
    ['fe80::1%eth0', /link-local/],
    ['fd00:ec2::254', /metadata service/],
    ['fd00:0ec2:0:0:0:0:0:0254', /metadata service/],
    ['100.100.100.200', /metadata service/],
    ['168.63.129.16', /metadata service/],
    ['0.0.0.0', /address of no machine/],
    ['::', /address of no machine/],
    ['224.0.0.1', /multicast/],
    ['ff02::1', /multicast/],
    ['255.255.255.255', /broadcast/],
    ['2130706433x', /is no address/],
    ['', /is no address/],
  ])('%s is never connected to', (address, message) => {
    expect(problemOf(guardedNetwork(undefined), address)).toMatch(message);
    expect(problemOf(guardedNetwork({ allowed_ip_ranges: ['0.0.0.0/0', '::/0'] }), address)).toMatch(message);
  });

  it.each(['127.0.0.1', '::1', '10.1.2.3', '203.0.113.7', '2001:db8::1'])('%s may be, without ranges', (address) =>
    expect(problemOf(guardedNetwork(undefined), address)).toBeUndefined(),
  );

  it.each<[string, boolean]>([
    ['10.255.255.255', true],
    ['::ffff:10.0.0.1', true],
    ['64:ff9b::10.0.0.1', true],
    ['11.0.0.0', false],
    ['192.168.1.255', true],
    ['192.168.2.0', false],
    ['::ffff:192.168.2.0', false],
    ['fd12:3456:7890::1', true],
    ['fd12:3457::1', false],
    ['127.0.0.1', true],
    ['127.0.0.2', false],
    ['::1', false],
  ])('%s is within the ranges: %s', (address, wanted) =>
    expect(problemOf(guardedNetwork(PRIVATE), address) === undefined).toBe(wanted),
  );

  it('in a range that is none are a fault of the configuration', () => {
    expect(() => guardedNetwork({ allowed_ip_ranges: ['10.0.0.0/8', '10.0.0.0/33'] })).toThrow(
      'network_security.allowed_ip_ranges[1]: "10.0.0.0/33" is neither an address nor a range',
    );
  });
});

async function listening(): Promise<{ server: Server; port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    seen.push(socket.localAddress ?? '');
    socket.on('error', () => undefined);
    socket.end();
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, seen };
}

function reach(network: Network, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: 'db.example.com', port, lookup: network.lookup });
    socket.once('connect', () => {
      resolve(`connected to ${socket.remoteAddress}`);
      socket.destroy();
    });
    socket.once('error', (error) => resolve(error.message));
  });
}

describe('a name that changes its answer', () => {
  it('cannot lead past the rules: what was checked is what is connected to', async () => {
    const { server, port, seen } = await listening();
    const names = await startNameServer([
      ['127.0.0.1'],
      ['127.0.0.2'],
      ['169.254.169.254'],
      ['127.0.0.2', '127.0.0.1'],
      [],
    ]);
    const network = guardedNetwork(PRIVATE, names.resolve);
    try {
      expect(await reach(network, port)).toBe('connected to 127.0.0.1');
      expect(await reach(network, port)).toContain('127.0.0.2 is in none of network_security.allowed_ip_ranges');
      expect(await reach(network, port)).toContain('169.254.169.254 is a link-local address');
      expect(await reach(network, port)).toBe('connected to 127.0.0.1');
      expect(await reach(network, port)).toMatch(/db\.example\.com/);
      expect(names.asked()).toBe(5);
      expect(seen).toEqual(['127.0.0.1', '127.0.0.1']);
    } finally {
      server.close();
      names.close();
    }
  });

  it('is asked for all addresses at once where the caller wants them', async () => {
    const names = await startNameServer([['127.0.0.2', '127.0.0.1', '10.0.0.9']]);
    const network = guardedNetwork(PRIVATE, names.resolve);
    const found = await new Promise((resolve) =>
      network.lookup('db.example.com', { all: true }, (_error, addresses) => resolve(addresses)),
    );
    expect((found as FoundAddress[]).map(({ address }) => address)).toEqual(['127.0.0.1', '10.0.0.9']);
    names.close();
  });
});
