import type { Db, Document } from 'mongodb';

const COMMAND_NOT_FOUND = 59;

/**
 * The time up to which what was written can be read, in milliseconds: in a replica set that of the last write which a
 * majority has, else the server's clock.
 */
export async function readableUntil(db: Db): Promise<number> {
  const answer = await hello(db);
  const { localTime, lastWrite } = answer as {
    readonly localTime: Date;
    readonly lastWrite?: { readonly majorityWriteDate?: Date };
  };
  return Math.min(localTime.getTime(), lastWrite?.majorityWriteDate?.getTime() ?? Number.POSITIVE_INFINITY);
}

/** For commands: to be asked of the members that are read, which they are not by themselves. */
export function readingMembers({ readPreference }: Db) {
  return readPreference === undefined ? {} : { readPreference };
}

/** What the server says of itself. */
export async function hello(db: Db): Promise<Document> {
  const options = readingMembers(db);
  try {
    return await db.command({ hello: 1 }, options);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== COMMAND_NOT_FOUND) throw error;
    return db.command({ isMaster: 1 }, options); // before 4.4.2
  }
}
