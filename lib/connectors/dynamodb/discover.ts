import type { CursorCandidate, StreamInfo } from '../../core/connector';
import { type Fault, toFault } from '../../core/fault';
import type { StreamSchema } from '../../core/schema';
import { DEFAULT_SAMPLE } from '../shared/documents/config';
import { inferColumns, wholeDocuments } from '../shared/documents/infer';
import { attributes } from './attributes';
import { classify } from './classify';
import type { DynamodbClient, Item } from './client';
import type { DynamodbConfig } from './config';
import { inGroups, isOfOneTable, selectedTables, type Table } from './tables';
import { momentOf } from './times';

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
  const { schema, sample = [], unreadable } = await shapeOf(discovery, table);
  const cursors = cursorsOf(schema, sample);
  return {
    schema,
    modes: cursors.length > 0 ? ['full', 'incremental'] : ['full'],
    ...(table.unreadable === undefined && { estimate: { rows: table.rows, bytes: table.bytes } }),
    cursors,
    notes: [],
    ...(unreadable && { unreadable }),
  };
}

async function shapeOf(
  { client, config, signal }: Discovery,
  table: Table,
): Promise<{ schema: StreamSchema; sample?: readonly Item[]; unreadable?: Fault }> {
  const { name, key, unreadable } = table;
  const whole = wholeDocuments(name, key, attributes.name);
  if (unreadable) return { schema: whole, unreadable };
  const { form = 'columns', sample = DEFAULT_SAMPLE } = config.documents ?? {};
  if (form === 'json') return { schema: whole };
  try {
    // One page: at most 1 MB, whatever `sample` is, so that a discovery costs little.
    const { items } = await client.scan({ TableName: name, Limit: sample }, signal);
    return { schema: inferColumns(name, key, items.map(Object.entries), attributes), sample: items };
  } catch (error) {
    const fault = toFault(error, `reading ${name}`, classify);
    if (!isOfOneTable(fault)) throw fault;
    return { schema: whole, unreadable: fault };
  }
}

/** The columns that tell when an item was written, in all of the sample that have them. */
function cursorsOf({ columns }: StreamSchema, sample: readonly Item[]): CursorCandidate[] {
  return columns.flatMap(({ name, type }) => {
    if (type !== 'text' && type !== 'decimal') return [];
    const values = sample.flatMap((item) => item[name] ?? []);
    const moments = values.map(momentOf);
    if (moments.length === 0 || moments.includes(undefined)) return [];
    const coarse = moments.some((moment) => moment !== undefined && moment.until - moment.from > 1);
    return { column: name, nullable: values.length < sample.length, indexed: false, coarse };
  });
}
