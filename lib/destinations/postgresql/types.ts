import type { Column, ColumnType } from '../../core/schema';
import type { Session } from './session';

/** The type that holds every value of a column type. */
export const DEFAULT_TYPES: { readonly [type in ColumnType]: string } = {
  bool: 'boolean',
  int32: 'integer',
  int64: 'bigint',
  float64: 'double precision',
  decimal: 'numeric',
  text: 'text',
  bytes: 'bytea',
  date: 'date',
  time: 'time without time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  uuid: 'uuid',
  json: 'jsonb',
};

const DIALECT = 'postgresql/';

/** A type name as PostgreSQL writes it, and nothing else: it is put into statements. */
const TYPE_NAME =
  /^(?:"char"|[a-z_][a-z0-9_]*(?: [a-z]+){0,3}(?:\(\d{1,4}(?:,-?\d{1,4})?\))?(?: with(?:out)? time zone)?)(?:\[\])*$/;

/** How a column is stored. */
export interface StoredType {
  /** As `format_type` writes it. */
  readonly sql: string;
  /** It is the source's own type, so that its binary form fits too. */
  readonly exact: boolean;
}

/** Chooses stored types; what the server said about a type is remembered. */
export interface TypeCatalog {
  storedTypes(session: Session, columns: readonly Column[]): Promise<readonly StoredType[]>;
}

/** A catalog that asks the server once per type name. */
export function typeCatalog(): TypeCatalog {
  const known = new Map<string, string | undefined>();
  return {
    async storedTypes(session, columns) {
      const natives = new Set(columns.map(nativeName).filter((name) => name !== undefined));
      const unknown = [...natives].filter((name) => !known.has(name));
      if (unknown.length > 0) {
        const resolved = await resolve(session, unknown);
        for (const name of unknown) known.set(name, resolved.get(name));
      }
      return columns.map((column) => storedType(column, known));
    },
  };
}

function nativeName({ native }: Column): string | undefined {
  if (!native.startsWith(DIALECT)) return undefined;
  const name = native.slice(DIALECT.length).replaceAll(', ', ',');
  return TYPE_NAME.test(name) ? name : undefined;
}

function storedType(column: Column, known: ReadonlyMap<string, string | undefined>): StoredType {
  const native = nativeName(column);
  const kept = native === undefined ? undefined : known.get(native);
  if (kept !== undefined) return { sql: kept, exact: true };
  return { sql: DEFAULT_TYPES[column.type], exact: !column.native.startsWith(DIALECT) };
}

/**
 * The canonical names of those types that the server ships itself. Types that name objects of their own server
 * (`regclass`) mean something else on another one.
 */
async function resolve(session: Session, names: readonly string[]): Promise<Map<string, string>> {
  const bases = names.map((name) => name.replace(/\(.*\)/, ''));
  const rows = await session.query(
    `SELECT n.ordinality AS place FROM unnest($1::text[]) WITH ORDINALITY n(name, ordinality)
     JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(n.name)
     LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
     WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm')
       AND coalesce(e.typname, t.typname) !~ '^(reg|pg_node_tree|pg_ndistinct|pg_dependencies|pg_mcv_list|pg_brin|gtsvector|aclitem)'
       AND coalesce(e.typtype, 'b') IN ('b', 'r', 'm')`,
    [arrayLiteral(bases)],
  );
  const builtin = rows.flatMap((row) => names[Number(row.place) - 1] ?? []);
  if (builtin.length === 0) return new Map();
  const fields = await session.describe(`SELECT ${builtin.map((name) => `NULL::${name}`).join(', ')}`);
  const formatted = await session.query(
    `SELECT pg_catalog.format_type(t, m) AS name
     FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY u(t, m, place) ORDER BY place`,
    [
      arrayLiteral(fields.map((field) => String(field.type))),
      arrayLiteral(fields.map((field) => String(field.modifier))),
    ],
  );
  return new Map(builtin.map((name, place) => [name, formatted[place]?.name ?? name]));
}

/** A PostgreSQL array of texts. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
