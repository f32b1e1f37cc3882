import type { Value } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { LookupRequest } from '../../core/pipeline';
import { errorCode } from './classify';
import { DELETED_AT, quoted } from './names';
import { type Session, transaction } from './session';
import { arrayLiteral } from './types';

const LONGEST_MS = 30_000;
const QUERY_CANCELED = '57014';
const INSUFFICIENT_PRIVILEGE = '42501';

interface Found {
  readonly name: string;
  readonly matchType: string;
  readonly softDeletes: boolean;
}

/**
 * See `Destination.lookup`. The keys become values of the column's type, so that an index of it is used; keys that are none
 * are compared as text. A table without a schema is one of the integration itself. Of several rows the smallest value counts.
 */
export async function lookupValues(
  session: Session,
  namespace: string,
  request: LookupRequest,
): Promise<ReadonlyMap<string, Value>> {
  const keys = arrayLiteral(request.keys.filter((key) => !key.includes('\0')));
  const table = await describe(session, namespace, request);
  const ask = (condition: string) => answer(session, table, request, condition, keys);
  try {
    return await ask(`t.${quoted(request.match)} = k.key::${table.matchType}`);
  } catch (error) {
    if (errorCode(error)?.startsWith('22') !== true) throw error;
    return await ask(`t.${quoted(request.match)}::text = k.key`);
  }
}

async function answer(
  session: Session,
  { name, softDeletes }: Found,
  { table, value }: LookupRequest,
  condition: string,
  keys: string,
): Promise<ReadonlyMap<string, Value>> {
  const alive = softDeletes ? ` AND t.${quoted(DELETED_AT)} IS NULL` : '';
  try {
    const rows = await transaction(session, async () => {
      await session.query(`SET LOCAL transaction_read_only = on`);
      await session.query(`SET LOCAL statement_timeout = ${LONGEST_MS}`);
      return session.query(
        `SELECT k.key, min(t.${quoted(value)}::text COLLATE "C") AS value
         FROM unnest($1::text[]) AS k(key) JOIN ${name} AS t ON ${condition}${alive} GROUP BY k.key`,
        [keys],
      );
    });
    return new Map(rows.map((row) => [row.key ?? '', row.value ?? null]));
  } catch (error) {
    throw lookupFault(error, table) ?? error;
  }
}

function lookupFault(error: unknown, table: string): Fault | undefined {
  const code = errorCode(error);
  if (code === QUERY_CANCELED) {
    return new Fault(
      'transient',
      'lookup_too_slow',
      `looking into ${table}: it took more than ${LONGEST_MS / 1000} s`,
      {
        cause: error,
        hint: 'Create an index on the column in "match".',
      },
    );
  }
  if (code !== INSUFFICIENT_PRIVILEGE) return undefined;
  return new Fault('config', 'permission_denied', `looking into ${table}: permission denied`, {
    cause: error,
    hint: 'Grant the role of the destination USAGE on the schema and SELECT on the table.',
  });
}

async function describe(session: Session, namespace: string, { table, match, value }: LookupRequest): Promise<Found> {
  const dot = table.indexOf('.');
  const schema = dot < 0 ? namespace : table.slice(0, dot);
  const relation = table.slice(dot + 1);
  const rows = await session.query(
    `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, -1) AS type
     FROM pg_catalog.pg_class AS c
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [schema, relation],
  );
  if (rows.length === 0) {
    throw new Fault('config', 'lookup_table_not_found', `looking into ${table}: the destination has no such table`, {
      hint: 'Name it as schema.table, in the letters that the destination shows. Load it before what looks into it.',
    });
  }
  const types = new Map(rows.map((row) => [row.name ?? '', row.type ?? '']));
  for (const column of [match, value]) {
    if (types.has(column)) continue;
    throw new Fault('config', 'lookup_column_not_found', `looking into ${table}: it has no column "${column}"`, {
      hint: `It has ${[...types.keys()].slice(0, 20).join(', ')}.`,
    });
  }
  return {
    name: `${quoted(schema)}.${quoted(relation)}`,
    matchType: types.get(match) ?? 'text',
    softDeletes: types.has(DELETED_AT),
  };
}
