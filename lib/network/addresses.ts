import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Part of the address space. */
export type Range = readonly [Address, number];

/** Kinds of addresses that are never a source of data: those of this link alone, of everybody, of nobody. */
const NEVER: { readonly [kind: string]: string } = {
  linkLocal: 'a link-local address, where clouds keep their metadata and credentials',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  unspecified: 'the address of no machine',
};

/** Metadata services outside of the link-local ranges: of AWS by IPv6, Google by IPv6, Alibaba, Oracle, Azure. */
const METADATA = new Set(['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192', '168.63.129.16']);

/**
 * Parts of IPv6 in which an IPv4 address lies from a byte on: NAT64 (RFC 6052), translated (RFC 2765), 6to4 (RFC 3056),
 * compatible (RFC 4291).
 */
const EMBEDDED = [
  { prefix: [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], start: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], start: 12 },
  { prefix: [0x20, 0x02], start: 2 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], start: 12 },
] as const;

/** An address as it is really meant: IPv4 inside of IPv6 taken out; `undefined` when it is none. */
export function meant(text: string): Address | undefined {
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return address;
  const bytes = address.toByteArray();
  const embedded = EMBEDDED.find(({ prefix }) => prefix.every((byte, place) => bytes[place] === byte));
  // `::` and `::1` are no IPv4 addresses.
  const isOwn = bytes.slice(0, 15).every((byte) => byte === 0);
  if (embedded === undefined || isOwn) return address;
  return ipaddr.fromByteArray(bytes.slice(embedded.start, embedded.start + 4));
}

/** Why an address is never connected to, whatever the document allows; `undefined` for others. */
export function refusal(address: Address): string | undefined {
  if (METADATA.has(address.toString())) return 'the address of a metadata service';
  return NEVER[address.range()];
}

/** Reads `10.0.0.0/8` or a single address. @throws Error for what is neither */
export function readRange(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Whether one of the ranges holds the address. */
export function isWithin(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([start, bits]) => start.kind() === address.kind() && address.match([start, bits] as never));
}
