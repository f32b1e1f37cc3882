import type { Db, Document, Timestamp } from 'mongodb';
import type { FeedHead, HeadRequest } from '../../core/connector';
import { watchAnything } from './change-stream';
import { type FeedStart, feedPosition, feedStart, type ResumeToken } from './feed-position';
import { hello } from './server-clock';

/** How far a member that is read may be behind those that tell the time; they are chosen up to a lag of 90 s. */
const LAG_SECONDS = 90n;
const SECONDS = 32n;

/** What is known of the newest change. */
export interface NewestChange {
  /** Its time in the order of the cluster; absent where the server does not tell. */
  readonly time?: bigint;
  /** A majority has it, so that whoever reads the primary from now on sees it. */
  readonly isReadable: boolean;
}

/** Where changes can be read from: every change that a read which begins afterwards may not see comes behind it. */
export async function headOf(db: Db, { from }: Pick<HeadRequest, 'from'>): Promise<FeedHead> {
  if (from) await reached(db, feedStart(from));
  const { time, isReadable } = await newestChange(db);
  const token = await reached(db, time === undefined ? undefined : { time });
  if (time !== undefined) {
    const isExact = isReadable && db.readPreference?.mode === 'primary';
    return { position: feedPosition({ time: isExact ? time + 1n : time - (LAG_SECONDS << SECONDS) }) };
  }
  return { position: feedPosition({ token }) };
}

/** Opens a change stream and gives where it stands; throws the server's error where it cannot be opened. */
export async function reached(db: Db, start: FeedStart | undefined): Promise<ResumeToken> {
  const stream = watchAnything(db, start);
  try {
    await stream.tryNext();
    return stream.resumeToken as ResumeToken;
  } finally {
    await stream.close();
  }
}

/** The newest change of those members that are read. */
export async function newestChange(db: Db): Promise<NewestChange> {
  const { lastWrite, operationTime } = (await hello(db)) as {
    readonly lastWrite?: { readonly majorityOpTime?: { readonly ts: Timestamp } };
    readonly operationTime?: Timestamp;
  } & Document;
  const majority = lastWrite?.majorityOpTime?.ts;
  const time = majority ?? operationTime;
  return { isReadable: majority !== undefined, ...(time && { time: unsigned(time) }) };
}

/** A time of the cluster as a number that grows with it. */
export function unsigned(time: Timestamp): bigint {
  return BigInt.asUintN(64, time.toBigInt());
}
