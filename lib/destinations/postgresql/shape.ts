import { Fault } from '../../core/fault';
import type { Column, StreamSchema } from '../../core/schema';
import { columnName, DELETED_AT, SYNCED_AT, tableName } from './names';
import type { Session } from './session';
import type { TypeCatalog } from './types';

/** PostgreSQL's own limit of 1600 columns in a table, less what we add to a table and to the rows on their way to it. */
const MOST_COLUMNS = 1597;

/** One column as it is stored. */
export interface ShapeColumn {
  readonly source: Column;
  readonly name: string;
  /** As `format_type` writes it. */
  readonly type: string;
  /** Whether the binary form of the source's type is that of `type`. */
  readonly exact: boolean;
}

/** A schema bound to the names and types it has here. */
export interface Shape {
  readonly schema: StreamSchema;
  readonly table: string;
  readonly columns: readonly ShapeColumn[];
  /** Places of the key's columns in `columns`. */
  readonly key: readonly number[];
}

/** A place in the database that a shape is written to. */
export interface Target {
  readonly namespace: string;
  readonly softDeletes: boolean;
}

/** Binds a schema; each is bound once. */
export type Bind = (session: Session, schema: StreamSchema) => Promise<Shape>;

/** Makes a {@link Bind} that remembers. */
export function shapes(catalog: TypeCatalog): Bind {
  const bound = new WeakMap<StreamSchema, Shape>();
  return async (session, schema) => {
    const known = bound.get(schema);
    if (known) return known;
    checkWidth(schema);
    const types = await catalog.storedTypes(session, schema.columns);
    const columns = schema.columns.map((source, place): ShapeColumn => {
      const type = types[place];
      if (!type) throw new Fault('bug', 'type_missing', `storing ${schema.stream}: no type for ${source.name}`);
      return { source, name: columnName(source.name), type: type.sql, exact: type.exact };
    });
    checkNames(schema, columns);
    const shape = { schema, table: tableName(schema.stream), columns, key: keyPlaces(schema) };
    bound.set(schema, shape);
    return shape;
  };
}

/** The names of the key's columns as they are stored. */
export function keyColumns(shape: Shape): readonly string[] {
  return shape.key.flatMap((place) => shape.columns[place]?.name ?? []);
}

/** The columns we add to every table. */
export function metadataColumns(target: Target): readonly string[] {
  return target.softDeletes ? [SYNCED_AT, DELETED_AT] : [SYNCED_AT];
}

function keyPlaces(schema: StreamSchema): number[] {
  return schema.key.map((name) => {
    const place = schema.columns.findIndex((column) => column.name === name);
    if (place < 0)
      throw new Fault('bug', 'key_not_a_column', `storing ${schema.stream}: key ${name} is no column of it`);
    return place;
  });
}

function checkWidth(schema: StreamSchema): void {
  if (schema.columns.length <= MOST_COLUMNS) return;
  throw new Fault(
    'config',
    'too_many_columns',
    `storing ${schema.stream}: it has ${schema.columns.length} columns, and a PostgreSQL table holds ${MOST_COLUMNS} beside ours`,
    { hint: `Select at most ${MOST_COLUMNS} columns of ${schema.stream}.` },
  );
}

function checkNames(schema: StreamSchema, columns: readonly ShapeColumn[]): void {
  const seen = new Map<string, string>();
  for (const { name, source } of columns) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new Fault(
        'config',
        'column_name_collision',
        `storing ${schema.stream}: columns ${other} and ${source.name} would both be stored as ${name}`,
        { hint: 'Rename one of them in a mapping step, or leave one out.' },
      );
    }
    seen.set(name, source.name);
  }
}
