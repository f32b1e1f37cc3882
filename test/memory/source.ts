import * as z from 'zod';
import type { Batch, Row, RowBatch } from '../../lib/core/batch';
import { Op } from '../../lib/core/batch';
import { configSpec } from '../../lib/core/config';
import {
  type Connector,
  connector,
  type Feed,
  type ScanRequest,
  type Source,
  type StreamInfo,
} from '../../lib/core/connector';
import { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';

/** A row of the simulated database. `changed` grows with every write of the whole database. */
export interface Entry {
  readonly id: number;
  readonly text: string;
  readonly changed: number;
}

interface Change {
  readonly stream: string;
  readonly op: number;
  readonly entry: Entry;
}

/** A database in memory with tables, snapshots and a log; it outlives the processes that read it. */
export class MemoryDatabase {
  readonly tables = new Map<string, Map<number, Entry>>();
  readonly log: Change[] = [];
  /** Changes at the beginning of the log that are not there any more. */
  forgotten = 0;
  /** Streams that are recorded only from the next head on. */
  readonly begun: string[] = [];
  /** Readers that were not forgotten. */
  followers = 1;
  #time = 0;

  put(stream: string, id: number, text: string): void {
    const table = this.tables.get(stream) ?? new Map<number, Entry>();
    this.tables.set(stream, table);
    const op = table.has(id) ? Op.Update : Op.Insert;
    const entry = { id, text, changed: ++this.#time };
    table.set(id, entry);
    this.log.push({ stream, op, entry });
  }

  remove(stream: string, id: number): void {
    const entry = this.tables.get(stream)?.get(id);
    if (entry === undefined) return;
    this.tables.get(stream)?.delete(id);
    this.log.push({ stream, op: Op.Delete, entry });
  }

  snapshot(stream: string): Entry[] {
    return [...(this.tables.get(stream)?.values() ?? [])].sort((left, right) => left.id - right.id);
  }

  newest(stream: string): number {
    return Math.max(0, ...this.snapshot(stream).map((entry) => entry.changed));
  }
}

/** The shape of every table of a {@link MemoryDatabase}. */
export function memorySchema(stream: string): StreamSchema {
  return {
    stream,
    key: ['id'],
    columns: [
      { name: 'id', type: 'int32', nullable: false, native: 'memory/int32' },
      { name: 'text', type: 'text', nullable: false, native: 'memory/text' },
      { name: 'changed', type: 'int32', nullable: false, native: 'memory/int32' },
    ],
  };
}

/** A connector over one {@link MemoryDatabase}, with all modes. `onOpen` lets a test wrap each opened source. */
export function memoryConnector(
  database: MemoryDatabase,
  onOpen: (source: Source) => Source = (source) => source,
): Connector {
  return connector({
    type: 'memory',
    title: 'In memory',
    modes: ['full', 'incremental', 'changes'],
    config: configSpec(z.strictObject({ connection: z.strictObject({}) })),
    open: async () => onOpen(new MemorySource(database)),
    classify: () => undefined,
  });
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly snapshot: string;
}

class MemorySource implements Source {
  readonly #database: MemoryDatabase;
  readonly #snapshots = new Map<string, { readonly entries: Entry[]; readonly newest: number }>();
  readonly #name = Math.random().toString(36).slice(2);
  readonly feed: Feed;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.feed = memoryFeed(database);
  }

  async check() {
    return { passed: true, steps: [] };
  }

  async discover(): Promise<StreamInfo[]> {
    return [...this.#database.tables.keys()].sort().map((stream) => ({
      schema: memorySchema(stream),
      modes: ['full', 'incremental', 'changes'],
      cursors: [{ column: 'changed', nullable: false, indexed: true, coarse: false }],
      notes: [],
      estimate: { rows: this.#database.snapshot(stream).length, bytes: 0 },
    }));
  }

  async partitions(request: { readonly stream: StreamSchema; readonly want: number; readonly cursor?: object }) {
    const { stream } = request.stream;
    const snapshot = `${this.#name}/${stream}`;
    const held = this.#snapshots.get(snapshot) ?? {
      entries: this.#database.snapshot(stream),
      newest: this.#database.newest(stream),
    };
    this.#snapshots.set(snapshot, held);
    const { entries, newest } = held;
    const after: Position = { format: 1, value: { changed: newest, id: 0 } };
    const top = (entries.at(-1)?.id ?? 0) + 1;
    const parts = Array.from({ length: request.want }, (_, index) => ({
      from: Math.floor((top * index) / request.want),
      to: index === request.want - 1 ? Number.MAX_SAFE_INTEGER : Math.floor((top * (index + 1)) / request.want),
      snapshot,
    }));
    return { parts, ...(request.cursor && { after }) };
  }

  scan(request: ScanRequest): AsyncIterable<Batch> {
    return request.partition === undefined ? this.#increment(request) : this.#part(request, request.partition);
  }

  async *#part(request: ScanRequest, json: Json): AsyncGenerator<Batch> {
    const part = json as unknown as Part;
    const from = (request.from?.value as { readonly id: number } | undefined)?.id ?? -1;
    const entries = this.#snapshots.get(part.snapshot)?.entries ?? this.#newer(request);
    const rest = entries.filter((entry) => entry.id >= part.from && entry.id < part.to && entry.id > from);
    yield* batches(request, rest, (entry) => ({ id: entry.id }));
  }

  #newer(request: ScanRequest): Entry[] {
    if (!request.repairable)
      throw new Fault('lost', 'snapshot_lost', `reading ${request.stream.stream}: the snapshot is gone`);
    return this.#database.snapshot(request.stream.stream);
  }

  async *#increment(request: ScanRequest): AsyncGenerator<Batch> {
    const from = request.from?.value as { readonly changed: number; readonly id: number };
    const rest = this.#database
      .snapshot(request.stream.stream)
      .filter((entry) => entry.changed > from.changed || (entry.changed === from.changed && entry.id > from.id))
      .sort((left, right) => left.changed - right.changed || left.id - right.id);
    yield* batches(request, rest, (entry) => ({ changed: entry.changed, id: entry.id }));
  }

  async close() {
    this.#snapshots.clear();
  }
}

function* batches(request: ScanRequest, entries: readonly Entry[], position: (last: Entry) => Json): Generator<Batch> {
  const { stream: schema, size, accept } = request;
  for (let start = 0; start < entries.length; start += size.rows) {
    const slice = entries.slice(start, start + size.rows);
    const last = slice.at(-1);
    if (last === undefined) return;
    const after = { format: 1, value: position(last) };
    if (accept.includes('ndjson')) yield { kind: 'bytes', format: 'ndjson', schema, after, body: body(slice) };
    else yield { kind: 'rows', schema, after, rows: slice.map(row) };
  }
}

async function* body(entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) yield Buffer.from(`${JSON.stringify(row(entry))}\n`);
}

function row(entry: Entry): Row {
  return [entry.id, entry.text, entry.changed];
}

function logLost(): Fault {
  return new Fault('lost', 'log_lost', 'the log of changes begins later');
}

function memoryFeed(database: MemoryDatabase): Feed {
  return {
    resume: 'position',
    head: async (request) => {
      if (request.from && (request.from.value as number) < database.forgotten) throw logLost();
      return { position: { format: 1, value: database.log.length }, begun: database.begun.splice(0) };
    },
    forget: async () => void database.followers--,
    acknowledge: async () => undefined,
    async *read(request) {
      const schemas = new Map(request.streams.map((schema) => [schema.stream, schema]));
      const end = database.log.length;
      for (let at = request.from.value as number; at < end; at++) {
        const change = database.log[at];
        const schema = change && schemas.get(change.stream);
        if (change === undefined || schema === undefined) continue;
        const batch: RowBatch = {
          kind: 'rows',
          schema,
          after: { format: 1, value: at + 1 },
          rows: [row(change.entry)],
          ops: Uint8Array.of(change.op),
        };
        yield batch;
      }
    },
  };
}
