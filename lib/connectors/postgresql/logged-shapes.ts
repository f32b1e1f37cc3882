import type { Value } from '../../core/batch';
import type { Column, StreamSchema } from '../../core/schema';
import { RESOLVED_DOMAINS } from './catalog';
import { quoteLiteral } from './identifiers';
import { loggedMoney, loggedReader } from './logged-values';
import type { LoggedColumn, LoggedRelation, ReadCell } from './pgoutput';
import type { Relation } from './relation';
import type { Session } from './session';
import { type CatalogColumn, readColumn } from './types';

/** In `pg_type`, the same everywhere. */
const MONEY_OID = 790;

/** How the changes of one table are read, until its shape changes. */
export interface LoggedShape {
  readonly schema: StreamSchema;
  /** For each column of the log its place in a row; negative: left out. */
  readonly places: readonly number[];
  readonly readers: readonly ReadCell<Value>[];
  /** Places of the key in a row. */
  readonly key: readonly number[];
  /** A row of nothing but nulls. */
  readonly empty: readonly null[];
}

/** Finds the shapes of tables that are followed, as the log tells them. */
export class LoggedShapes {
  readonly #followed = new Map<number, Relation>();
  readonly #schemas = new Map<number, StreamSchema>();
  readonly #shapes = new Map<number, LoggedShape>();
  readonly #ask: <T>(work: (session: Session) => Promise<T>) => Promise<T>;

  /** `relations` have the schemas that were asked for; `ask` runs a query beside the log. */
  constructor(relations: readonly Relation[], ask: <T>(work: (session: Session) => Promise<T>) => Promise<T>) {
    for (const relation of relations) {
      this.#followed.set(relation.catalog.oid, relation);
      this.#schemas.set(relation.catalog.oid, relation.schema);
    }
    this.#ask = ask;
  }

  /** The shape of a table; `undefined` for one that is not followed. */
  of(oid: number): LoggedShape | undefined {
    return this.#shapes.get(oid);
  }

  /** Takes in a shape from the log. */
  async learn(logged: LoggedRelation): Promise<void> {
    const relation = this.#followed.get(logged.oid);
    if (relation === undefined) return;
    const types = await this.#ask((session) => typesOf(session, logged.columns));
    const money = types.some(isMoney) ? loggedMoney(await this.#ask(moneyDecimals)) : undefined;
    const hidden = new Set(relation.catalog.columns.filter(({ readable }) => !readable).map(({ name }) => name));
    const visible = types.filter(({ name }) => !hidden.has(name));
    const columns = visible.map((type) => knownColumn(readColumn(type).column, relation, logged));
    const key = relation.schema.key.filter((name) => visible.some((type) => type.name === name));
    const schema = this.#remember(logged.oid, { stream: relation.schema.stream, columns, key });
    this.#shapes.set(logged.oid, {
      schema,
      places: types.map((type) => visible.indexOf(type)),
      readers: types.map((type) => (isMoney(type) && money) || loggedReader(readColumn(type).column)),
      key: key.map((name) => columns.findIndex((column) => column.name === name)),
      empty: columns.map(() => null),
    });
  }

  /** The schema stays the same object until it changes. */
  #remember(oid: number, schema: StreamSchema): StreamSchema {
    const former = this.#schemas.get(oid);
    if (former && JSON.stringify(former) === JSON.stringify(schema)) return former;
    this.#schemas.set(oid, schema);
    return schema;
  }
}

/** The log does not say what can be null: as the table has it now, where the column is still the same. */
function knownColumn(column: Column, { schema }: Relation, logged: LoggedRelation): Column {
  const now = schema.columns.find(({ name }) => name === column.name);
  if (now && now.type === column.type && now.native === column.native) return now;
  const isKey = logged.columns.some(({ name, isKey: identifies }) => name === column.name && identifies);
  return { ...column, nullable: !isKey };
}

function isMoney({ typeOid }: CatalogColumn): boolean {
  return typeOid === MONEY_OID;
}

async function moneyDecimals(session: Session): Promise<number> {
  const [row] = await session.query('select scale(0::money::numeric) as decimals');
  return Number(row?.decimals);
}

async function typesOf(session: Session, columns: readonly LoggedColumn[]): Promise<CatalogColumn[]> {
  const wanted = JSON.stringify(columns.map(({ typeOid, modifier }) => [typeOid, modifier]));
  const rows = await session.query(`
    with recursive ${RESOLVED_DOMAINS}
    select w.place, b.typname, b.oid, format_type(b.oid, coalesce(r.typmod, nullif((w.type->>1)::int, -1))) as formatted
    from json_array_elements(${quoteLiteral(wanted)}) with ordinality w (type, place)
      left join resolved r on r.oid = (w.type->>0)::oid
      left join pg_type b on b.oid = coalesce(r.base, (w.type->>0)::oid)
    order by w.place`);
  return columns.map(({ name, typeOid }, place) => {
    const row = rows[place];
    // A type that was dropped in the meantime: its values are texts.
    return {
      name,
      notNull: false,
      typeName: row?.typname ?? 'text',
      typeOid: Number(row?.oid ?? typeOid),
      formatted: row?.formatted ?? 'text',
    };
  });
}
