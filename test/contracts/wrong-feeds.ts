import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, Op } from '../../lib/core/batch';
import type { Feed, FeedHead, FeedRequest } from '../../lib/core/connector';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { patient } from '../servers/patience';
import { FEED } from './feed-titles';
import { grouped } from './grouping-feed';
import type { LogDatabase } from './log-database';
import { type Change, placeIn, position } from './log-source';

/** A feed that the suite has to find, and the check that has to find it. */
export type WrongFeed = readonly [what: string, check: string, change: Change];

const AFTER_ABORT_MS = 7000;
const QUIET_MS = 30;
const PIECE = 4096;

/** One or more for each check. */
export const wrongFeeds: readonly WrongFeed[] = [
  ['takes every change for an insert', FEED.changes, mapped(withoutOps)],
  ['gives what was before the head', FEED.changes, fromTheBeginning],
  [
    'begins where it is first read',
    FEED.scan,
    reading((request, database) => ({ ...request, from: newest(database) })),
  ],
  ['leaves out what began before its position', FEED.late, withoutLate],
  ['gives a changed key as an update', FEED.key, mapped(withoutDeletes)],
  ['says nothing of a truncate', FEED.truncate, mapped((batch) => (batch.kind === 'truncate' ? undefined : batch))],
  ['keeps the schema that it began with', FEED.column, firstSchema],
  ['has positions that skip a row', FEED.resume, mapped((batch) => ({ ...batch, after: oneMore(batch.after) }))],
  ['has positions that repeat a row', FEED.resume, mapped((batch, database) => oneLess(batch, database))],
  ['passes over a group from within', FEED.several, (honest) => ({ read: grouped(honest, 'after') })],
  ['does not care for the size', FEED.size, reading((request) => ({ ...request, size: { rows: 1e9, bytes: 1e9 } }))],
  ['skips the rest of a transaction', FEED.size, mapped(atItsEnd)],
  ['does not say that a transaction goes on', FEED.size, mapped(({ ...batch }) => withoutOpen(batch))],
  ['does not move where nothing was wanted', FEED.others, mapped((batch) => (isEmpty(batch) ? undefined : batch))],
  ['gives changes that nobody asked for', FEED.others, everyStream],
  ['forgets more than was acknowledged', FEED.acknowledged, forgetful],
  ['goes back with an older position', FEED.acknowledged, backAndForth],
  ['goes on silently where something was forgotten', FEED.older, silent],
  ['never ends', FEED.end, reading((request) => ({ ...request, follow: true }))],
  ['ends only when nobody writes', FEED.end, whenQuiet],
  ['does not wait', FEED.wait, reading((request) => ({ ...request, follow: false }))],
  ['does not care for an abort', FEED.wait, reading((request) => ({ ...request, signal: late(request.signal) }))],
  ['does not see that its log is gone', FEED.lost, withoutFrom],
  ['ends quietly where its log is gone', FEED.lost, quiet],
  ['keeps what it should remove', FEED.forgotten, () => ({ forget: async () => undefined })],
  ['cannot forget twice', FEED.forgotten, forgetsOnce],
  ['does not say what has begun', FEED.added, heading((head) => ({ position: head.position }))],
  ['does not say what was made anew', FEED.anew, heading((head) => ({ position: head.position }))],
  ['gives changes of a stream that is gone', FEED.anew, ofOldTables],
  ['leaves connections behind', FEED.early, leaking],
  ['reads ahead as far as it can', FEED.slow, readingAhead],
];

/** A feed that changes or leaves out batches. */
function mapped(change: (batch: Batch, database: LogDatabase) => Batch | undefined): Change {
  return (honest, database) => ({
    async *read(request) {
      for await (const batch of honest.read(request)) {
        const changed = change(batch, database);
        if (changed) yield changed;
      }
    },
  });
}

/** A feed that reads something else than it is asked for. */
function reading(change: (request: FeedRequest, database: LogDatabase) => FeedRequest): Change {
  return (honest, database) => ({ read: (request) => honest.read(change(request, database)) });
}

function heading(change: (head: FeedHead) => FeedHead): Change {
  return (honest) => ({ head: async (request) => change(await honest.head(request)) });
}

function newest({ log }: LogDatabase): Position {
  return position(log.length, 0);
}

function fromTheBeginning(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async head(request) {
      await honest.head(request);
      for (const { since } of database.followers.values()) for (const table of since.keys()) since.set(table, 0);
      return { position: position(0, 0) };
    },
  };
}

function oneMore(after: Position): Position {
  const [transactions, changes] = placeIn(after);
  return position(transactions, changes + 1);
}

function oneLess(batch: Batch, { log }: LogDatabase): Batch {
  const [transactions, changes] = placeIn(batch.after);
  const last = log[transactions - 1]?.entries.length ?? 1;
  return {
    ...batch,
    after: changes > 0 ? position(transactions, changes - 1) : position(transactions - 1, last - 1),
  };
}

function withoutOps(batch: Batch): Batch {
  if (batch.kind !== 'rows') return batch;
  const { ops: _ops, ...inserts } = batch;
  return inserts;
}

function withoutOpen(batch: Batch): Batch {
  if (batch.kind !== 'rows') return batch;
  const { open: _open, ...closed } = batch;
  return closed;
}

function atItsEnd(batch: Batch): Batch {
  const isOpen = batch.kind === 'rows' && batch.open;
  return isOpen ? { ...batch, after: position(placeIn(batch.after)[0] + 1, 0) } : batch;
}

function isEmpty(batch: Batch): boolean {
  return batch.kind === 'rows' && batch.rows.length === 0;
}

function withoutDeletes(batch: Batch): Batch {
  if (batch.kind !== 'rows' || batch.ops === undefined) return batch;
  const { ops } = batch;
  const rows = batch.rows.filter((_, index) => ops[index] !== Op.Delete);
  return { ...batch, rows, ops: new Uint8Array(rows.length).fill(Op.Update) };
}

function withoutLate(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async *read(request) {
      const [begin] = placeIn(request.from);
      for await (const batch of honest.read(request)) {
        const [transactions, changes] = placeIn(batch.after);
        const began = database.log[changes > 0 ? transactions : transactions - 1]?.began ?? 0;
        if (began >= begin) yield batch;
      }
    },
  };
}

function firstSchema(honest: Feed): Partial<Feed> {
  return {
    async *read(request) {
      let first: StreamSchema | undefined;
      for await (const batch of honest.read(request)) {
        first ??= batch.schema;
        yield { ...batch, schema: first };
      }
    },
  };
}

function everyStream(honest: Feed, database: LogDatabase): Partial<Feed> {
  const streams = () => [...database.tables.values()].map(({ schema }) => schema);
  return { read: (request) => honest.read({ ...request, streams: [...request.streams, ...streams()] }) };
}

function forgetful(honest: Feed, database: LogDatabase): Partial<Feed> {
  return { acknowledge: () => honest.acknowledge(newest(database)) };
}

function backAndForth(honest: Feed, database: LogDatabase): Partial<Feed> {
  const [follower] = database.followers.values();
  let acknowledged = follower && position(follower.acknowledged, 0);
  return {
    read: (request) => honest.read({ ...request, from: acknowledged ?? request.from }),
    async acknowledge(after) {
      acknowledged = after;
    },
  };
}

function silent(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    ...withoutFrom(honest),
    read(request) {
      const [follower] = database.followers.values();
      const [begin, skipped] = placeIn(request.from);
      const kept = follower?.acknowledged ?? 0;
      return honest.read({ ...request, from: begin < kept ? position(kept, 0) : position(begin, skipped) });
    },
  };
}

function withoutFrom(honest: Feed): Partial<Feed> {
  return { head: ({ streams, signal }) => honest.head({ streams, signal }) };
}

function whenQuiet(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async *read(request) {
      for (let from = request.from; ; ) {
        for await (const batch of honest.read({ ...request, from })) {
          from = batch.after;
          yield batch;
        }
        await sleep(QUIET_MS);
        if (request.signal.aborted || placeIn(from)[0] === database.log.length) return;
      }
    },
  };
}

/** One that is heard when it is too late. */
function late(signal: AbortSignal): AbortSignal {
  const own = new AbortController();
  signal.addEventListener('abort', () => setTimeout(() => own.abort(), patient(AFTER_ABORT_MS)));
  return own.signal;
}

function quiet(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async *read(request) {
      if (database.followers.size > 0) yield* honest.read(request);
    },
  };
}

function forgetsOnce(honest: Feed, database: LogDatabase): Partial<Feed> {
  let times = 0;
  return {
    async forget(signal) {
      if (database.followers.size === 0 && times > 0) throw new Error('there is nothing to forget');
      times++;
      await honest.forget?.(signal);
    },
  };
}

function ofOldTables(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async *read(request) {
      for (const { entries } of database.log.slice(placeIn(request.from)[0])) {
        for (const { table, schema, op = Op.Delete, row } of entries) {
          const isOld = database.tables.get(schema.stream) !== table;
          if (isOld) yield { kind: 'rows', schema, after: request.from, rows: [row], ops: Uint8Array.of(op) };
        }
      }
      yield* honest.read(request);
    },
  };
}

function leaking(honest: Feed, database: LogDatabase): Partial<Feed> {
  return {
    async *read(request) {
      database.connections++;
      yield* honest.read(request);
    },
  };
}

function readingAhead(honest: Feed): Partial<Feed> {
  return {
    async *read(request) {
      const held: { readonly batch: Batch; readonly copy: readonly Buffer[] }[] = [];
      for await (const batch of honest.read(request)) {
        held.push({ batch, copy: batch.kind === 'rows' ? batch.rows.map(() => Buffer.alloc(PIECE)) : [] });
      }
      for (const { batch } of held) yield batch;
    },
  };
}
