import { bound, sql } from '../shared/sql/fragment';
import type { SqlSession } from '../shared/sql/session';
import type { SqliteColumn } from './columns';

/** A column as the file tells it. */
export interface CatalogColumn {
  readonly name: string;
  readonly declared: string;
  readonly nullable: boolean;
  /** The place in the primary key from 1; 0 for no part of it. */
  readonly keyPlace: number;
  /** Another name of the rowid: always a number, never null, unique. */
  readonly rowidAlias: boolean;
}

/** One index over whole columns: all rows are in it. */
export interface CatalogIndex {
  readonly unique: boolean;
  readonly primary: boolean;
  readonly columns: readonly { readonly name: string; readonly collation: string }[];
}

/** What the file says of one table or view. */
export interface CatalogTable {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'virtual';
  readonly withoutRowid: boolean;
  readonly strict: boolean;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

type Session = SqlSession<SqliteColumn>;
type Listed = Pick<CatalogTable, 'name' | 'kind' | 'withoutRowid' | 'strict'>;

/** The tables and views of a file, or those of one name; the tables in which virtual tables keep their data are none. */
export async function listTables(session: Session, name?: string): Promise<readonly Listed[]> {
  // All text is asked for as bytes: a session says why.
  const rows = await session.query(sql`
    select cast(name as blob), type, wr, strict from pragma_table_list
    where schema = 'main' and type in ('table', 'view', 'virtual') and name not like 'sqlite\\_%' escape '\\'
    ${name === undefined ? '' : sql`and name = ${bound(name)}`} order by name`);
  return rows.map(([table, kind, withoutRowid, strict]) => ({
    name: table ?? '',
    kind: kind as Listed['kind'],
    withoutRowid: withoutRowid === '1',
    strict: strict === '1',
  }));
}

/** What the file says of one of them. */
export async function describeTable(session: Session, listed: Listed): Promise<CatalogTable> {
  const { name, kind, withoutRowid } = listed;
  const indexes = kind === 'table' ? await readIndexes(session, name) : [];
  const rows = await session.query(sql`
    select cast(name as blob), cast(type as blob), "notnull", pk
    from pragma_table_xinfo(${bound(name)}, 'main') where hidden <> 1 order by cid`);
  const keyLength = rows.filter(([, , , place]) => place !== '0').length;
  const ownIndex = withoutRowid || indexes.some(({ primary }) => primary);
  const columns = rows.map(([column, type, notNull, place]): CatalogColumn => {
    const inKey = place !== '0';
    const rowidAlias = inKey && keyLength === 1 && !ownIndex && /^integer$/i.test(type ?? '');
    return {
      name: column ?? '',
      declared: type ?? '',
      nullable: notNull === '0' && !rowidAlias && !(withoutRowid && inKey),
      keyPlace: Number(place),
      rowidAlias,
    };
  });
  return { ...listed, columns, indexes };
}

async function readIndexes(session: Session, table: string): Promise<CatalogIndex[]> {
  const rows = await session.query(sql`
    select i.seq, i."unique", i.origin, cast(x.name as blob), cast(x.coll as blob)
    from pragma_index_list(${bound(table)}, 'main') i join pragma_index_xinfo(i.name, 'main') x
    where x.key = 1 and not i.partial order by i.seq, x.seqno`);
  const numbers = [...new Set(rows.map(([number]) => number))];
  return numbers.flatMap((number) => {
    const own = rows.filter(([other]) => other === number);
    // An expression has no name.
    if (own.some(([, , , column]) => column === null)) return [];
    const [, unique, origin] = own[0] ?? [];
    const columns = own.map(([, , , column, collation]) => ({ name: column ?? '', collation: collation ?? '' }));
    return [{ unique: unique === '1', primary: origin === 'pk', columns }];
  });
}
