import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { Fault, toFault } from '../../core/fault';
import { globFilter } from '../../core/globs';
import type { Column } from '../../core/schema';
import { attributes, SCALARS } from './attributes';
import { classify } from './classify';
import type { DynamodbClient } from './client';

/** What is known of a table before its items are looked at. */
export interface Table {
  readonly name: string;
  readonly key: readonly Column[];
  /** Another one for a table that was removed and made again. */
  readonly id: string;
  readonly rows: number;
  readonly bytes: number;
  /** Why it cannot be read. */
  readonly unreadable?: Fault;
}

const TABLES_AT_ONCE = 8;

/** The tables that globs select, sorted by name; without a glob among them nothing is listed. */
export async function selectedTables(
  client: DynamodbClient,
  globs: readonly string[] = [],
  signal: AbortSignal,
): Promise<readonly Table[]> {
  const plain = globs.length > 0 && globs.every((glob) => !/[*?]|^!/.test(glob));
  const wanted = globFilter(globs);
  const names = plain ? [...new Set(globs)] : (await listed(client, signal)).filter((name) => wanted(name));
  const tables = await inGroups(names.sort(), (name) => described(client, name, signal));
  // One that was listed and is gone was removed in between.
  return plain ? tables : tables.filter(({ unreadable }) => unreadable?.code !== 'table_missing');
}

/** Does `work` for each, some at a time; the results in the order of `all`. */
export async function inGroups<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += TABLES_AT_ONCE) {
    results.push(...(await Promise.all(all.slice(at, at + TABLES_AT_ONCE).map(work))));
  }
  return results;
}

async function listed(client: DynamodbClient, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await client.list(after, signal);
    names.push(...page.names);
    if (page.last === undefined) return names;
    after = page.last;
  }
}

async function described(client: DynamodbClient, name: string, signal: AbortSignal): Promise<Table> {
  try {
    return tableOf(name, await client.describe(name, signal));
  } catch (error) {
    const fault = toFault(error, `reading ${name}`, classify);
    if (!isOfOneTable(fault)) throw fault;
    return { name, key: [], id: '', rows: 0, bytes: 0, unreadable: fault };
  }
}

/** Whether a fault says something about one table, so that the others are read. */
export function isOfOneTable({ code }: Fault): boolean {
  return ['permission_denied', 'table_missing', 'table_not_ready', 'encryption_key_unusable'].includes(code);
}

function tableOf(name: string, description: TableDescription): Table {
  const { KeySchema = [], AttributeDefinitions = [], TableId, CreationDateTime } = description;
  const types = new Map(AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType ?? '']));
  const key = KeySchema.map(({ AttributeName = '' }): Column => {
    const [type, native] = SCALARS[types.get(AttributeName) ?? ''] ?? ['json', 'json'];
    return { name: AttributeName, type, nullable: false, native: `${attributes.name}/${native}` };
  });
  const unreadable = unreadableState(name, description.TableStatus);
  return {
    name,
    key,
    id: TableId ?? CreationDateTime?.toISOString() ?? '',
    rows: description.ItemCount ?? 0,
    bytes: description.TableSizeBytes ?? 0,
    ...(unreadable && { unreadable }),
  };
}

function unreadableState(name: string, state: string | undefined): Fault | undefined {
  const doing = `reading ${name}`;
  switch (state) {
    case 'CREATING':
      return new Fault('transient', 'table_not_ready', `${doing}: the table is being made`, {
        hint: 'It is read by the next sync.',
      });
    case 'DELETING':
      return new Fault('config', 'table_missing', `${doing}: the table is being removed`, {
        hint: 'Leave it out of "tables".',
      });
    case 'ARCHIVING':
    case 'ARCHIVED':
    case 'INACCESSIBLE_ENCRYPTION_CREDENTIALS':
      return new Fault('config', 'encryption_key_unusable', `${doing}: its KMS key cannot be used (${state})`, {
        hint: 'Enable the KMS key of the table, or leave the table out of "tables".',
      });
    default:
      return undefined;
  }
}
