import { type Fault, toFault } from '../../core/fault';
import { globFilter } from '../../core/globs';
import { classify } from './classify';
import type { CouchdbClient } from './client';

/** What is known of a database before its documents are looked at. */
export interface Database {
  readonly name: string;
  readonly documents: number;
  readonly bytes: number;
  /** Where its changes are now, as a parameter of a request. */
  readonly sequence: string;
  /** Another one for a database that was removed and made again; empty where the server does not tell. */
  readonly instance: string;
}

/** A database that is there, and why it cannot be read. */
export interface Unreadable {
  readonly name: string;
  readonly unreadable: Fault;
}

interface Answer {
  readonly doc_count?: number;
  readonly update_seq?: unknown;
  readonly instance_start_time?: unknown;
  readonly sizes?: { readonly external?: number };
  readonly cluster?: object;
}

/** The path of a database. */
export function pathOf(name: string): string {
  return encodeURIComponent(name);
}

/** Asks for one database. */
export async function readDatabase(client: CouchdbClient, name: string, signal: AbortSignal): Promise<Database> {
  const answer = (await client.json(pathOf(name), { signal })) as Answer;
  return {
    name,
    documents: answer.doc_count ?? 0,
    bytes: answer.sizes?.external ?? 0,
    sequence: sequenceText(answer.update_seq),
    // Before clusters it was the time at which the server had opened the file.
    instance: answer.cluster === undefined ? '' : String(answer.instance_start_time ?? ''),
  };
}

/** A sequence as a parameter: opaque text, a number of old servers, a list of others. */
export function sequenceText(sequence: unknown): string {
  return typeof sequence === 'string' ? sequence : JSON.stringify(sequence ?? 0);
}

/** The databases that globs select, sorted by name; without a glob among them nothing is listed. */
export async function selectedDatabases(
  client: CouchdbClient,
  globs: readonly string[] = [],
  signal: AbortSignal,
): Promise<readonly (Database | Unreadable)[]> {
  const plain = globs.length > 0 && globs.every((glob) => !/[*?]|^!/.test(glob));
  const names = plain ? [...new Set(globs)] : (await listed(client, signal)).filter(selection(globs));
  const found: (Database | Unreadable)[] = [];
  for (const name of names.sort()) found.push(await described(client, name, signal));
  // One that was listed and is gone was removed in between.
  return plain ? found : found.filter((one) => !('unreadable' in one) || one.unreadable.code !== 'database_missing');
}

/** Databases of the system only where they are named. */
function selection(globs: readonly string[]): (name: string) => boolean {
  const wanted = globFilter(globs);
  return (name) => wanted(name) && (!name.startsWith('_') || globs.includes(name));
}

async function listed(client: CouchdbClient, signal: AbortSignal): Promise<string[]> {
  const names = await client.json('_all_dbs', { signal });
  return Array.isArray(names) ? names.map(String) : [];
}

async function described(client: CouchdbClient, name: string, signal: AbortSignal): Promise<Database | Unreadable> {
  try {
    return await readDatabase(client, name, signal);
  } catch (error) {
    return { name, unreadable: ofOneDatabase(error, name) };
  }
}

/** The fault where it says something about one database, so that the others are read; else it is thrown. */
export function ofOneDatabase(error: unknown, name: string): Fault {
  const fault = toFault(error, `reading ${name}`, classify);
  if (fault.code === 'permission_denied' || fault.code === 'database_missing') return fault;
  throw fault;
}
