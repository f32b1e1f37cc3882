const SHORTEST = 7;
const LONGEST = 15;
const POINT = 0x2e;
const ZERO = 0x30;

/** The number of an IPv4 address of four decimal parts without leading zeros, 0 to 2^32 - 1; `undefined` when it is none. */
export function ipv4Number(text: string): number | undefined {
  const { length } = text;
  if (length < SHORTEST || length > LONGEST) return undefined;
  let number = 0;
  let parts = 0;
  for (let at = 0; at < length; at++) {
    const start = at;
    let part = 0;
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      part = part * 10 + digit;
    }
    const digits = at - start;
    if (digits === 0 || part > 255 || (digits > 1 && text.charCodeAt(start) === ZERO)) return undefined;
    number = number * 256 + part;
    parts += 1;
    // A point stands between two parts, and nothing behind the last.
    if (parts < 4 ? text.charCodeAt(at) !== POINT : at < length) return undefined;
  }
  return parts === 4 ? number : undefined;
}
