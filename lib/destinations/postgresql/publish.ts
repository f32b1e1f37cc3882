import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishOptions, PublishResult } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { finishShadow } from './finish-shadow';
import { shadowName } from './names';
import { replaceRows } from './replace';
import type { Session } from './session';
import type { Shape } from './shape';
import { swapTables } from './swap';
import { qualified, storedColumns } from './table';
import type { Writing } from './write';

/** One load on its way to be seen. */
export interface Publication {
  readonly writing: Writing;
  readonly integration: string;
  readonly shape: Shape;
  readonly load: string;
  /** The table's own name, and the shadow's. */
  readonly table: string;
  readonly shadow: string;
  /** Where increments begin after this load. */
  readonly next: Position | undefined;
  readonly signal: AbortSignal;
}

/** How long to wait for transactions that began before the load ended. */
const OLD_READERS_WAIT_MS = 5000;
const POLL_MS = 100;

/** See `Destination.publish`. */
export async function publishLoad(
  session: Session,
  writing: Writing,
  integration: string,
  stream: StreamSchema,
  load: string,
  { next, signal }: PublishOptions,
): Promise<PublishResult> {
  const shape = await writing.bind(session, stream);
  const { table } = shape;
  const publication: Publication = {
    writing,
    integration,
    shape,
    load,
    table,
    shadow: shadowName(stream.stream, load),
    next,
    signal,
  };
  const lock = `${writing.books.namespace} ${stream.stream}`;
  await session.query('SELECT pg_advisory_lock(hashtextextended($1, 20201125))', [lock]);
  try {
    return (await publishedBefore(session, publication)) ?? (await publish(session, publication));
  } finally {
    await session.query('SELECT pg_advisory_unlock(hashtextextended($1, 20201125))', [lock]);
  }
}

async function publishedBefore(session: Session, publication: Publication): Promise<PublishResult | undefined> {
  const { writing, integration, shape, load, shadow } = publication;
  const [row] = await session.query(
    `SELECT state, rows, notes FROM ${writing.books.loads} WHERE integration = $1 AND stream = $2 AND load = $3`,
    [integration, shape.schema.stream, load],
  );
  if (row?.state === 'published') {
    return { rows: Number(row.rows), notes: JSON.parse(row.notes ?? '[]') as readonly string[] };
  }
  if (row?.state === 'loading' && (await storedColumns(session, qualified(writing.target.namespace, shadow)))) {
    return undefined;
  }
  throw new Fault('lost', 'load_gone', `publishing ${shape.schema.stream}: its load ${load} is not there`, {
    hint: 'The full load begins anew.',
  });
}

async function publish(session: Session, publication: Publication): Promise<PublishResult> {
  const { writing, table } = publication;
  const barrier = await readersBarrier(session);
  const finished = await finishShadow(session, publication);
  const replaces = await storedColumns(session, qualified(writing.target.namespace, table));
  const rows = await loadedRows(session, publication);
  if (replaces && (await oldReaders(session, barrier, publication.signal))) {
    return replaceRows(
      session,
      publication,
      { rows, notes: finished.notes },
      'a transaction is open that began before the load ended',
    );
  }
  const swapped = await swapTables(session, publication, { rows, notes: finished.notes });
  if (swapped.result) return swapped.result;
  return replaceRows(session, publication, { rows, notes: finished.notes }, swapped.reason);
}

async function loadedRows(session: Session, { writing, integration, shape, load }: Publication): Promise<number> {
  const [sum] = await session.query(
    `SELECT coalesce(sum(rows), 0) AS rows FROM ${writing.books.positions}
     WHERE integration = $1 AND stream = $2 AND load = $3`,
    [integration, shape.schema.stream, load],
  );
  return Number(sum?.rows ?? 0);
}

/** What was open when the load had ended. */
interface Barrier {
  readonly xid: string;
  readonly transactions: ReadonlySet<string>;
}

const OPEN_TRANSACTIONS = `
  SELECT l.virtualtransaction AS id, a.backend_xmin IS NULL AND a.state IS NOT NULL AS harmless,
    CASE WHEN a.backend_xmin IS NULL THEN NULL ELSE age(a.backend_xmin) >= age($1::text::xid) END AS old
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.datname = current_database()
    AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()`;

async function readersBarrier(session: Session): Promise<Barrier> {
  const [current] = await session.query('SELECT pg_current_xact_id()::xid::text AS xid');
  const xid = current?.xid ?? '0';
  const rows = await session.query(OPEN_TRANSACTIONS, [xid]);
  return { xid, transactions: new Set(rows.flatMap(({ id }) => id ?? [])) };
}

/**
 * Whether a snapshot from before the end of the load is still in use: its owner would see the new table empty, since
 * none of its rows are there for that snapshot. Sessions whose snapshot we may not see count while their transaction
 * lasts.
 */
async function oldReaders(session: Session, barrier: Barrier, signal: AbortSignal): Promise<boolean> {
  const end = Date.now() + OLD_READERS_WAIT_MS;
  for (;;) {
    const rows = await session.query(OPEN_TRANSACTIONS, [barrier.xid]);
    const old = rows.some((row) =>
      row.old == null ? row.harmless !== 't' && barrier.transactions.has(row.id ?? '') : row.old === 't',
    );
    if (!old) return false;
    if (Date.now() >= end || signal.aborted) return true;
    await sleep(POLL_MS);
  }
}
