import type { CursorCandidate } from '../../core/connector';
import { type Column, REST, type StreamSchema } from '../../core/schema';
import { Bson, Elements } from './bson-elements';
import type { MongodbConfig } from './config';
import { ID, idColumn } from './identifiers';
import { WHOLE_DOCUMENT } from './rows';
import { columnOf, type Kind, kindOf, type Seen } from './shapes';

// The shape of a stream is stored with each run, and a table has its limits too.
const MOST_COLUMNS = 300;
const DAY_MS = 86_400_000n;

type Form = NonNullable<MongodbConfig['documents']>;

/** What a sample of documents shows. */
export interface Inferred {
  readonly schema: StreamSchema;
  readonly cursors: readonly Omit<CursorCandidate, 'indexed'>[];
  /** How many fields have no column because there are too many. */
  readonly leftOut: number;
}

/** Finds out the columns of a collection by a sample of its documents. */
export function infer(stream: string, sample: readonly Buffer[], { form = 'columns', depth = 1 }: Form): Inferred {
  const fields = new Map<string, Seen>();
  const idKinds = new Set<Kind>();
  for (const bytes of sample) observe(new Elements(bytes), fields, form === 'json' ? 1 : depth, '', idKinds);
  const id = idColumn(idKinds);
  const found = [...fields.values()].flatMap(columnsOf);
  const chosen = (form === 'json' ? found.filter(({ column }) => column.type === 'timestamptz') : found).slice(
    0,
    MOST_COLUMNS,
  );
  const last: Column =
    form === 'json'
      ? { name: 'document', type: 'json', nullable: false, native: WHOLE_DOCUMENT }
      : { name: REST, type: 'json', nullable: true, native: 'mongodb/json' };
  const columns = [id, ...chosen.map(({ column }) => column).filter(({ name }) => name !== last.name), last];
  return {
    schema: { stream, columns, key: [ID] },
    cursors: [...idCursor(id), ...chosen.flatMap((one) => cursorOf(one, sample.length))],
    leftOut: form === 'json' ? 0 : found.length - chosen.length,
  };
}

interface Found {
  readonly seen: Seen;
  readonly column: Column;
}

function columnsOf(seen: Seen): Found[] {
  const onlyDocuments = [...seen.kinds].every((kind) => kind === 'document');
  if (seen.inside && seen.inside.size > 0 && onlyDocuments) return [...seen.inside.values()].flatMap(columnsOf);
  return seen.kinds.size === 0 ? [] : [{ seen, column: columnOf(seen) }];
}

function observe(elements: Elements, fields: Map<string, Seen>, depth: number, prefix: string, idKinds?: Set<Kind>) {
  while (elements.next()) {
    const { bytes, name, type, start } = elements;
    if (idKinds && name === ID) {
      idKinds.add(kindOf(elements));
      continue;
    }
    if (type === Bson.Null || !canBeColumn(name)) continue;
    const seen = fields.get(name) ?? unseen(`${prefix}${name}`, depth);
    fields.set(name, seen);
    const kind = kindOf(elements);
    seen.kinds.add(kind);
    seen.count++;
    if (kind === 'date' && bytes.readBigInt64LE(start) % DAY_MS !== 0n) seen.midnights = false;
    if (kind === 'document' && seen.inside) {
      observe(new Elements(bytes, start), seen.inside, depth - 1, `${seen.path}.`);
    }
  }
}

/** A dot would look like a path. */
function canBeColumn(name: string): boolean {
  return name !== '' && name !== REST && !name.includes('.');
}

function unseen(path: string, depth: number): Seen {
  return { path, kinds: new Set(), count: 0, midnights: true, ...(depth > 1 && { inside: new Map() }) };
}

function idCursor(id: Column): Omit<CursorCandidate, 'indexed'>[] {
  const ordered = id.native === 'mongodb/objectId' || id.native === 'mongodb/long';
  return ordered ? [{ column: ID, nullable: false, coarse: false }] : [];
}

const CURSOR_TYPES = new Set<Column['type']>(['timestamptz', 'int64', 'float64', 'decimal']);

function cursorOf({ seen, column }: Found, documents: number): Omit<CursorCandidate, 'indexed'>[] {
  if (!CURSOR_TYPES.has(column.type)) return [];
  const coarse = column.type === 'timestamptz' && seen.midnights;
  return [{ column: column.name, nullable: seen.count < documents, coarse }];
}
