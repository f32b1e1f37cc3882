import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { type Host, policies, types } from 'cassandra-driver';
import { messageOf } from '../../core/fault';
import type { Endpoint } from './endpoint';

type LoadBalancing = policies.loadBalancing.LoadBalancingPolicy;
type AddressTranslator = policies.addressResolution.AddressTranslator;

// As the driver calls back; its types know errors only.
const NO_ERROR = undefined as unknown as Error;

/** Takes the nodes that the cluster names only where the rules of the network let them be connected to. */
export function ruledTranslator({ network, log }: Endpoint): AddressTranslator {
  return Object.assign(policies.defaultAddressTranslator(), {
    translate(address: string, port: number, answer: (endpoint: string | null) => void): void {
      try {
        network?.check(address, address);
      } catch (error) {
        log.warn('a node of the cluster is not used', { address, reason: messageOf(error) });
        answer(null);
        return;
      }
      answer(`${address}:${port}`);
    },
  });
}

/** Spreads the reads over at most `maxConnections` nodes of one data centre, those that are up first. */
export function boundedNodes(endpoint: Endpoint): LoadBalancing {
  let all: () => readonly Host[] = () => [];
  let dataCenter = endpoint.dataCenter;
  let isConnected: (host: Host) => boolean = () => false;
  let turn = 0;
  const chosen = () => {
    const near = all().filter((host) => host.datacenter === dataCenter);
    return [...near.filter((host) => host.isUp()), ...near.filter((host) => !host.isUp())].slice(
      0,
      endpoint.maxConnections,
    );
  };
  const policy: Partial<LoadBalancing> = {
    init(client, hosts, done) {
      isConnected = (host) => client.getState().getOpenConnections(host) > 0;
      all = () => hosts.values() as unknown as readonly Host[];
      // The first is the one that answered.
      dataCenter ??= all()[0]?.datacenter;
      done(NO_ERROR);
    },
    getDistance: (host) => (chosen().includes(host) ? types.distance.local : types.distance.ignored),
    newQueryPlan(_keyspace, _options, done) {
      // To one that is not connected yet the driver would fail, rather than to try the next.
      const hosts = chosen().filter(isConnected);
      const first = turn++ % Math.max(1, hosts.length);
      const plan = [...hosts.slice(first), ...hosts.slice(0, first)];
      done(NO_ERROR, plan[Symbol.iterator]());
    },
    getOptions: () => new Map(),
  };
  return Object.assign(new policies.loadBalancing.RoundRobinPolicy(), policy);
}

/** Encryption as configured; a node's certificate may be for its address or for the name it was found by. */
export function nodeTls(tls: ConnectionOptions, names: ReadonlyMap<string, string>): ConnectionOptions {
  if (tls.rejectUnauthorized === false || tls.checkServerIdentity) return tls;
  return {
    ...tls,
    checkServerIdentity(address, certificate) {
      const name = names.get(address);
      if (name !== undefined && checkServerIdentity(name, certificate) === undefined) return undefined;
      return checkServerIdentity(address, certificate);
    },
  };
}
