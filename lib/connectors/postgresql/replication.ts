import type { CopyBoth } from './copy-both';
import { type Lsn, readLsn, writeLsn } from './lsn';

// https://www.postgresql.org/docs/current/protocol-replication.html

const DATA = 0x77;
const KEEP_ALIVE = 0x6b;
const STATUS = 0x72;
const STATUS_BYTES = 34;
/** What stands before the message of a plugin. */
export const DATA_HEADER = 25;
/** Microseconds from 1970 to 2000. */
const EPOCH_US = 946_684_800_000_000n;

/** One message of the server. */
export type ServerMessage =
  /** `at`: where the change stands in the log; the plugin's message begins at {@link DATA_HEADER}. */
  | { readonly kind: 'data'; readonly at: Lsn; readonly bytes: Buffer }
  /** The server has sent all that was committed before `sent`. */
  | { readonly kind: 'keep-alive'; readonly sent: Lsn; readonly wantsAnswer: boolean };

/** Reads a message of the server; `undefined` for one of an unknown kind. */
export function serverMessage(bytes: Buffer): ServerMessage | undefined {
  if (bytes[0] === DATA) return { kind: 'data', at: readLsn(bytes, 1), bytes };
  if (bytes[0] !== KEEP_ALIVE) return undefined;
  return { kind: 'keep-alive', sent: readLsn(bytes, 1), wantsAnswer: bytes[17] === 1 };
}

/** Tells the server how far its log was read, and what it may forget. */
export function sendStatus(
  copy: CopyBoth,
  status: { readonly read: Lsn; readonly stored: Lsn; readonly wantsAnswer: boolean },
): void {
  const bytes = Buffer.alloc(STATUS_BYTES);
  bytes[0] = STATUS;
  writeLsn(bytes, status.read, 1);
  writeLsn(bytes, status.stored, 9);
  writeLsn(bytes, status.stored, 17);
  bytes.writeBigInt64BE(BigInt(Date.now()) * 1000n - EPOCH_US, 25);
  bytes[33] = status.wantsAnswer ? 1 : 0;
  copy.send(bytes);
}
