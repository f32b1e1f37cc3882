import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, Op, type Row, type RowBatch, UNCHANGED } from '../../lib/core/batch';
import type { Connector, Feed, FeedHead, FeedRequest, Source } from '../../lib/core/connector';
import { MAX_POSITION_BYTES, type Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { patient } from '../servers/patience';
import { host, type RunningSource, rowsOf, SIZE, schemaOf, signal, textOf, withSource } from './source-reading';

const HOUR_MS = 3_600_000;
const NAMES = ['insert', 'update', 'delete'];

/** A source whose changes are followed. */
export interface Following {
  readonly source: Source;
  readonly feed: Feed;
  /** Of the seeded stream, as it was found when the source was opened. */
  readonly schema: StreamSchema;
}

/** Opens a source of which nobody has followed a change yet; call it after seeding. */
export function withFeed<T>(
  connector: Connector,
  running: RunningSource,
  body: (following: Following) => Promise<T>,
): Promise<T> {
  return withFeedAgain(connector, running, async (following) => {
    await following.feed.forget?.(signal());
    return body(following);
  });
}

/** Opens a source as another process would that goes on with what was followed. */
export async function withFeedAgain<T>(
  connector: Connector,
  running: RunningSource,
  body: (following: Following) => Promise<T>,
): Promise<T> {
  const source = await connector.open(running.changes?.config ?? running.config, host());
  try {
    const { feed } = source;
    if (feed === undefined) throw new Error('the source has no feed');
    return await body({ source, feed, schema: await schemaOf(source, running.expected.stream) });
  } finally {
    await source.close();
  }
}

/** Asks for the head, of the seeded stream alone where no others are named. */
export async function headOf(
  { feed, schema }: Following,
  options: { readonly streams?: readonly StreamSchema[]; readonly from?: Position } = {},
): Promise<FeedHead> {
  const { streams = [schema], from } = options;
  const head = await feed.head({ streams, signal: signal(), ...(from && { from: saved(from) }) });
  return { ...head, position: saved(head.position) };
}

/** A position as it comes back from where it is kept. */
export function saved(position: Position): Position {
  const text = JSON.stringify(position);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_POSITION_BYTES);
  const back = JSON.parse(text) as Position;
  expect(back).toEqual(position);
  return back;
}

/** How changes are read where a test says nothing else. */
export function requestOf({ schema }: Following, from: Position, options: Partial<FeedRequest> = {}): FeedRequest {
  const defaults = { streams: [schema], size: SIZE, accept: [], follow: false, signal: signal() };
  return { ...defaults, ...options, from: saved(from) };
}

/** All batches from a position to the head. */
export async function drained(
  following: Following,
  from: Position,
  options: Partial<FeedRequest> = {},
): Promise<Batch[]> {
  const request = requestOf(following, from, options);
  const batches: Batch[] = [];
  for await (const batch of following.feed.read(request)) batches.push(sound(batch));
  // A source may take its abort for an end.
  request.signal.throwIfAborted();
  return batches;
}

/** A batch of which the parts fit together. */
export function sound(batch: Batch): Batch {
  saved(batch.after);
  if (batch.sourceTime !== undefined) expect(Math.abs(Date.now() - batch.sourceTime)).toBeLessThan(HOUR_MS);
  if (batch.kind === 'bytes') throw new Error('a batch of bytes where only rows are accepted');
  if (batch.kind === 'truncate') return batch;
  if (batch.ops) expect(batch.ops.length).toBe(batch.rows.length);
  const widths = new Set(batch.rows.map((row) => row.length));
  expect([...widths]).toEqual(batch.rows.length === 0 ? [] : [batch.schema.columns.length]);
  return batch;
}

/** Changes of a stream as texts: `update ["1n"]` by key alone, or `insert ["1n","name",...]` with all cells. */
export function changesOf(batches: readonly Batch[], { stream }: StreamSchema, cells: 'key' | 'all' = 'key'): string[] {
  return batches
    .filter(({ schema }) => schema.stream === stream)
    .flatMap((batch) => {
      if (batch.kind !== 'rows') return [batch.kind];
      return batch.rows.map((row, index) => {
        const op = opAt(batch, index);
        const shown = cells === 'key' || op === Op.Delete ? keyOf(batch.schema, row) : textOf(row);
        return `${NAMES[op]} ${shown}`;
      });
    });
}

/** What {@link changesOf} says of a change of one row of the seeded stream. */
export function change(name: 'insert' | 'update' | 'delete', row: Row | undefined): string {
  return `${name} ${textOf([row?.[0] ?? null])}`;
}

/** What becomes of the rows of a stream once its changes are applied to them by key. */
export function applied(schema: StreamSchema, rows: readonly Row[], batches: readonly Batch[]): Row[] {
  const table = new Map(rows.map((row) => [keyOf(schema, row), row]));
  let shape = schema;
  for (const batch of batches.filter((one) => one.schema.stream === schema.stream)) {
    if (batch.schema !== shape) reshape(table, shape, batch.schema);
    shape = batch.schema;
    if (batch.kind === 'truncate') table.clear();
    if (batch.kind === 'rows') apply(table, batch);
  }
  return [...table.values()];
}

function reshape(table: Map<string, Row>, from: StreamSchema, to: StreamSchema): void {
  const places = to.columns.map(({ name }) => from.columns.findIndex((column) => column.name === name));
  for (const [key, row] of table) {
    table.set(
      key,
      places.map((place) => row[place] ?? null),
    );
  }
}

function apply(table: Map<string, Row>, batch: RowBatch): void {
  batch.rows.forEach((row, index) => {
    const key = keyOf(batch.schema, row);
    const stored = table.get(key);
    if (opAt(batch, index) === Op.Delete) table.delete(key);
    else {
      table.set(
        key,
        row.map((cell, place) => (cell === UNCHANGED ? (stored?.[place] ?? cell) : cell)),
      );
    }
  });
}

function opAt({ ops }: RowBatch, index: number): number {
  return ops?.[index] ?? Op.Insert;
}

function keyOf({ key, columns }: StreamSchema, row: Row): string {
  return textOf(key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null));
}

/** The rows of the seeded stream as they are now. */
export async function rowsNow(connector: Connector, running: RunningSource): Promise<Row[]> {
  let rows: Row[] = [];
  await withSource(connector, running.config, async (source) => {
    rows = await rowsOf(source, running, await schemaOf(source, running.expected.stream));
  });
  return rows;
}

/** Reads on from every position, as another process would: what comes must be exactly what followed. */
export async function expectExactRest(
  read: (from: Position) => Promise<readonly Batch[]>,
  from: Position,
  schemas: readonly StreamSchema[],
): Promise<readonly Batch[]> {
  const batches = await read(from);
  const positions = new Set([from, ...batches.map(({ after }) => after)].map((position) => JSON.stringify(position)));
  for (const text of positions) {
    const position = JSON.parse(text) as Position;
    const rest = await read(position);
    const expected = restOf(batches, from, position);
    for (const schema of schemas) {
      expect(changesOf(rest, schema, 'all')).toEqual(changesOf(expected, schema, 'all'));
    }
  }
  return batches;
}

/**
 * What is read again from a position, of batches that were read from `from`. Those that carry the position of an earlier one
 * are a part of something larger, and come again with it.
 */
export function restOf(batches: readonly Batch[], from: Position, position: Position): readonly Batch[] {
  const places = [from, ...batches.map(({ after }) => after)].map((place) => JSON.stringify(place));
  const place = places.indexOf(JSON.stringify(position));
  if (place < 0) throw new Error('it is no position of these');
  return batches.slice(place);
}

/** Fails where it takes longer than a machine that others use as well may need. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(patient(ms), undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took longer than ${ms} ms`);
  });
  // Nobody looks at it any more once the work has ended.
  late.catch((error: Error) => error);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
