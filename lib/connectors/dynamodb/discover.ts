import type { StreamInfo } from '../../core/connector';
import { type Fault, toFault } from '../../core/fault';
import type { StreamSchema } from '../../core/schema';
import { DEFAULT_SAMPLE } from '../shared/documents/config';
import { inferColumns, wholeDocuments } from '../shared/documents/infer';
import { attributes } from './attributes';
import { classify } from './classify';
import type { DynamodbClient } from './client';
import type { DynamodbConfig } from './config';
import { inGroups, isOfOneTable, selectedTables, type Table } from './tables';

/** What a discovery works with. */
export interface Discovery {
  readonly client: DynamodbClient;
  readonly config: DynamodbConfig;
  readonly signal: AbortSignal;
}

/** The tables that the configuration selects, with a column for each attribute that a sample shows. */
export async function discover(discovery: Discovery): Promise<readonly StreamInfo[]> {
  const { client, config, signal } = discovery;
  const tables = await selectedTables(client, config.tables, signal);
  return inGroups(tables, (table) => streamInfo(discovery, table));
}

async function streamInfo(discovery: Discovery, table: Table): Promise<StreamInfo> {
  const { schema, unreadable } = await shapeOf(discovery, table);
  return {
    schema,
    modes: ['full'],
    ...(table.unreadable === undefined && { estimate: { rows: table.rows, bytes: table.bytes } }),
    cursors: [],
    notes: [],
    ...(unreadable && { unreadable }),
  };
}

async function shapeOf(
  { client, config, signal }: Discovery,
  table: Table,
): Promise<{ schema: StreamSchema; unreadable?: Fault }> {
  const { name, key, unreadable } = table;
  const whole = wholeDocuments(name, key, attributes.name);
  if (unreadable) return { schema: whole, unreadable };
  const { form = 'columns', sample = DEFAULT_SAMPLE } = config.documents ?? {};
  if (form === 'json') return { schema: whole };
  try {
    // One page: at most 1 MB, whatever `sample` is, so that a discovery costs little.
    const { items } = await client.scan({ TableName: name, Limit: sample }, signal);
    return { schema: inferColumns(name, key, items.map(Object.entries), attributes) };
  } catch (error) {
    const fault = toFault(error, `reading ${name}`, classify);
    if (!isOfOneTable(fault)) throw fault;
    return { schema: whole, unreadable: fault };
  }
}
