import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { FoundAddress, Network } from '../../core/network';
import type { Endpoint } from './endpoint';

/** The addresses of the nodes that are connected to first, each with the name it was found by. */
export async function contactAddresses({ hosts, network }: Endpoint): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const failures: unknown[] = [];
  for (const host of hosts) {
    try {
      for (const address of await addressesOf(host, network)) found.set(address, host);
    } catch (error) {
      failures.push(error); // the others are still tried; it is thrown where none is left
    }
  }
  if (found.size === 0) throw failures[0];
  return found;
}

async function addressesOf(host: string, network: Network | undefined): Promise<string[]> {
  if (isIP(host) !== 0) {
    network?.check(host, host);
    return [host];
  }
  const found = network ? await allowed(host, network) : await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

function allowed(host: string, network: Network): Promise<readonly FoundAddress[]> {
  return new Promise((resolve, reject) => {
    network.lookup(host, { all: true }, (error, found) =>
      error ? reject(error) : resolve(typeof found === 'string' ? [] : found),
    );
  });
}

/** As the driver writes an address with its port. */
export function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
