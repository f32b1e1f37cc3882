import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Network } from '../../../core/network';

/** What the connections of an agent have to be. */
export interface AgentRules {
  readonly network: Network | undefined;
  /** Absent: plain HTTP. */
  readonly tls: ConnectionOptions | undefined;
  readonly maxConnections: number;
}

type Done = (error: Error) => void;

/** An agent that keeps connections for the next request, each made under the rules of the network. */
export function ruledAgent({ network, tls, maxConnections }: AgentRules): Agent {
  const options = {
    keepAlive: true,
    maxSockets: maxConnections,
    ...(network && { lookup: network.lookup as LookupFunction }),
  };
  const agent = tls ? new TlsAgent({ ...options, ...tls }) : new Agent(options);
  return network === undefined ? agent : checkingAddresses(agent, network);
}

// Only names are looked up.
function checkingAddresses(agent: Agent, network: Network): Agent {
  const open = agent.createConnection.bind(agent);
  const createConnection = (options: { readonly host?: string | null }, done: Done) => {
    const { host } = options;
    try {
      if (host && isIP(host) !== 0) network.check(host, host);
    } catch (error) {
      process.nextTick(done, error as Error);
      return undefined;
    }
    return open(options as never, done as never);
  };
  return Object.assign(agent, { createConnection });
}
