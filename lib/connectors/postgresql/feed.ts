import type { Batch, Row } from '../../core/batch';
import type { Feed, FeedHead, FeedRequest, HeadRequest } from '../../core/connector';
import type { Position } from '../../core/position';
import { aborted, stoppable } from '../shared/aborted';
import { Pool } from '../shared/pool';
import type { PostgresqlConfig } from './config';
import type { CopyBoth } from './copy-both';
import { currentRow } from './current-row';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import { type FeedPosition, parseFeedPosition } from './feed-position';
import { endOfLog, type FeedNames, recordChanges, requireSlot } from './head';
import { quoteIdentifier, quoteLiteral } from './identifiers';
import { LogReader } from './log-reader';
import { LogReading } from './log-reading';
import { type LoggedShape, LoggedShapes } from './logged-shapes';
import { lsnText } from './lsn';
import { unpublish } from './publication';
import type { Relation } from './relation';
import { openSession, type Session } from './session';
import type { Sessions } from './sessions';
import { advanceSlot, dropSlot, slotName, whenFree } from './slot';

/** What a feed is made of. */
export interface FeedParts {
  readonly config: PostgresqlConfig;
  readonly endpoint: Endpoint;
  readonly sessions: Sessions;
  readonly follower: string;
}

/** The changes of a database by logical replication: the log as the plugin pgoutput tells it. */
export class LogFeed implements Feed {
  readonly resume = 'position';
  readonly #config: PostgresqlConfig;
  readonly #sessions: Sessions;
  readonly #streams: Pool<Session>;
  readonly #names: FeedNames;
  #reading: LogReading | undefined;

  constructor({ config, endpoint, sessions, follower }: FeedParts) {
    const slot = slotName(follower);
    const { publication } = config.connection;
    this.#config = config;
    this.#sessions = sessions;
    this.#streams = new Pool(1, () => openSession(endpoint, { replication: true }));
    this.#names = { slot, publication: publication ?? slot, isGiven: publication !== undefined };
  }

  async head({ streams, from, signal }: HeadRequest): Promise<FeedHead> {
    return stoppable(signal, () =>
      this.#sessions.use(signal, async (session) => {
        const relations = await this.#relations(session, streams);
        const start = from && parseFeedPosition(from);
        return recordChanges(session, this.#names, relations, start, this.#sessions.pids);
      }),
    );
  }

  async *read(request: FeedRequest): AsyncGenerator<Batch> {
    const { signal } = request;
    try {
      yield* this.#read(request);
    } catch (error) {
      throw signal.aborted ? aborted() : error;
    }
  }

  async acknowledge(position: Position): Promise<void> {
    const { lsn } = parseFeedPosition(position);
    if (this.#reading) this.#reading.store(lsn);
    else await this.#sessions.use(NEVER, (session) => advanceSlot(session, this.#names.slot, lsn));
  }

  async forget(signal: AbortSignal): Promise<void> {
    await this.#sessions.use(signal, async (session) => {
      await dropSlot(session, this.#names.slot);
      if (!this.#names.isGiven) await unpublish(session, this.#names.publication);
    });
  }

  close(): Promise<void> {
    return this.#streams.close();
  }

  async *#read(request: FeedRequest): AsyncGenerator<Batch> {
    const { streams, signal, size, follow } = request;
    const from = parseFeedPosition(request.from);
    const { relations, end } = await this.#sessions.use(signal, async (session) => {
      await requireSlot(session, this.#names.slot, from);
      return {
        relations: await this.#relations(session, streams),
        end: follow ? undefined : await endOfLog(session),
      };
    });
    if (end !== undefined && from.lsn >= end) return;
    const lease = await this.#streams.acquire(signal);
    try {
      const shapes = new LoggedShapes(relations, (work) => this.#sessions.use(signal, work));
      const current = ({ schema }: LoggedShape, row: Row) =>
        this.#sessions.use(signal, (session) => currentRow(session, relations, schema, row));
      const reader = new LogReader(from, { shapes, size, current });
      const copy = await this.#start(lease.session, from);
      const reading = new LogReading(copy, reader, { end, schema: streams[0] });
      this.#reading = reading;
      yield* reading.batches();
      // Not for a second reading: the server now and then ends it as soon as it begins.
      if (await reading.finish()) await lease.session.close();
    } finally {
      this.#reading = undefined;
      lease.release();
    }
  }

  /** Begins to read; a server that still holds the slot for a former reader is asked again. */
  async #start(session: Session, from: FeedPosition): Promise<CopyBoth> {
    const { slot, publication } = this.#names;
    const options = `proto_version '1', publication_names ${quoteLiteral(quoteIdentifier(publication))}`;
    const sql = `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${lsnText(from.lsn)} (${options})`;
    return whenFree(async () => {
      const copy = session.replicate(sql);
      await copy.begun();
      return copy;
    });
  }

  async #relations(session: Session, streams: HeadRequest['streams']): Promise<readonly Relation[]> {
    const wanted = new Map(streams.map((schema) => [schema.stream, schema]));
    const relations = await selectedRelations(session, this.#config);
    return relations.flatMap((relation) => {
      const schema = wanted.get(relation.schema.stream);
      return schema === undefined ? [] : [{ ...relation, schema: same(schema, relation.schema) }];
    });
  }
}

const NEVER = new AbortController().signal;

function same<T>(asked: T, found: T): T {
  return JSON.stringify(asked) === JSON.stringify(found) ? asked : found;
}
