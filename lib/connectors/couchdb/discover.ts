import type { StreamInfo } from '../../core/connector';
import type { StreamSchema } from '../../core/schema';
import { DEFAULT_SAMPLE } from '../shared/documents/config';
import { inferColumns, wholeDocuments } from '../shared/documents/infer';
import { jsonMembers } from '../shared/documents/raw-json';
import type { CouchdbClient } from './client';
import type { CouchdbConfig } from './config';
import { type Database, ofOneDatabase, selectedDatabases, type Unreadable } from './databases';
import { ID, isDesign, members } from './documents';
import { allDocuments } from './full-scan';
import { SEQUENCE } from './increment';

/** What a discovery works with. */
export interface Discovery {
  readonly client: CouchdbClient;
  readonly config: CouchdbConfig;
  readonly signal: AbortSignal;
}

const LARGEST_SAMPLE = 8 << 20;

/** The databases that the configuration selects, with a column for each member that a sample shows. */
export async function discover(discovery: Discovery): Promise<readonly StreamInfo[]> {
  const { client, config, signal } = discovery;
  const infos: StreamInfo[] = [];
  for (const database of await selectedDatabases(client, config.databases, signal)) {
    infos.push(await streamInfo(discovery, database));
  }
  return infos;
}

async function streamInfo(discovery: Discovery, database: Database | Unreadable): Promise<StreamInfo> {
  const whole = wholeDocuments(database.name, [ID], members.name);
  if ('unreadable' in database) return { ...described(whole), unreadable: database.unreadable };
  const { documents: rows, bytes } = database;
  const estimate = { rows, bytes };
  if (discovery.config.documents?.form === 'json') return { ...described(whole), estimate };
  try {
    return { ...described(inferColumns(database.name, [ID], await sample(discovery, whole), members)), estimate };
  } catch (error) {
    return { ...described(whole), unreadable: ofOneDatabase(error, database.name) };
  }
}

function described(schema: StreamSchema): StreamInfo {
  return {
    schema,
    modes: ['full', 'incremental'],
    cursors: [{ column: SEQUENCE, nullable: false, indexed: true, coarse: false, sequence: true }],
    notes: [],
  };
}

/** The first documents by id, and the last. */
async function sample({ client, config, signal }: Discovery, stream: StreamSchema) {
  const half = Math.ceil((config.documents?.sample ?? DEFAULT_SAMPLE) / 2);
  const found: (readonly [string, string])[][] = [];
  for (const range of [{ limit: half }, { limit: half, descending: true as const }]) {
    let bytes = 0;
    for await (const { id, document, length } of allDocuments(client, { stream, signal }, range)) {
      bytes += length;
      if (document !== undefined && (config.design_documents || !isDesign(id))) found.push(jsonMembers(document));
      if (bytes > LARGEST_SAMPLE) break;
    }
  }
  return found;
}
