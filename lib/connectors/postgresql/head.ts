import type { FeedHead } from '../../core/connector';
import { Fault } from '../../core/fault';
import { type FeedPosition, feedPosition } from './feed-position';
import { type Lsn, parseLsn } from './lsn';
import { publish, publishedTables } from './publication';
import type { Relation } from './relation';
import type { Session } from './session';
import { createSlot, findSlot, slotLost } from './slot';

/** Names in the server of what a feed reads. */
export interface FeedNames {
  readonly slot: string;
  readonly publication: string;
  /** The publication is somebody else's, and only read. */
  readonly isGiven: boolean;
}

/** Has the changes of these tables recorded: see `Feed.head`. `pids`: our own connections. */
export async function recordChanges(
  session: Session,
  names: FeedNames,
  relations: readonly Relation[],
  from: FeedPosition | undefined,
  pids: readonly number[],
): Promise<FeedHead> {
  await requireLogicalLog(session);
  if (from) await requireSlot(session, names.slot, from);
  const added = names.isGiven
    ? await requireGiven(session, names)
    : await publish(session, names.publication, relations, pids);
  const position = feedPosition(from ?? { lsn: await createSlot(session, names.slot) });
  const begun = relations.filter(({ catalog }) => added.includes(catalog.oid)).map(({ schema }) => schema.stream);
  return { position, begun };
}

/** Whether the server writes what a feed needs. @throws Fault `config` */
export async function requireLogicalLog(session: Session): Promise<void> {
  const [row] = await session.query(`select current_setting('wal_level') as level`);
  if (row?.level !== 'logical') {
    throw new Fault('config', 'no_logical_log', `wal_level is "${row?.level}", and changes need "logical"`, {
      hint: "ALTER SYSTEM SET wal_level = 'logical' and restart the server; on Amazon RDS set rds.logical_replication to 1 in the parameter group and reboot.",
    });
  }
}

/** Whether the slot leads on from a place. @throws Fault `lost` */
export async function requireSlot(session: Session, name: string, from: FeedPosition): Promise<void> {
  const slot = await findSlot(session, name);
  if (slot === undefined) throw slotLost(name, 'is not there any more');
  if (slot.isInvalid) throw slotLost(name, 'was behind for too long and was given up by the server');
  if (slot.confirmed > from.lsn) throw slotLost(name, 'was read by somebody else');
  if ((await endOfLog(session)) < from.lsn) throw slotLost(name, 'is of a server that was restored to an older state');
}

async function requireGiven(session: Session, { publication }: FeedNames): Promise<readonly number[]> {
  if ((await publishedTables(session, publication)) !== undefined) return [];
  throw new Fault('config', 'publication_missing', `there is no publication ${publication}`, {
    hint: 'CREATE PUBLICATION ... FOR TABLE ... WITH (publish_via_partition_root = true) as the owner of the tables, or leave connection.publication out.',
  });
}

/** Where the next change will stand. A place just behind the header of a page is told as the end of the page before. */
export async function endOfLog(session: Session): Promise<Lsn> {
  const [row] = await session.query(`
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end as lsn,
      current_setting('wal_block_size') as page`);
  const lsn = parseLsn(row?.lsn ?? '0/0');
  const page = Number(row?.page ?? '8192');
  return lsn % page <= LONGEST_PAGE_HEADER ? lsn - (lsn % page) : lsn;
}

const LONGEST_PAGE_HEADER = 40;
