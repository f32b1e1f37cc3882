import * as z from 'zod';
import { Fault } from '../../../core/fault';
import type { Json } from '../../../core/json';

const bound = z.string().nullable();
const partSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('range'), snapshot: z.string(), from: bound, before: bound }),
  z.object({ kind: z.literal('whole'), snapshot: z.string() }),
  z.object({ kind: z.literal('ordered'), snapshot: z.string(), column: z.string() }),
  z.object({ kind: z.literal('keyed') }),
]);

/**
 * One part of a full read. `range`: the rows whose first column of the order is at least `from` and below `before`;
 * `whole`: all in one go; `ordered`: a table without a key, by its cursor, so that equal rows meet and can be numbered;
 * `keyed`: all in their order, at whatever moment they are read.
 */
export type Part = z.output<typeof partSchema>;

/** Reads a part back from its JSON. */
export function parsePart(json: Json): Part {
  const result = partSchema.safeParse(json);
  if (result.success) return result.data;
  throw new Fault('bug', 'invalid_partition', 'the partition was not made by this connector', { cause: result.error });
}

/** The bounds between `want` ranges of whole numbers of about equal length. */
export function numberBounds(least: bigint, largest: bigint, want: number): string[] {
  const count = BigInt(Math.max(1, want));
  const length = largest - least + 1n;
  if (length < count) return [];
  return Array.from({ length: Number(count) - 1 }, (_, index) => String(least + (length * BigInt(index + 1)) / count));
}

/** Ranges between these bounds, in order. */
export function rangesBetween(snapshot: string, bounds: readonly string[]): Part[] {
  return [null, ...bounds].map((from, index) => ({ kind: 'range', snapshot, from, before: bounds[index] ?? null }));
}
