import { type Batch, Op, type Row, type RowBatch, UNCHANGED } from '../../lib/core/batch';
import type {
  Addition,
  Destination,
  DestinationContext,
  PublishOptions,
  QuarantinedRecord,
  WriteOptions,
} from '../../lib/core/destination';
import { Fault } from '../../lib/core/fault';
import { INCREMENT, type Position, type SliceKey } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import type { SearchableStreams, SearchHit, SearchReader } from '../../lib/core/search';

interface Table {
  readonly schema: StreamSchema;
  readonly rows: Row[];
}

interface Mark {
  fence: number;
  position?: Position;
}

/** What a destination holds; it outlives the processes that write to it. Every write is atomic. */
export class MemoryStore {
  readonly tables = new Map<string, Table>();
  readonly marks = new Map<string, Mark>();
  readonly published = new Set<string>();
  readonly quarantine: QuarantinedRecord[] = [];
  /** What each integration wants to be searched, by its name. */
  readonly searchable = new Map<string, SearchableStreams>();

  /** Rows of the visible table of a stream, as text, sorted. */
  visible(integration: string, stream: string): string[] {
    return (this.tables.get(`${integration}/${stream}`)?.rows ?? []).map((row) => row.join('|')).sort();
  }

  /** Loads that were begun and neither published nor discarded. */
  shadows(): string[] {
    return [...this.tables.keys()].filter((name) => name.includes('#'));
  }
}

/** Looks for records that hold all words of a text, in the order in which they are stored. */
export function memorySearch(store: MemoryStore): SearchReader {
  return {
    async search({ text, limit, after = '0' }, places) {
      const words = text.toLowerCase().split(/\s+/);
      const hits = places.flatMap(({ integration, streams }) =>
        streams.flatMap((stream) => hitsIn(store, integration, stream, words)),
      );
      const end = Number(after) + limit;
      return { hits: hits.slice(Number(after), end), ...(hits.length > end && { next: String(end) }), warnings: [] };
    },
    close: async () => undefined,
  };
}

function hitsIn(store: MemoryStore, integration: string, stream: string, words: readonly string[]): SearchHit[] {
  const { fields = [] } = store.searchable.get(integration)?.[stream] ?? {};
  const { schema, rows } = store.tables.get(`${integration}/${stream}`) ?? { rows: [] };
  return rows.flatMap((row): SearchHit[] => {
    const cell = (name: string) => String(row[schema?.columns.findIndex((column) => column.name === name) ?? -1]);
    const record = Object.fromEntries(fields.map((field) => [field, cell(field)]));
    const text = Object.values(record).join(' ').toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const key = Object.fromEntries((schema?.key ?? []).map((name) => [name, cell(name)]));
    return [{ integration, stream, key, match: 'words', score: 1, highlights: [], record }];
  });
}

/** Opens one integration's place in a {@link MemoryStore}. */
export function memoryDestination(
  store: MemoryStore,
  context: DestinationContext,
  bytes: boolean,
  groups = true,
): Destination {
  const table = (stream: string, load?: string) =>
    `${context.integration}/${stream}${load === undefined ? '' : `#${load}`}`;
  const markOf = (slice: SliceKey) => `${table(slice.stream, slice.load)}:${slice.partition}`;
  if (context.search) store.searchable.set(context.integration, context.search);
  return {
    accepts: bytes ? ['ndjson'] : [],
    check: async () => ({ passed: true, steps: [] }),
    async prepare(slice, next) {
      const name = table(next.stream, slice.load);
      if (!store.tables.has(name)) store.tables.set(name, { schema: next, rows: [] });
      return { changes: [] };
    },
    async claim(slice, fence) {
      const mark: Mark = store.marks.get(markOf(slice)) ?? { fence };
      if (mark.fence > fence) throw new Fault('lost', 'fenced', `claiming ${slice.stream}: fenced`);
      mark.fence = fence;
      store.marks.set(markOf(slice), mark);
      return mark.position;
    },
    async write(batch, slice, options) {
      const rows = await rowsOf(batch);
      const mark = checkFence(store.marks.get(markOf(slice)), slice, options);
      const target = store.tables.get(table(batch.schema.stream, slice.load));
      if (target === undefined)
        throw new Fault('bug', 'no_table', `writing ${batch.schema.stream}: it was not prepared`);
      apply(target, rows, batch, slice.load !== undefined);
      mark.position = batch.after;
      return { rows: rows.length, bytes: 0, quarantined: 0 };
    },
    ...(groups && {
      async append(additions: AsyncIterable<Addition>, slice: SliceKey, options: WriteOptions) {
        const batches: RowBatch[] = [];
        for await (const { batch } of additions) batches.push(batch);
        const rows = batches.flatMap((batch) => batch.rows);
        const mark = checkFence(store.marks.get(markOf(slice)), slice, options);
        const target = store.tables.get(table(slice.stream, slice.load));
        const last = batches.at(-1);
        if (target === undefined || last === undefined) throw new Fault('bug', 'no_table', 'appending: not prepared');
        target.rows.push(...rows);
        mark.position = last.after;
        return { rows: rows.length, bytes: 0, quarantined: 0 };
      },
    }),
    async publish(stream, load, options: PublishOptions) {
      const shadow = store.tables.get(table(stream.stream, load));
      if (shadow === undefined) {
        if (store.published.has(table(stream.stream, load))) return { rows: 0, notes: [] };
        throw new Fault('bug', 'no_load', `publishing ${stream.stream}: there is no such load`);
      }
      store.tables.set(table(stream.stream), shadow);
      forget(store, table(stream.stream, load));
      store.published.add(table(stream.stream, load));
      const mark = store.marks.get(`${table(stream.stream)}:${INCREMENT}`) ?? { fence: 0 };
      store.marks.set(`${table(stream.stream)}:${INCREMENT}`, {
        fence: mark.fence,
        ...(options.next && { position: options.next }),
      });
      return { rows: shadow.rows.length, notes: [] };
    },
    discard: async (stream, load) => forget(store, table(stream, load)),
    async seed(slice, position, instead) {
      const mark: Mark = store.marks.get(markOf(slice)) ?? { fence: 0 };
      if (JSON.stringify(mark.position) !== JSON.stringify(instead)) return;
      mark.position = position;
      store.marks.set(markOf(slice), mark);
    },
    quarantined: async () => store.quarantine,
    drop: async () => store.tables.clear(),
    close: async () => undefined,
  };
}

function forget(store: MemoryStore, name: string): void {
  store.tables.delete(name);
  for (const mark of store.marks.keys()) if (mark.startsWith(`${name}:`)) store.marks.delete(mark);
}

function checkFence(mark: Mark | undefined, slice: SliceKey, options: WriteOptions): Mark {
  if (mark === undefined || mark.fence !== options.fence) {
    throw new Fault('lost', 'fenced', `writing ${slice.stream}: another worker has claimed the slice`);
  }
  return mark;
}

async function rowsOf(batch: Batch): Promise<Row[]> {
  if (batch.kind === 'rows') return batch.rows;
  if (batch.kind === 'truncate') return [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of batch.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

function apply(target: Table, rows: readonly Row[], batch: Batch, append: boolean): void {
  if (append) {
    target.rows.push(...rows);
    return;
  }
  const key = target.schema.key.map((name) => target.schema.columns.findIndex((column) => column.name === name));
  const identity = (row: Row) => JSON.stringify(key.map((index) => row[index]));
  const kept = new Map(target.rows.map((row) => [identity(row), row]));
  if (batch.kind === 'truncate') kept.clear();
  for (const [index, row] of rows.entries()) {
    const op = batch.kind === 'rows' ? batch.ops?.[index] : Op.Insert;
    if (op === Op.Delete) kept.delete(identity(row));
    else kept.set(identity(row), merged(kept.get(identity(row)), row));
  }
  target.rows.splice(0, target.rows.length, ...kept.values());
}

function merged(old: Row | undefined, next: Row): Row {
  return next.map((value, index) => (value === UNCHANGED ? (old?.[index] ?? null) : value));
}
