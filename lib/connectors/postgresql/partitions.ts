import { Fault } from '../../core/fault';
import { quoteLiteral } from './identifiers';
import { cutSegments, type Heap, hasPages, type Part } from './parts';
import type { Relation } from './relation';
import type { Session, TextRow } from './session';

/** The first version that finds a range of pages without reading all of them. */
export const TID_RANGE_VERSION = 140000;

/** Plans the parts of a relation, in a transaction under the snapshot `id`. */
export async function planParts(session: Session, relation: Relation, want: number, id: string): Promise<Part[]> {
  const heaps = await heapsOf(session, relation);
  if (heaps === undefined) return [{ kind: 'whole', snapshot: id }];
  // Before PostgreSQL 14 a range of pages is found only by reading all of them.
  const parts = cutSegments(heaps, session.version < TID_RANGE_VERSION ? 1 : want);
  return parts.map((segments) => ({ kind: 'pages', snapshot: id, segments }));
}

async function heapsOf(session: Session, { catalog, ...relation }: Relation): Promise<Heap[] | undefined> {
  // The system column ctid needs SELECT on the whole table.
  if (!catalog.selectable) return undefined;
  if (hasPages({ catalog, ...relation })) return (await storages(session, `c.oid = ${catalog.oid}`)).map(heap);
  // Row level security of the parent would be passed by, and that of a partition would be added.
  if (catalog.kind !== 'p' || catalog.rowSecurity) return undefined;
  const leaves = await storages(session, `c.oid in (select relid from pg_partition_tree(${catalog.oid}) where isleaf)`);
  return leaves.length > 0 && leaves.every((row) => row.readable === 't') ? leaves.map(heap) : undefined;
}

async function storages(session: Session, condition: string): Promise<readonly TextRow[]> {
  const rows = await session.query(`
    select format('%I.%I', n.nspname, c.relname) as name, pg_relation_filenode(c.oid)::text as filenode,
      c.relfilenode::text as seen, pg_relation_size(c.oid) / current_setting('block_size')::int8 as pages,
      c.relkind in ('r', 'm') and has_table_privilege(c.oid, 'SELECT') and has_schema_privilege(n.oid, 'USAGE')
        and not row_security_active(c.oid) as readable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${condition} order by 1`);
  const changed = rows.find((row) => row.filenode !== (row.seen === '0' ? null : row.seen));
  if (changed) throw rewritten(changed.name ?? '');
  return rows;
}

function heap(row: TextRow): Heap {
  return { name: row.name ?? '', filenode: row.filenode ?? '', pages: Number(row.pages) };
}

/** The fault for a table that was rewritten after the snapshot: it looks empty, or its rows lie elsewhere. */
export function rewritten(name: string): Fault {
  return new Fault('lost', 'table_rewritten', `${name} was rewritten or truncated after the full read began`, {
    hint: 'The full read begins anew by itself.',
  });
}

/** Refuses to read tables whose storage is not the one that was planned. */
export async function checkFilenodes(
  session: Session,
  segments: readonly { readonly name: string; readonly filenode: string }[],
): Promise<void> {
  const values = segments.map(({ name, filenode }) => `(${quoteLiteral(name)}, ${quoteLiteral(filenode)})`);
  const [row] = await session.query(`
    select min(name) as name from (values ${values.join(',')}) planned (name, filenode)
    where pg_relation_filenode(name::regclass)::text is distinct from filenode`);
  if (typeof row?.name === 'string') throw rewritten(row.name);
}
