import type { Batch } from '../../core/batch';
import type { PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { Position } from '../../core/position';
import { aborted, stoppable } from '../shared/aborted';
import { byteFormat, type PgCopyFormat } from './byte-batch';
import { check } from './check';
import type { PostgresqlConfig } from './config';
import { ending } from './copy-batches';
import { selectedRelations, streamInfos, withChanges } from './discover';
import type { Endpoint } from './endpoint';
import { LogFeed } from './feed';
import { DONE, type PartScan, pagesAsBytes, scanPages, scanWhole, wholeAsBytes } from './full-scan';
import { type IncrementScan, scanIncrement, scanOrdered, startPosition } from './increment';
import { incrementAsBytes } from './increment-bytes';
import { scanKeyed } from './keyed-scan';
import { planParts } from './partitions';
import { type Part, parsePart } from './parts';
import { Relations } from './relations';
import type { Session } from './session';
import { Sessions } from './sessions';
import { beginAt, beginFresh, commit, type Snapshot, SnapshotHolder } from './snapshot';

/** A PostgreSQL database as a source. It connects when it is first asked for something. */
export class PostgresqlSource implements Source {
  readonly #config: PostgresqlConfig;
  readonly #endpoint: Endpoint;
  readonly #sessions: Sessions;
  readonly #snapshot: SnapshotHolder;
  readonly #relations = new Relations();
  readonly feed?: LogFeed;

  /** With a `follower` its changes can be followed, under this name. */
  constructor(config: PostgresqlConfig, endpoint: Endpoint, follower?: string) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#sessions = new Sessions(endpoint);
    this.#snapshot = new SnapshotHolder(this.#sessions);
    if (follower !== undefined) this.feed = new LogFeed({ config, endpoint, sessions: this.#sessions, follower });
  }

  check(signal: AbortSignal) {
    return check(this.#endpoint, this.#config, signal, this.feed !== undefined);
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return stoppable(signal, () =>
      this.#sessions.use(signal, async (session) => {
        const relations = await selectedRelations(session, this.#config);
        const infos = streamInfos(relations.map((relation) => this.#relations.remember(relation)));
        return this.feed ? withChanges(session, this.#config, relations, infos) : infos;
      }),
    );
  }

  async partitions(request: PartitionRequest): Promise<Partitions> {
    return stoppable(request.signal, async () => {
      try {
        return await this.#plan(request);
      } catch (error) {
        if (!(error instanceof Fault && error.code === 'table_rewritten')) throw error;
        // The table was rewritten since the snapshot was taken: later streams are read at a newer one.
        this.#snapshot.renew();
        return this.#plan(request);
      }
    });
  }

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    const format = byteFormat(request.accept);
    try {
      yield* format ? this.#scanBytes(request, format) : this.#scanRows(request);
    } catch (error) {
      throw request.signal.aborted ? aborted() : error;
    }
  }

  async close(): Promise<void> {
    await this.feed?.close();
    await this.#snapshot.close();
    await this.#sessions.close();
  }

  async #plan({ stream, want, cursor, resumable, signal }: PartitionRequest): Promise<Partitions> {
    if (resumable && stream.key.length > 0) return { parts: [KEYED], resumable };
    const snapshot = await this.#snapshot.current(signal);
    return this.#sessions.use(signal, async (session) => {
      await this.#relations.resolve(session, stream.stream);
      let after: Position | undefined;
      if (cursor) {
        await beginAt(session, snapshot.earlierId);
        const relation = await this.#relations.describe(session, stream.stream);
        after = await startPosition(session, relation, cursor, snapshot.open);
        await commit(session);
      }
      await beginAt(session, snapshot.id);
      const relation = await this.#relations.describe(session, stream.stream);
      const parts: Part[] =
        cursor && relation.schema.key.length === 0
          ? [{ kind: 'ordered', snapshot: snapshot.id, column: cursor.column }]
          : await planParts(session, relation, want, snapshot.id);
      await commit(session);
      return { parts: parts as readonly Json[], ...(after && { after }) };
    });
  }

  async *#scanRows(request: ScanRequest): AsyncGenerator<Batch> {
    const lease = await this.#sessions.acquire(request.signal);
    try {
      const { session } = lease;
      await this.#relations.resolve(session, request.stream.stream);
      if (isIncrement(request)) yield* scanIncrement(this.#increment(request), session);
      else yield* this.#partRows(request, await this.#part(request), session);
      lease.finished();
    } finally {
      lease.release();
    }
  }

  async *#partRows(request: ScanRequest, part: Part, session: Session): AsyncGenerator<Batch> {
    if (part.kind === 'keyed') {
      yield* this.#keyedRows(request, session);
      return;
    }
    const scan = await this.#beginPart(request, part, session);
    const { schema } = scan.relation;
    if (part.kind === 'ordered') {
      yield* scanOrdered(scan, part.column, session, (extended) => this.#relations.rememberExtended(extended));
    } else {
      const batches = part.kind === 'pages' ? scanPages(scan, part, session) : scanWhole(scan, session);
      yield* ending(batches, schema, request.from, DONE);
    }
    await commit(session);
  }

  async *#keyedRows(request: ScanRequest, session: Session): AsyncGenerator<Batch> {
    const { stream } = request.stream;
    await beginFresh(session, await this.#relations.locks(session, stream));
    yield* scanKeyed(request, await this.#relations.describe(session, stream), session);
    await commit(session);
  }

  async *#scanBytes(request: ScanRequest, format: PgCopyFormat): AsyncGenerator<Batch> {
    if (isIncrement(request)) {
      yield* incrementAsBytes(this.#increment(request), format);
      return;
    }
    const part = await this.#part(request);
    if (part.kind === 'ordered' || part.kind === 'keyed') {
      yield* this.#scanRows(request);
      return;
    }
    const { scan, batches } = await this.#sessions.use(request.signal, async (session) => {
      await this.#relations.resolve(session, request.stream.stream);
      const begun = await this.#beginPart(request, part, session);
      const planned =
        part.kind === 'pages' ? await pagesAsBytes(begun, part, session, format) : wholeAsBytes(begun, format);
      await commit(session);
      return { scan: begun, batches: planned };
    });
    yield* ending(batches, scan.relation.schema, request.from, DONE);
  }

  async #beginPart(request: ScanRequest, part: SnapshotPart, session: Session): Promise<PartScan> {
    const replacement = request.repairable ? () => this.#snapshot.current(request.signal) : undefined;
    const begin = (own: Session) => beginAt(own, part.snapshot, replacement);
    await begin(session);
    const relation = await this.#relations.describe(session, request.stream.stream);
    return { sessions: this.#sessions, request, relation, begin };
  }

  async #part(request: ScanRequest): Promise<Part> {
    if (request.partition !== undefined && request.partition !== null) return parsePart(request.partition);
    const { id }: Snapshot = await this.#snapshot.current(request.signal);
    return { kind: 'whole', snapshot: id };
  }

  #increment(request: ScanRequest): IncrementScan {
    return { sessions: this.#sessions, relations: this.#relations, request };
  }
}

const KEYED: Part = { kind: 'keyed' };
type SnapshotPart = Exclude<Part, { readonly kind: 'keyed' }>;

function isIncrement(request: ScanRequest): boolean {
  return request.cursor !== undefined && request.partition === undefined;
}
