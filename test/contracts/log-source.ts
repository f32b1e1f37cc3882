import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Batch, Row } from '../../lib/core/batch';
import { configSpec } from '../../lib/core/config';
import { type Connector, connector, type Feed, type FeedRequest, type Source } from '../../lib/core/connector';
import { Fault } from '../../lib/core/fault';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import type { Follower, LogDatabase, LogEntry } from './log-database';

const WAIT_MS = 2;

/** Makes another feed of an honest one. */
export type Change = (honest: Feed, database: LogDatabase) => Partial<Feed>;

/** A connector that follows a {@link LogDatabase}. */
export function logConnector(database: LogDatabase, change: Change = () => ({})): Connector {
  return connector({
    type: 'log',
    title: 'Log',
    modes: ['full', 'changes'],
    config: configSpec(z.strictObject({})),
    open: async (_config, { follower }) => logSource(database, follower ?? '', change),
    classify: () => undefined,
  });
}

function logSource(database: LogDatabase, follower: string, change: Change): Source {
  const honest = logFeed(database, follower);
  database.connections++;
  return {
    check: async () => ({ passed: true, steps: [] }),
    discover: async () =>
      [...database.tables.values()]
        .map(({ schema }) => ({ schema, modes: ['full', 'changes'] as const, cursors: [], notes: [] }))
        .sort((left, right) => (left.schema.stream < right.schema.stream ? -1 : 1)),
    async *scan({ stream, size }) {
      const rows = [...database.table(stream.stream).rows.values()];
      for (let at = 0; at < rows.length; at += size.rows) {
        yield { kind: 'rows', schema: stream, after: position(at, 0), rows: rows.slice(at, at + size.rows) };
      }
    },
    feed: { ...honest, ...change(honest, database) },
    close: async () => void database.connections--,
  };
}

/** Behind so many transactions, and so many changes of the next. */
export function position(transactions: number, changes: number): Position {
  return { format: 1, value: [transactions, changes] };
}

/** The two numbers of a position. */
export function placeIn({ value }: Position): readonly [transactions: number, changes: number] {
  return value as unknown as readonly [number, number];
}

function logFeed(database: LogDatabase, name: string): Feed {
  return {
    resume: 'position',
    async head({ streams, from }) {
      const follower = database.followers.get(name);
      if (from && (follower === undefined || placeIn(from)[0] < follower.acknowledged)) throw logLost();
      const own = follower ?? { acknowledged: 0, since: new Map() };
      database.followers.set(name, own);
      const tables = streams.map(({ stream }) => database.table(stream));
      const begun = tables.filter((table) => !own.since.has(table));
      for (const table of begun) own.since.set(table, database.log.length);
      const head = { position: position(database.log.length, 0) };
      return from ? { ...head, begun: begun.map(({ schema }) => schema.stream) } : head;
    },
    read: (request) => read(database, name, request),
    async acknowledge(after) {
      const follower = database.followers.get(name);
      if (follower) follower.acknowledged = Math.max(follower.acknowledged, placeIn(after)[0]);
    },
    forget: async () => void database.followers.delete(name),
  };
}

function logLost(): Fault {
  return new Fault('lost', 'log_lost', 'reading changes: the log begins later', { hint: 'Read the streams anew.' });
}

async function* read(database: LogDatabase, name: string, request: FeedRequest): AsyncGenerator<Batch> {
  const follower = database.followers.get(name);
  if (follower === undefined) throw logLost();
  database.connections++;
  try {
    const [first, skipped] = placeIn(request.from);
    let end = database.log.length;
    for (let at = first; at < end || request.follow; at++) {
      while (at >= database.log.length) await wait(request.signal);
      end = Math.max(end, at);
      yield* ofTransaction(database, follower, request, at, at === first ? skipped : 0);
    }
  } finally {
    database.connections--;
  }
}

async function wait(signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Fault('transient', 'aborted', 'reading changes: aborted');
  await sleep(WAIT_MS);
}

/** The wanted changes of a transaction, of which some are skipped, or a heartbeat. */
function* ofTransaction(
  database: LogDatabase,
  follower: Follower,
  request: FeedRequest,
  at: number,
  skipped: number,
): Generator<Batch> {
  const entries = (database.log[at]?.entries ?? [])
    .map((entry, index) => ({ entry, index }))
    .slice(skipped)
    .filter(({ entry }) => isWanted(database, follower, request, at, entry));
  while (entries.length > 0) {
    const taken = entries.splice(
      0,
      countOf(
        entries.map(({ entry }) => entry),
        request,
      ),
    );
    const last = taken.at(-1);
    const open = entries.length > 0;
    const after = open ? position(at, (last?.index ?? 0) + 1) : position(at + 1, 0);
    yield batchOf(
      taken.map(({ entry }) => entry),
      after,
      open,
    );
    if (!open) return;
  }
  const [schema] = request.streams;
  if (schema) yield { kind: 'rows', schema, after: position(at + 1, 0), rows: [] };
}

function isWanted(database: LogDatabase, { since }: Follower, { streams }: FeedRequest, at: number, entry: LogEntry) {
  const { stream } = entry.schema;
  const isCurrent = database.tables.get(stream) === entry.table;
  const begin = since.get(entry.table);
  return isCurrent && begin !== undefined && begin <= at && streams.some((schema) => schema.stream === stream);
}

/** How many entries go into a batch. */
function countOf(entries: readonly LogEntry[], { size }: FeedRequest): number {
  const [first] = entries;
  let bytes = 0;
  const end = entries.findIndex((entry, index) => {
    bytes += bytesOf(entry.row);
    const isOther = entry.schema !== first?.schema || entry.op === undefined || first.op === undefined;
    return index > 0 && (isOther || index >= size.rows || bytes > size.bytes);
  });
  return end < 0 ? entries.length : end;
}

function bytesOf(row: Row): number {
  return row.reduce((sum: number, cell) => sum + String(cell).length, 0);
}

function batchOf(entries: readonly LogEntry[], after: Position, open: boolean): Batch {
  const [first] = entries;
  const schema: StreamSchema = first?.schema ?? { stream: '', columns: [], key: [] };
  if (first?.op === undefined) return { kind: 'truncate', schema, after };
  const ops = Uint8Array.from(entries, ({ op = 0 }) => op);
  return { kind: 'rows', schema, after, rows: entries.map(({ row }) => row), ops, ...(open && { open }) };
}
