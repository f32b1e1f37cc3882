import type { Db, Document } from 'mongodb';
import type { StreamInfo } from '../../core/connector';
import { toFault } from '../../core/fault';
import { REST } from '../../core/schema';
import { classify } from './classify';
import { type Collection, selectedCollections } from './collections';
import type { MongodbConfig } from './config';
import { ID } from './identifiers';
import { infer } from './infer';

const DEFAULT_SAMPLE = 1000;
const SAMPLE_BYTES = 4 << 20;
const AT_ONCE = 4;

/** The streams that the configuration selects, sorted by name. */
export async function discover(db: Db, config: MongodbConfig, signal: AbortSignal): Promise<readonly StreamInfo[]> {
  const collections = await selectedCollections(db, config, signal);
  const infos = new Array<StreamInfo>(collections.length);
  let next = 0;
  const work = async () => {
    for (let index = next++; index < collections.length; index = next++) {
      const collection = collections[index];
      if (collection) infos[index] = await streamInfo(db, collection, config, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return infos;
}

async function streamInfo(
  db: Db,
  collection: Collection,
  config: MongodbConfig,
  signal: AbortSignal,
): Promise<StreamInfo> {
  try {
    return await readInfo(db, collection, config, signal);
  } catch (error) {
    const fault = toFault(error, `reading ${collection.name}`, classify);
    if (signal.aborted || fault.kind !== 'config') throw error;
    const { schema } = infer(collection.name, [], config.documents ?? {});
    return { schema, modes: ['full'], cursors: [], notes: [], unreadable: fault };
  }
}

async function readInfo(
  db: Db,
  { name, kind }: Collection,
  config: MongodbConfig,
  signal: AbortSignal,
): Promise<StreamInfo> {
  const half = Math.ceil((config.documents?.sample ?? DEFAULT_SAMPLE) / 2);
  const sample = await sampleOf(db, name, half, signal);
  const { schema, cursors, leftOut } = infer(name, sample, config.documents ?? {});
  const leading = kind === 'view' ? new Set<string>() : await leadingFields(db, name);
  const rows = kind === 'view' ? undefined : await db.collection(name).estimatedDocumentCount();
  const mean = sample.reduce((sum, bytes) => sum + bytes.length, 0) / Math.max(1, sample.length);
  return {
    schema,
    modes: [
      'full',
      ...(cursors.length > 0 ? (['incremental'] as const) : []),
      // Neither views nor time series have change streams.
      ...(kind === 'collection' ? (['changes'] as const) : []),
    ],
    ...(rows !== undefined && { estimate: { rows, bytes: Math.round(rows * mean) } }),
    cursors: cursors.map((cursor) => ({ ...cursor, indexed: leading.has(cursor.column) })),
    notes: notes(kind, schema.columns[0]?.native, leftOut),
  };
}

/** The first documents by `_id` and the last: so the sample shows what was and what is, and the same the next time. */
async function sampleOf(db: Db, name: string, half: number, signal: AbortSignal): Promise<Buffer[]> {
  const first = await some(db, name, 1, half, signal);
  return first.length < half ? first : [...first, ...(await some(db, name, -1, half, signal))];
}

async function some(db: Db, name: string, direction: 1 | -1, limit: number, signal: AbortSignal): Promise<Buffer[]> {
  const options = { raw: true, limit, batchSize: 100, allowDiskUse: true, signal };
  const cursor = db
    .collection(name)
    .find({}, options)
    .sort({ [ID]: direction });
  const found: Buffer[] = [];
  let bytes = 0;
  try {
    while (bytes < SAMPLE_BYTES && (await cursor.hasNext())) {
      for (const document of cursor.readBufferedDocuments() as unknown as Buffer[]) {
        found.push(document);
        bytes += document.length;
      }
    }
  } finally {
    await cursor.close();
  }
  return found;
}

/** Fields that an index over all documents begins with. */
async function leadingFields(db: Db, name: string): Promise<Set<string>> {
  const indexes = await db.collection(name).listIndexes().toArray();
  const whole = indexes.filter((index) => !index.partialFilterExpression && !index.sparse && !index.hidden);
  const leading = whole.map((index) => Object.entries(index.key as Document)[0]);
  return new Set(leading.flatMap((entry) => (entry && typeof entry[1] === 'number' ? [entry[0]] : [])));
}

function notes(kind: Collection['kind'], id: string | undefined, leftOut: number): string[] {
  return [
    ...(kind === 'view' ? ['It is a view: the server sorts it for each read, and its _id must be unique.'] : []),
    ...(kind === 'timeseries'
      ? ['It is a time series: its _id has no index, and the server sorts it for each read.']
      : []),
    ...(id === 'mongodb/mixed' ? ['Its _id is of several types: read as canonical Extended JSON.'] : []),
    ...(leftOut > 0 ? [`It has ${leftOut} more fields than columns are made for; they are in ${REST}.`] : []),
  ];
}
