import ipaddr from 'ipaddr.js';
import { ipv4Number } from '../../../core/ipv4';

const LONGEST = 64;

/**
 * An address in plain form: IPv4 with four parts, also where it is written as IPv6 (`::ffff:1.2.3.4`), without the prefix
 * length of PostgreSQL's `inet` and the zone of a link. `undefined` when it is none.
 */
export function plainAddress(text: string): string | undefined {
  if (ipv4Number(text) !== undefined) return text;
  const address = text.trim().replace(/\/\d{1,3}$/, '');
  if (ipv4Number(address) !== undefined) return address;
  if (address.length > LONGEST || !address.includes(':') || !ipaddr.IPv6.isValid(address)) return undefined;
  const parsed = ipaddr.IPv6.parse(address.replace(/%.*$/, ''));
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toString();
}
