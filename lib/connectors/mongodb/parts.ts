import type { AbstractCursor, Db } from 'mongodb';
import * as z from 'zod';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { Collection } from './collections';
import type { IdRange } from './id-order';
import { ID } from './identifiers';
import { idOf } from './rows';

const partSchema = z.object({
  after: z.string().optional(),
  upTo: z.string().optional(),
  uuid: z.string().optional(),
});

/** One part of a full read: a range of `_id` of the collection that has this UUID. */
export interface Part extends IdRange {
  readonly uuid?: string;
}

/** Reads a part back from its JSON. */
export function parsePart(json: Json | undefined): Part {
  const result = partSchema.safeParse(json ?? {});
  if (result.success) return result.data as Part;
  throw new Fault('bug', 'invalid_partition', 'the partition was not made by this connector', { cause: result.error });
}

const LEAST_PART_ROWS = 5000;
const MOST_PARTS = 64;
// So many are counted through in a moment; of more, some are picked at random.
const MOST_COUNTED = 200_000;
const SAMPLES_PER_PART = 50;
const LONGEST_BOUND = 6000;

/** Cuts a collection into about `want` ranges of about equal size, at identifiers that are in it. */
export async function planParts(db: Db, collection: Collection, want: number, signal: AbortSignal): Promise<Part[]> {
  const { name, kind, uuid } = collection;
  const identity = uuid === undefined ? {} : { uuid };
  const rows = kind === 'collection' && want > 1 ? await db.collection(name).estimatedDocumentCount() : 0;
  const count = Math.min(want, MOST_PARTS, Math.floor(rows / LEAST_PART_ROWS));
  if (count < 2) return [identity];
  const found =
    rows > MOST_COUNTED ? await sampled(db, name, count, signal) : await counted(db, name, count, rows, signal);
  const usable = found.filter((bound) => bound.length <= LONGEST_BOUND && !bound.includes('"NaN"'));
  const bounds = usable.filter((bound, index) => bound !== usable[index - 1]);
  const ends = [undefined, ...bounds, undefined];
  return ends.slice(1).map((upTo, index) => {
    const after = ends[index];
    return { ...identity, ...(after !== undefined && { after }), ...(upTo !== undefined && { upTo }) };
  });
}

/** Identifiers at equal distances in the index. */
async function counted(db: Db, name: string, count: number, rows: number, signal: AbortSignal): Promise<string[]> {
  const bounds: string[] = [];
  for (let part = 1; part < count; part++) {
    const options = { raw: true, projection: { [ID]: 1 }, skip: Math.floor((part * rows) / count), limit: 1, signal };
    bounds.push(
      ...(await identifiers(
        db
          .collection(name)
          .find({}, options)
          .sort({ [ID]: 1 }),
      )),
    );
  }
  return bounds;
}

/** Identifiers at equal distances among some that the server picks at random and sorts. */
async function sampled(db: Db, name: string, count: number, signal: AbortSignal): Promise<string[]> {
  const stages = [{ $sample: { size: count * SAMPLES_PER_PART } }, { $project: { [ID]: 1 } }, { $sort: { [ID]: 1 } }];
  const sample = await identifiers(db.collection(name).aggregate(stages, { raw: true, allowDiskUse: true, signal }));
  const places = Array.from({ length: count - 1 }, (_, index) => Math.floor(((index + 1) * sample.length) / count));
  return places.flatMap((place) => sample[place] ?? []);
}

async function identifiers(cursor: AbstractCursor): Promise<string[]> {
  const found: string[] = [];
  try {
    while (await cursor.hasNext()) {
      for (const document of cursor.readBufferedDocuments() as unknown as Buffer[]) found.push(idOf(document) ?? '""');
    }
  } finally {
    await cursor.close();
  }
  return found;
}
