import * as z from 'zod';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import { MAX_POSITION_BYTES, type Position } from '../../core/position';

/** The least and the greatest token; no partition has the least. */
export const RING = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n } as const;

const FORMAT = 1;
const SHARE_BYTES = 64 << 20;
// Leaves room for the rest of a position.
const LONGEST_KEY = MAX_POSITION_BYTES - 1024;

const token = z.string().regex(/^-?\d+$/);
const partSchema = z.strictObject({ after: token, to: token });
const reachedSchema = z.strictObject({ token, key: z.array(z.string()).optional() });
const windowSchema = z.strictObject({ since: token, until: token });
const positionSchema = z.union([
  z.strictObject({ done: z.literal(true) }),
  z.strictObject({ reached: reachedSchema, window: windowSchema.optional() }),
  z.strictObject({ since: token }),
]);

/** The tokens after `after`, up to and with `to`. */
export interface TokenRange {
  readonly after: bigint;
  readonly to: bigint;
}

/**
 * Behind which row a read stopped: behind all partitions with `token`, or, with `key`, behind one row of the partition
 * with this key. Its elements are the bytes of the key's columns in hex; JSON text for types without bytes.
 */
export interface Reached {
  readonly token: bigint;
  readonly key?: readonly string[];
}

/** Write times in microseconds: from `since` on and before `until`. */
export interface TimeWindow {
  readonly since: bigint;
  readonly until: bigint;
}

/** Where a reader stopped: at the end of a part, in the middle of a part or increment, or between increments. */
export type Stop =
  | { readonly kind: 'done' }
  | { readonly kind: 'reached'; readonly reached: Reached; readonly window?: TimeWindow }
  | { readonly kind: 'between'; readonly since: bigint };

/** Cuts the ring into about `want` parts of equal width; tokens are spread evenly. Small tables are one part. */
export function cutRing(want: number, bytes: number | undefined): Json[] {
  const worth = bytes === undefined ? want : Math.min(want, Math.ceil(bytes / SHARE_BYTES));
  const count = BigInt(Math.max(1, Math.floor(worth)));
  const width = 2n ** 64n;
  return Array.from({ length: Number(count) }, (_, index) => {
    const at = (place: bigint) => RING.least + (width * place) / count;
    const to = BigInt(index) === count - 1n ? RING.greatest : at(BigInt(index) + 1n);
    return { after: String(at(BigInt(index))), to: String(to) };
  });
}

/** Reads a part back from its JSON; without one it is the whole ring. */
export function parsePart(json: Json | undefined): TokenRange {
  if (json === undefined || json === null) return { after: RING.least, to: RING.greatest };
  const result = partSchema.safeParse(json);
  if (!result.success) throw unknown('partition', result.error);
  return { after: BigInt(result.data.after), to: BigInt(result.data.to) };
}

/** Reads a position back from its JSON. */
export function parsePosition({ format, value }: Position): Stop {
  const result = positionSchema.safeParse(value);
  if (format !== FORMAT || !result.success) throw unknown('position', result.error);
  const data = result.data;
  if ('done' in data) return { kind: 'done' };
  if ('since' in data) return { kind: 'between', since: BigInt(data.since) };
  const { reached, window } = data;
  return {
    kind: 'reached',
    reached: { token: BigInt(reached.token), ...(reached.key && { key: reached.key }) },
    ...(window && { window: { since: BigInt(window.since), until: BigInt(window.until) } }),
  };
}

function unknown(what: string, cause: unknown): Fault {
  return new Fault('bug', `invalid_${what}`, `the ${what} was not made by this connector`, { cause });
}

/** The position after a part that was read completely. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

/** The position between two increments. */
export function betweenPosition(since: bigint): Position {
  return { format: FORMAT, value: { since: String(since) } };
}

/** The position in the middle of a read. */
export function reachedPosition({ token: at, key }: Reached, window: TimeWindow | undefined): Position {
  const reached = { token: String(at), ...(key && { key: [...key] }) };
  const times = window && { window: { since: String(window.since), until: String(window.until) } };
  return { format: FORMAT, value: { reached, ...times } };
}

/** Whether a position can hold a key. */
export function fitsPosition(key: readonly string[]): boolean {
  return Buffer.byteLength(JSON.stringify(key)) <= LONGEST_KEY;
}
