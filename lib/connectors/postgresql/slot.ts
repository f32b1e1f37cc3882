import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../core/fault';
import { quoteLiteral } from './identifiers';
import { type Lsn, lsnText, parseLsn } from './lsn';
import type { Session } from './session';

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const ACTIVE = '55006';
const FORBIDDEN = '42501';
const NO_SLOT_LEFT = '53400';
const LONGEST_WAIT_MS = 10_000;
const POLL_MS = 100;
const LONGEST_NAME = 40;
const PREFIX = 'explorerio_';

/** A replication slot: the server keeps its log from `confirmed` on. */
export interface Slot {
  readonly confirmed: Lsn;
  /** The server has removed what it should have kept. */
  readonly isInvalid: boolean;
}

/** The name of slot and publication: of the characters that slots may have, and another one for each follower. */
export function slotName(follower: string): string {
  const readable = follower
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_')
    .slice(0, LONGEST_NAME);
  return `${PREFIX}${readable}_${createHash('sha256').update(follower).digest('hex').slice(0, 8)}`;
}

/** The slot of this name, if there is one. */
export async function findSlot(session: Session, name: string): Promise<Slot | undefined> {
  const [row] = await session.query(
    `select confirmed_flush_lsn, wal_status from pg_replication_slots where slot_name = ${quoteLiteral(name)}`,
  );
  if (row === undefined) return undefined;
  return { confirmed: parseLsn(row.confirmed_flush_lsn ?? '0/0'), isInvalid: row.wal_status === 'lost' };
}

/** Makes the slot anew. What is committed after the place that this gives will be in it. */
export async function createSlot(session: Session, name: string): Promise<Lsn> {
  await dropSlot(session, name);
  try {
    const [row] = await session.query(
      `select lsn from pg_create_logical_replication_slot(${quoteLiteral(name)}, 'pgoutput')`,
    );
    return parseLsn(row?.lsn ?? '0/0');
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const because = { cause: error };
  if (code === FORBIDDEN) {
    const hint = 'ALTER ROLE ... REPLICATION; on Amazon RDS: GRANT rds_replication TO the role.';
    return new Fault('config', 'replication_denied', `making a replication slot: ${message}`, { hint, ...because });
  }
  if (code !== NO_SLOT_LEFT) return error;
  const hint = 'Raise max_replication_slots at the server, or drop slots that nobody reads (pg_replication_slots).';
  return new Fault('config', 'too_many_slots', `making a replication slot: ${message}`, { hint, ...because });
}

/** Removes the slot, if it is there. */
export async function dropSlot(session: Session, name: string): Promise<void> {
  await whenFree(() =>
    session.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${quoteLiteral(name)}`,
    ),
  );
}

/** Lets the server forget what is before `lsn`; an older place than before changes nothing. */
export async function advanceSlot(session: Session, name: string, lsn: Lsn): Promise<void> {
  await whenFree(async () => {
    const slot = await findSlot(session, name);
    if (slot === undefined || slot.isInvalid || slot.confirmed >= lsn) return;
    await session.query(`select pg_replication_slot_advance(${quoteLiteral(name)}, ${quoteLiteral(lsnText(lsn))})`);
  });
}

/** The server sees only after a moment that a former reader has gone. */
export async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as { readonly code?: string }).code !== ACTIVE || performance.now() > until) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** The fault where a slot does not lead on from a place any more. */
export function slotLost(name: string, why: string): Fault {
  return new Fault('lost', 'slot_lost', `replication slot ${name} ${why}, so changes are missing`, {
    hint: 'The tables are read anew by themselves. To avoid it: sync more often, and raise max_slot_wal_keep_size.',
  });
}
