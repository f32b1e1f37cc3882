import type { CheckStep } from '../core/check';
import type { IntegrationFields } from '../core/integration';
import type { EnginePorts } from './ports';

type Security = NonNullable<IntegrationFields['network_security']>;
type Ports = Pick<EnginePorts, 'resolveHost' | 'findRoute' | 'clock'>;

interface Finding {
  readonly detail: string;
  /** It does not show that the way leads through a VPN. */
  readonly isDoubtful: boolean;
}

const LONGEST_LOOKUP_MS = 5000;
const MOST_RANGES = 5;
const OF_THE_MACHINE = 'the way to the source is that of this machine';
const CONNECT_FIRST =
  'Connect the VPN of this machine, then test again; the steps below tell whether the source is reached.';

/**
 * What can be said from a machine without sending anything to the source: whether the VPN's endpoint is known here, and by
 * which interface the allowed ranges are reached.
 */
export async function ownWay(ports: Ports, security: Security = {}): Promise<CheckStep> {
  const start = ports.clock.now();
  const { vpn_endpoint: endpoint, allowed_ip_ranges: ranges = [] } = security;
  const address = endpoint === undefined ? undefined : await addressOf(ports, endpoint);
  const around = address === undefined ? undefined : await ports.findRoute?.(address);
  const findings = [
    ...(endpoint === undefined ? [] : [ofEndpoint(endpoint, address, ports.findRoute && around === undefined)]),
    ...(await Promise.all(ranges.slice(0, MOST_RANGES).map((range) => ofRange(ports, range, around?.by)))).flat(),
  ];
  const isCompared = around !== undefined && ranges.length > 0;
  if (!isCompared) findings.push({ detail: OF_THE_MACHINE, isDoubtful: endpoint === undefined });
  const isDoubtful = findings.some((finding) => finding.isDoubtful);
  return {
    name: 'vpn',
    state: isDoubtful ? 'warning' : 'passed',
    detail: findings.map(({ detail }) => detail).join('; '),
    milliseconds: ports.clock.now() - start,
    ...(isDoubtful && { hint: CONNECT_FIRST }),
  };
}

async function addressOf({ resolveHost, clock }: Ports, name: string): Promise<string | undefined> {
  const found = new AbortController();
  const late = clock.sleep(LONGEST_LOOKUP_MS, found.signal).then(() => undefined);
  try {
    return await Promise.race([resolveHost?.(name).catch(() => undefined), late]);
  } finally {
    found.abort();
  }
}

function ofEndpoint(name: string, address: string | undefined, isUnreachable = false): Finding {
  if (address === undefined) {
    return { detail: `vpn_endpoint ${name} is not known to the name service here`, isDoubtful: true };
  }
  const lost = isUnreachable ? ', to which there is no route' : '';
  return { detail: `vpn_endpoint ${name} is ${address}${lost}`, isDoubtful: isUnreachable };
}

/** A tunnel has an interface of its own; its other end is reached by another. */
async function ofRange({ findRoute }: Ports, range: string, around: string | undefined): Promise<readonly Finding[]> {
  if (findRoute === undefined) return [];
  const route = await findRoute(firstOf(range));
  if (route === undefined) return [{ detail: `there is no route to ${range}`, isDoubtful: true }];
  const isSame = route.by === around;
  const detail = `${range} is reached from ${route.from} by ${route.by}${isSame ? ', as vpn_endpoint is' : ''}`;
  return [{ detail, isDoubtful: isSame }];
}

/** The first address of a range; of IPv4 the one after the network's own, to which nothing is sent. */
function firstOf(range: string): string {
  const [address = range, bits] = range.split('/');
  if (bits === undefined || Number(bits) > 30 || address.includes(':')) return address;
  return address.replace(/\d+$/, (last) => String(Math.min(Number(last) + 1, 255)));
}
