import * as z from 'zod';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { Relation } from './relation';

/** Pages of one table with storage: those from `from` on and before `to`; null is up to its end. */
export interface Segment {
  /** Quoted, with schema. */
  readonly name: string;
  readonly filenode: string;
  readonly from: number;
  readonly to: number | null;
}

const segment = z.object({ name: z.string(), filenode: z.string(), from: z.number(), to: z.number().nullable() });

const partSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pages'), snapshot: z.string(), segments: z.array(segment) }),
  z.object({ kind: z.literal('whole'), snapshot: z.string() }),
  z.object({ kind: z.literal('ordered'), snapshot: z.string(), column: z.string() }),
  z.object({ kind: z.literal('keyed') }),
]);

/**
 * One part of a full read, with all that another process needs to read it. `pages`: ranges of pages; `whole`: a view or
 * the like in one go; `ordered`: a table without a key, by its cursor, so that equal rows meet and can be numbered;
 * `keyed`: all rows in the order of the key, at whatever moment they are read.
 */
export type Part = z.output<typeof partSchema>;

/** Reads a part back from its JSON. */
export function parsePart(json: Json): Part {
  const result = partSchema.safeParse(json);
  if (result.success) return result.data;
  throw new Fault('bug', 'invalid_partition', 'the partition was not made by this connector', { cause: result.error });
}

/** A table with storage, as it is cut into segments. */
export interface Heap {
  readonly name: string;
  readonly filenode: string;
  readonly pages: number;
}

const MINIMUM_PART_PAGES = 1024;
const MAXIMUM_PART_CHARACTERS = 12_000;

/** Cuts tables into about `want` lists of segments of about equal size. */
export function cutSegments(heaps: readonly Heap[], want: number): Segment[][] {
  const total = heaps.reduce((sum, heap) => sum + heap.pages, 0);
  const target = Math.max(MINIMUM_PART_PAGES, Math.ceil(total / Math.max(1, want)));
  const parts: Segment[][] = [];
  let current: Segment[] = [];
  let room = target;
  let characters = 0;
  const close = () => {
    if (current.length > 0) parts.push(current);
    current = [];
    room = target;
    characters = 0;
  };
  const add = (added: Segment) => {
    current.push(added);
    characters += JSON.stringify(added).length + 1;
    if (characters > MAXIMUM_PART_CHARACTERS) close();
  };
  for (const { name, filenode, pages } of heaps) {
    let from = 0;
    while (pages - from > room * 1.5) {
      add({ name, filenode, from, to: from + room });
      from += room;
      close();
    }
    add({ name, filenode, from, to: null });
    room -= pages - from;
    if (room <= 0) close();
  }
  close();
  return parts;
}

/** Whether a relation's rows lie in pages that can be read by range. */
export function hasPages(relation: Relation): boolean {
  return relation.catalog.filenode !== null && (relation.catalog.kind === 'r' || relation.catalog.kind === 'm');
}
