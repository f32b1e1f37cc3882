import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../core/fault';
import { quoteIdentifier, quoteLiteral, quoteTable } from './identifiers';
import type { Relation } from './relation';
import type { Session } from './session';

const LONGEST_WAIT_MS = 60_000;
const POLL_MS = 100;
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const FORBIDDEN = '42501';
const READ_ONLY = '25006';

/** The tables of a publication, by oid; `undefined` when there is none of this name. */
export async function publishedTables(session: Session, publication: string): Promise<ReadonlySet<number> | undefined> {
  const [found] = await session.query(
    `select puballtables from pg_publication where pubname = ${quoteLiteral(publication)}`,
  );
  if (found === undefined) return undefined;
  const rows = await session.query(`
    select distinct p.relid from pg_publication t, unnest(array(select relid from pg_get_publication_tables(t.pubname))) l (oid),
      lateral (select l.oid as relid union all select relid from pg_partition_ancestors(l.oid) where relid is not null) p
    where t.pubname = ${quoteLiteral(publication)}`);
  return new Set(rows.map((row) => Number(row.relid)));
}

/**
 * Makes a publication of exactly these tables, or changes it to them. Gives the oids of those that it did not have; all
 * transactions that wrote to them before have ended then.
 */
export async function publish(
  session: Session,
  publication: string,
  relations: readonly Relation[],
  pids: readonly number[],
): Promise<readonly number[]> {
  const before = await publishedTables(session, publication);
  const wanted = relations.map(({ catalog }) => catalog.oid);
  const added = wanted.filter((oid) => !before?.has(oid));
  if (before !== undefined && added.length === 0 && before.size === wanted.length) return [];
  const tables = relations.map(({ catalog }) => quoteTable(catalog.schema, catalog.table)).join(', ');
  const name = quoteIdentifier(publication);
  await define(
    session,
    before === undefined
      ? `create publication ${name} for table ${tables} with (publish_via_partition_root = true)`
      : `alter publication ${name} set table ${tables}`,
  );
  if (before !== undefined) await waitForWriters(session, pids);
  return before === undefined ? [] : added;
}

/** Removes a publication, if it is there. */
export async function unpublish(session: Session, publication: string): Promise<void> {
  await define(session, `drop publication if exists ${quoteIdentifier(publication)}`);
}

async function define(session: Session, sql: string): Promise<void> {
  try {
    await session.query(`begin read write; ${sql}; commit`);
  } catch (cause) {
    const { code, message } = cause as { readonly code?: string; readonly message?: string };
    if (code !== FORBIDDEN && code !== READ_ONLY) throw cause;
    throw new Fault('config', 'publication_denied', `making a publication: ${message}`, {
      hint: 'The role must own the tables and have CREATE on the database of a primary; or let their owner make a publication, and name it in connection.publication.',
      cause,
    });
  }
}

/** What a transaction wrote to a table before the table was published is not in the log for us. */
async function waitForWriters(session: Session, pids: readonly number[]): Promise<void> {
  const before = await writers(session, pids);
  const until = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    const now = new Set(await writers(session, pids));
    if (!before.some((id) => now.has(id))) return;
    if (performance.now() > until) throw writersStay();
    await sleep(POLL_MS);
  }
}

/** Transactions that have written, in this database; those that only read have no number. */
async function writers(session: Session, pids: readonly number[]): Promise<string[]> {
  const rows = await session.query(`
    select l.transactionid as id from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
      and not coalesce(l.pid, 0) = any (array[${[...pids, session.pid].join(',')}]::int[])
      and (a.datid is null or a.datid = (select oid from pg_database where datname = current_database()))`);
  return rows.map(({ id }) => id ?? '');
}

function writersStay(): Fault {
  return new Fault('transient', 'open_transactions', 'a transaction has been open for over a minute', {
    hint: 'Changes of a table can be followed once those are over that began before: look at pg_stat_activity for the oldest xact_start. It is tried again by itself.',
  });
}
