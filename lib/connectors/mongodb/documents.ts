import type { Db, Document, FindCursor } from 'mongodb';
import type { ScanRequest } from '../../core/connector';

/** What is asked of a collection. */
export interface Query {
  readonly collection: string;
  readonly filter: Document;
  /** The filter is for a type that the server may not know. */
  readonly seldom: boolean;
  readonly sort: { readonly [path: string]: 1 };
  readonly timeLimitMs?: number;
}

// The server's answer has at most 16 MB, and is held until its documents are rows.
const MOST_ROWS = 1000;
const BAD_VALUE = 2;

/** Documents as they come off the wire. Leaving early, or an abort, closes the cursor at the server too. */
export async function* documents(db: Db, query: Query, request: ScanRequest): AsyncGenerator<readonly Buffer[]> {
  const cursor = db.collection(query.collection).find(query.filter, {
    raw: true,
    batchSize: Math.min(request.size.rows, MOST_ROWS),
    allowDiskUse: true,
    signal: request.signal,
    ...(query.timeLimitMs !== undefined && { maxTimeMS: query.timeLimitMs }),
  });
  cursor.sort(query.sort);
  try {
    while (await hasNext(cursor, query)) yield cursor.readBufferedDocuments() as unknown as Buffer[];
  } finally {
    await cursor.close();
  }
}

async function hasNext(cursor: FindCursor, { seldom }: Query): Promise<boolean> {
  try {
    return await cursor.hasNext();
  } catch (error) {
    if (seldom && (error as { readonly code?: unknown }).code === BAD_VALUE) return false;
    throw error;
  }
}
