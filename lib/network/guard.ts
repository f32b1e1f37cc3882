import { lookup as resolveByName } from 'node:dns';
import { invalidConfig } from '../core/config';
import { Fault } from '../core/fault';
import type { IntegrationFields } from '../core/integration';
import type { FoundAddress, Lookup, Network } from '../core/network';
import { isWithin, meant, type Range, readRange, refusal } from './addresses';

/** The section of a document. */
export type NetworkSecurity = NonNullable<IntegrationFields['network_security']>;

/** Resolves a name to all its addresses. */
export type Resolve = (
  host: string,
  options: { readonly family?: number | 'IPv4' | 'IPv6' },
  done: (error: NodeJS.ErrnoException | null, addresses: readonly FoundAddress[]) => void,
) => void;

const byNameService: Resolve = (host, options, done) => resolveByName(host, { ...options, all: true }, done);

/** The network of one integration. @throws Fault `config`/`invalid_config` for a range that is none */
export function guardedNetwork(security: NetworkSecurity | undefined, resolve: Resolve = byNameService): Network {
  const guard = new Guard(rangesOf(security?.allowed_ip_ranges));
  return {
    lookup: guardedLookup(guard, resolve),
    check: (address, host) => guard.check(address, host),
    requireTls: security?.require_ssl === true,
    verifyTls: security?.ssl_verification,
  };
}

function rangesOf(given: readonly string[] | undefined): readonly Range[] | undefined {
  return given?.map((text, index) => {
    try {
      return readRange(text);
    } catch {
      const path = `network_security.allowed_ip_ranges[${index}]`;
      throw invalidConfig([{ path, message: `"${text}" is neither an address nor a range such as 10.0.0.0/8` }]);
    }
  });
}

class Guard {
  readonly #ranges: readonly Range[] | undefined;

  constructor(ranges: readonly Range[] | undefined) {
    this.#ranges = ranges;
  }

  /** Why an address may not be connected to; `undefined` when it may. */
  problem(text: string): string | undefined {
    const address = meant(text.replace(/%.*$/, ''));
    if (address === undefined) return `${text} is no address`;
    const never = refusal(address);
    if (never !== undefined) return `${text} is ${never}, and such are never connected to`;
    if (this.#ranges === undefined || isWithin(address, this.#ranges)) return undefined;
    return `${text} is in none of network_security.allowed_ip_ranges`;
  }

  check(address: string, host: string): void {
    const problem = this.problem(address);
    if (problem !== undefined) throw refused(host, problem);
  }
}

function refused(host: string, problem: string): Fault {
  return new Fault('config', 'address_refused', `connecting to ${host}: ${problem}`, {
    hint: 'Check the host. If the address is right, add its range to network_security.allowed_ip_ranges; link-local and metadata addresses cannot be allowed.',
  });
}

/** The addresses that the guard allows, and an error when there is none of them. */
function guardedLookup(guard: Guard, resolve: Resolve): Lookup {
  return (host, { all, family }, done) => {
    resolve(host, family === undefined ? {} : { family }, (error, addresses) => {
      if (error) return done(error, []);
      const allowed = addresses.filter(({ address }) => guard.problem(address) === undefined);
      const [first] = allowed;
      const [other] = addresses;
      if (first === undefined) return done(noneAllowed(guard, host, other?.address), []);
      return all === true ? done(null, [...allowed]) : done(null, first.address, first.family);
    });
  };
}

function noneAllowed(guard: Guard, host: string, address: string | undefined): Fault {
  const problem = address === undefined ? 'the name has no address' : guard.problem(address);
  return refused(host, problem ?? 'no address is allowed');
}
