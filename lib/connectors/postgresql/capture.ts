import type { Relation } from './relation';
import type { Session } from './session';

/** What decides whether the changes of a table can be followed. */
export interface CaptureFacts {
  /** `pg_class.relreplident`: d primary key, f all columns, i an index, n nothing. */
  readonly identity: string;
  readonly isOwner: boolean;
  /** `pg_class.relpersistence`: p permanent, u unlogged. */
  readonly persistence: string;
  readonly generated: readonly string[];
  /** In the publication that the configuration names, where it names one. */
  readonly isPublished: boolean;
}

/** The facts of tables and partitioned tables, by oid. */
export async function captureFacts(
  session: Session,
  relations: readonly Relation[],
  published: ReadonlySet<number> | undefined,
): Promise<ReadonlyMap<number, CaptureFacts>> {
  const oids = relations.map(({ catalog }) => catalog.oid);
  const rows = await session.query(`
    select c.oid, c.relreplident, c.relpersistence, pg_has_role(c.relowner, 'USAGE') as owner,
      (select coalesce(json_agg(a.attname order by a.attnum), '[]') from pg_attribute a
        where a.attrelid = c.oid and a.attgenerated <> '' and not a.attisdropped) as generated
    from pg_class c where c.relkind in ('r', 'p') and c.oid = any (array[${oids.join(',')}]::oid[])`);
  return new Map(
    rows.map((row) => {
      const oid = Number(row.oid);
      const facts: CaptureFacts = {
        identity: row.relreplident ?? 'n',
        isOwner: row.owner === 't',
        persistence: row.relpersistence ?? 'p',
        generated: JSON.parse(row.generated ?? '[]') as string[],
        isPublished: published?.has(oid) ?? true,
      };
      return [oid, facts] as const;
    }),
  );
}

/** Why the changes of a relation cannot be followed, and what would help; `undefined` where they can. */
export function whyNotCaptured(
  { catalog, schema }: Relation,
  facts: CaptureFacts | undefined,
  publication: string | undefined,
): string | undefined {
  if (facts === undefined) return 'only tables are in the log';
  if (facts.persistence !== 'p') return 'unlogged tables are not in the log';
  if (schema.key.length === 0) return 'it has no key; add a primary key';
  if (facts.generated.length > 0) return `generated columns are not in the log: ${facts.generated.join(', ')}`;
  const money = catalog.columns.find(({ typeName }) => typeName === '_money');
  if (money) return `arrays of money are written in another form in the log than in the table: ${money.name}`;
  if (!identifies({ catalog, schema }, facts.identity)) {
    return 'its replica identity is not its key; set it with ALTER TABLE ... REPLICA IDENTITY';
  }
  if (publication !== undefined) {
    return facts.isPublished
      ? undefined
      : `publication ${publication} does not hold it; ALTER PUBLICATION ... ADD TABLE`;
  }
  if (facts.isOwner) return undefined;
  return 'the role does not own it, so it cannot publish it; let the owner make a publication and name it in connection.publication';
}

/** Whether a deleted row is told with its key. */
function identifies({ catalog, schema }: Pick<Relation, 'catalog' | 'schema'>, identity: string): boolean {
  if (identity === 'f') return true;
  const index = catalog.indexes.find(({ primary, replica }) => (identity === 'd' ? primary : replica));
  return identity !== 'n' && index !== undefined && [...index.columns].sort().join() === [...schema.key].sort().join();
}
