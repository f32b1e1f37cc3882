import type { Session, TextRow } from './session';

/** Statements that give a new object what an old one has: owner, rights and comments. */
export interface Carried {
  readonly owner: string;
  readonly statements: readonly string[];
}

/**
 * What belongs to a table or view beside its definition, written for an object named `target` (as it stands in
 * statements). Things of columns that are not in `columns` stay behind.
 */
export async function carriedFrom(
  session: Session,
  oid: string,
  kind: 'TABLE' | 'VIEW',
  target: string,
  columns?: ReadonlySet<string>,
): Promise<Carried> {
  const [relation] = await session.query(
    'SELECT quote_ident(pg_get_userbyid(relowner)) AS owner, relacl IS NOT NULL AS restricted FROM pg_class WHERE oid = $1',
    [oid],
  );
  const owner = relation?.owner ?? 'CURRENT_USER';
  const grants = await session.query(
    `SELECT a.privilege_type AS privilege, NULL AS column_name, ${GRANTEE} AS grantee, a.is_grantable AS grantable
     FROM pg_class c CROSS JOIN aclexplode(c.relacl) a WHERE c.oid = $1
     UNION ALL
     SELECT a.privilege_type, t.attname, ${GRANTEE}, a.is_grantable
     FROM pg_attribute t CROSS JOIN aclexplode(t.attacl) a WHERE t.attrelid = $1 AND NOT t.attisdropped`,
    [oid],
  );
  const comments = await session.query(
    `SELECT NULL AS column_name, quote_literal(obj_description($1, 'pg_class')) AS comment
     UNION ALL SELECT attname, quote_literal(col_description($1, attnum)) FROM pg_attribute
     WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped`,
    [oid],
  );
  const stays = ({ column_name: column }: TextRow) => column == null || columns === undefined || columns.has(column);
  return {
    owner,
    statements: [
      ...(relation?.restricted === 't' ? [`REVOKE ALL ON ${target} FROM ${owner}`] : []),
      ...grants.filter(stays).map((row) => grantStatement(row, target)),
      ...comments.filter((row) => row.comment != null && stays(row)).map((row) => commentStatement(row, kind, target)),
    ],
  };
}

/** Takes away what default privileges gave to a new object, and hands it to its owner. */
export async function startAsOwner(session: Session, kind: 'TABLE' | 'VIEW', target: string, owner: string) {
  await session.query(`ALTER ${kind} ${target} OWNER TO ${owner}`);
  const others = await session.query(
    `SELECT DISTINCT ${GRANTEE} AS grantee FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
     WHERE c.oid = to_regclass($1) AND a.grantee <> c.relowner`,
    [target],
  );
  for (const { grantee } of others) await session.query(`REVOKE ALL ON ${target} FROM ${grantee}`);
}

const GRANTEE = `CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END`;

function grantStatement({ privilege, column_name: column, grantee, grantable }: TextRow, target: string): string {
  const columns = column == null ? '' : ` ("${column.replaceAll('"', '""')}")`;
  return `GRANT ${privilege}${columns} ON ${target} TO ${grantee}${grantable === 't' ? ' WITH GRANT OPTION' : ''}`;
}

function commentStatement({ column_name: column, comment }: TextRow, kind: string, target: string): string {
  const object = column == null ? `${kind} ${target}` : `COLUMN ${target}."${column.replaceAll('"', '""')}"`;
  return `COMMENT ON ${object} IS ${comment}`;
}
