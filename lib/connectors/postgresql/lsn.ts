/** A place in the write-ahead log, in bytes since its beginning: exact below 2^53, which are eight petabytes. */
export type Lsn = number;

const HIGH = 2 ** 32;

/** `16/B374D848` as PostgreSQL writes it. */
export function parseLsn(text: string): Lsn {
  const [high = '0', low = '0'] = text.split('/');
  return Number.parseInt(high, 16) * HIGH + Number.parseInt(low, 16);
}

/** The text that PostgreSQL reads as this place. */
export function lsnText(lsn: Lsn): string {
  return `${Math.floor(lsn / HIGH).toString(16)}/${(lsn % HIGH).toString(16)}`.toUpperCase();
}

/** Eight bytes of the replication protocol. */
export function readLsn(bytes: Buffer, at: number): Lsn {
  return bytes.readUInt32BE(at) * HIGH + bytes.readUInt32BE(at + 4);
}

/** See {@link readLsn}. */
export function writeLsn(bytes: Buffer, lsn: Lsn, at: number): void {
  bytes.writeUInt32BE(Math.floor(lsn / HIGH), at);
  bytes.writeUInt32BE(lsn % HIGH, at + 4);
}
