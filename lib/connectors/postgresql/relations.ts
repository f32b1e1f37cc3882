import type { StreamSchema } from '../../core/schema';
import { describeRelation, tableMissing } from './catalog';
import { possibleTables, quoteLiteral, quoteTable } from './identifiers';
import { type Relation, relationOf } from './relation';
import type { Session } from './session';

interface Name {
  readonly schema: string;
  readonly table: string;
  readonly kind: string;
}

const LOCKABLE = new Set(['r', 'p', 'v']);

/** What a source remembers of its streams: names for good, shapes until they change. */
export class Relations {
  readonly #names = new Map<string, Name>();
  readonly #schemas = new Map<string, StreamSchema>();
  readonly #extended = new Map<string, StreamSchema>();

  /** Keeps the identity of a schema that has not changed. */
  remember(relation: Relation): Relation {
    const { schema, table, kind } = relation.catalog;
    this.#names.set(relation.schema.stream, { schema, table, kind });
    return { ...relation, schema: sameUntilChanged(this.#schemas, relation.schema) };
  }

  /** The same for the schema with a record id. */
  rememberExtended(schema: StreamSchema): StreamSchema {
    return sameUntilChanged(this.#extended, schema);
  }

  /** The relation as the session's transaction sees it. */
  async describe(session: Session, stream: string): Promise<Relation> {
    const name = await this.resolve(session, stream);
    return this.remember(relationOf(await describeRelation(session, name.schema, name.table)));
  }

  /** The statements that keep a stream's table from being changed, for the start of a transaction. */
  async locks(session: Session, stream: string): Promise<string[]> {
    const { schema, table, kind } = await this.resolve(session, stream);
    return LOCKABLE.has(kind) ? [`LOCK TABLE ${quoteTable(schema, table)} IN ACCESS SHARE MODE`] : [];
  }

  /** The table behind a stream's name; outside of transactions the first time, as it fails for an unknown one. */
  async resolve(session: Session, stream: string): Promise<Name> {
    const known = this.#names.get(stream);
    if (known) return known;
    const pairs = possibleTables(stream).map(
      ({ schema, table }) => `(${quoteLiteral(schema)}, ${quoteLiteral(table)})`,
    );
    const [row] = await session.query(`
      select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where (n.nspname, c.relname) in (${pairs.join(',')}) and c.relkind in ('r','p','v','m','f')`);
    if (row === undefined) throw tableMissing(stream);
    const name = { schema: row.nspname ?? '', table: row.relname ?? '', kind: row.relkind ?? '' };
    this.#names.set(stream, name);
    return name;
  }
}

function sameUntilChanged(known: Map<string, StreamSchema>, schema: StreamSchema): StreamSchema {
  const former = known.get(schema.stream);
  if (former && JSON.stringify(former) === JSON.stringify(schema)) return former;
  known.set(schema.stream, schema);
  return schema;
}
