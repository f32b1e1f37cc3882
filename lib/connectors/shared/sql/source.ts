import type { Batch } from '../../../core/batch';
import type { CheckReport } from '../../../core/check';
import type { Cursor, PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../../core/connector';
import { Fault } from '../../../core/fault';
import type { Json } from '../../../core/json';
import { aborted, stoppable } from '../aborted';
import { type CursorView, cursorView } from './cursor-view';
import type { Dialect } from './dialect';
import { scanRange, scanWhole, UNBOUNDED } from './full-scan';
import { scanIncrement, scanOrdered, startPosition } from './increment';
import { type Part, parsePart } from './parts';
import { planParts } from './planning';
import type { SqlColumn, SqlRelation } from './relation';
import type { SqlSession } from './session';
import type { Sessions } from './sessions';
import { Shapes } from './shapes';
import { asItIs, type ReadPlace, type Snapshot, SnapshotHolder, type Snapshots, snapshotLost } from './snapshot';

/** What a relational connector brings: its server, with every default filled in. */
export interface SqlServer<C extends SqlColumn> {
  readonly dialect: Dialect<C>;
  readonly sessions: Sessions<C>;
  readonly snapshots: Snapshots<C>;
  check(signal: AbortSignal): Promise<CheckReport>;
  /** All relations that the configuration selects, sorted by the names of their streams. */
  relations(session: SqlSession<C>): Promise<readonly SqlRelation<C>[]>;
  /** One of them as the session sees it now. @throws Fault `config`/`table_missing` */
  relation(session: SqlSession<C>, stream: string): Promise<SqlRelation<C>>;
  /** Whether an error says that a table was changed since the snapshot, so that a newer snapshot can read it. */
  isChangedTable(error: unknown): boolean;
}

type SnapshotPart = Exclude<Part, { readonly kind: 'keyed' }>;

/** A relational database as a source. It connects when it is first asked for something. */
export class RelationalSource<C extends SqlColumn> implements Source {
  readonly #server: SqlServer<C>;
  readonly #snapshot: SnapshotHolder<C>;
  readonly #shapes = new Shapes();

  constructor(server: SqlServer<C>) {
    this.#server = server;
    this.#snapshot = new SnapshotHolder(server.snapshots);
  }

  check(signal: AbortSignal): Promise<CheckReport> {
    return this.#server.check(signal);
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return stoppable(signal, () =>
      this.#server.sessions.use(signal, async (session) => {
        const relations = await this.#server.relations(session);
        return relations.map((relation) => this.#shapes.same(relation).info);
      }),
    );
  }

  partitions(request: PartitionRequest): Promise<Partitions> {
    return stoppable(request.signal, async () => {
      try {
        return await this.#plan(request);
      } catch (error) {
        if (!this.#server.isChangedTable(error)) throw error;
        // The table was changed since the snapshot was taken: later streams are read at a newer one.
        this.#snapshot.renew();
        return this.#plan(request);
      }
    });
  }

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    try {
      if (request.cursor && request.partition === undefined) yield* this.#increment(request, request.cursor);
      else yield* this.#part(request);
    } catch (error) {
      throw request.signal.aborted ? aborted() : ofStream(error, request.stream.stream);
    }
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
    await this.#server.sessions.close();
  }

  async #plan({ stream, want, cursor, resumable, signal }: PartitionRequest): Promise<Partitions> {
    const found = await this.#server.sessions.use(signal, (session) => this.#describe(session, stream.stream));
    if (resumable && found.order.length > 0 && !found.momentary) return { parts: [KEYED], resumable };
    const snapshot = await this.#snapshot.current(signal);
    const described = orderedIn(snapshot, found);
    const after =
      cursor &&
      (await snapshot.atEarlier(signal, (place) =>
        startPosition(
          { session: place.session, signal, own: this.#server.sessions.ids },
          this.#view(place, described, cursor),
          snapshot.leavesOut?.(described) ? undefined : snapshot.open,
        ),
      ));
    const lease = await snapshot.lease(signal);
    try {
      const parts: Part[] =
        cursor && described.info.schema.key.length === 0
          ? [{ kind: 'ordered', snapshot: snapshot.id, column: cursor.column }]
          : await planParts(this.#server.dialect, lease, described, want, snapshot.id);
      lease.finished();
      return { parts: parts as readonly Json[], ...(after && { after }) };
    } finally {
      lease.release();
    }
  }

  async *#increment(request: ScanRequest, cursor: Cursor): AsyncGenerator<Batch> {
    const { sessions } = this.#server;
    const { from, size, signal, stream } = request;
    const lease = await sessions.acquire(signal);
    try {
      const { session } = lease;
      const view = async () => this.#view(asItIs(session), await this.#describe(session, stream.stream), cursor);
      yield* scanIncrement({ session, from, size, signal, own: sessions.ids, view });
      lease.finished();
    } finally {
      lease.release();
    }
  }

  async *#part(request: ScanRequest): AsyncGenerator<Batch> {
    const part = await this.#partOf(request);
    if (part.kind === 'keyed') yield* this.#keyed(request);
    else yield* this.#snapshotPart(request, part);
  }

  async *#keyed(request: ScanRequest): AsyncGenerator<Batch> {
    const { dialect, sessions } = this.#server;
    const lease = await sessions.acquire(request.signal);
    try {
      const { session } = lease;
      await dialect.begin(session);
      const relation = await this.#describe(session, request.stream.stream);
      yield* scanRange({ dialect, request, relation, place: asItIs(session) }, UNBOUNDED);
      await dialect.end(session);
      lease.finished();
    } finally {
      lease.release();
    }
  }

  async *#snapshotPart(request: ScanRequest, part: SnapshotPart): AsyncGenerator<Batch> {
    const { dialect } = this.#server;
    const { signal, stream, repairable } = request;
    const snapshot = await this.#snapshot.of(part.snapshot, repairable, signal);
    const place = await snapshot.lease(signal);
    try {
      const relation = orderedIn(snapshot, await this.#describe(place.session, stream.stream));
      if (relation.momentary && snapshot.id !== part.snapshot) throw snapshotLost();
      const scan = { dialect, request, relation, place };
      if (part.kind === 'whole' || (part.kind === 'range' && relation.order.length === 0)) yield* scanWhole(scan);
      else if (part.kind === 'range') yield* scanRange(scan, part);
      else {
        const view = this.#view(place, relation, { column: part.column, lookbackMs: 0 });
        yield* scanOrdered(place.session, view, request.from, request.size);
      }
      place.finished();
    } catch (error) {
      throw this.#server.isChangedTable(error) ? this.#changed(error, stream.stream) : error;
    } finally {
      place.release();
    }
  }

  // No reader of this snapshot will ever get further; what is planned from now on is read at a newer one.
  #changed(cause: unknown, stream: string): Fault {
    this.#snapshot.renew();
    return new Fault('lost', 'table_changed', `reading ${stream}: the table was altered after the full read began`, {
      hint: 'The full read begins anew by itself.',
      cause,
    });
  }

  async #partOf({ partition, signal }: ScanRequest): Promise<Part> {
    if (partition !== undefined && partition !== null) return parsePart(partition);
    return { kind: 'range', snapshot: (await this.#snapshot.current(signal)).id, ...UNBOUNDED };
  }

  async #describe(session: SqlSession<C>, stream: string): Promise<SqlRelation<C>> {
    return this.#shapes.same(await this.#server.relation(session, stream));
  }

  #view(place: ReadPlace<C>, relation: SqlRelation<C>, cursor: Cursor): CursorView<C> {
    return cursorView(this.#server.dialect, relation, cursor, this.#shapes, place.from(relation));
  }
}

/** A relation with an order that the reading can go by. */
function orderedIn<C extends SqlColumn>(snapshot: Snapshot<C>, relation: SqlRelation<C>): SqlRelation<C> {
  return relation.momentary && snapshot.leavesOut?.(relation) ? { ...relation, order: [] } : relation;
}

const KEYED: Part = { kind: 'keyed' };

// Where a value is decoded nobody knows the table.
function ofStream(error: unknown, stream: string): unknown {
  if (!(error instanceof Fault) || error.kind !== 'data') return error;
  const { code, message, hint } = error;
  return new Fault('data', code, `reading ${stream}: ${message}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}
