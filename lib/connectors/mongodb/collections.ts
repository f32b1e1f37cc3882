import type { Db, Document } from 'mongodb';
import { Fault } from '../../core/fault';
import { globFilter } from '../../core/globs';
import type { MongodbConfig } from './config';

/** A collection or a view, as the database lists it. */
export interface Collection {
  readonly name: string;
  readonly kind: 'collection' | 'view' | 'timeseries';
  /** Changes when it is dropped and made again; absent where the server does not say. */
  readonly uuid?: string;
}

const UNAUTHORIZED = 13;

/** The selected collections, sorted by name. Views only where they are selected. */
export async function selectedCollections(db: Db, config: MongodbConfig, signal: AbortSignal): Promise<Collection[]> {
  const wanted = globFilter(config.collections ?? []);
  const found = (await list(db, {}, signal)).filter(({ name, kind }) => {
    return !name.startsWith('system.') && wanted(name) && (kind !== 'view' || config.collections !== undefined);
  });
  return found.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** One collection as it is now. @throws Fault `config`/`collection_missing` */
export async function findCollection(db: Db, name: string, signal: AbortSignal): Promise<Collection> {
  const found = (await list(db, { name }, signal)).find((one) => one.name === name);
  if (found) return found;
  throw new Fault('config', 'collection_missing', `there is no collection ${name} in ${db.databaseName}`, {
    hint: 'It was dropped or renamed: leave it out of "collections", or discover the streams again.',
  });
}

async function list(db: Db, filter: Document, signal: AbortSignal): Promise<Collection[]> {
  try {
    return (await db.listCollections(filter, { signal }).toArray()).map(collectionOf);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== UNAUTHORIZED) throw error;
    // With rights on single collections only those may be listed, and only by name.
    const options = { nameOnly: true, authorizedCollections: true, signal } as const;
    return (await db.listCollections(filter, options).toArray()).map(collectionOf);
  }
}

function collectionOf(listed: Document): Collection {
  const {
    name,
    type = 'collection',
    info,
  } = listed as {
    readonly name: string;
    readonly type?: Collection['kind'];
    readonly info?: { readonly uuid?: { toString(encoding: 'hex'): string } };
  };
  const uuid = info?.uuid?.toString('hex');
  return { name, kind: type, ...(uuid !== undefined && { uuid }) };
}

/** The fault of a collection that is no longer the one that is being read. */
export function replaced(name: string): Fault {
  return new Fault('lost', 'collection_replaced', `reading ${name}: it was dropped and made again meanwhile`, {
    hint: 'It is read again from the start.',
  });
}
