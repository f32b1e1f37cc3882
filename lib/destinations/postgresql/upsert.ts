import { Op } from '../../core/batch';
import { DELETED_AT, quoted, SYNCED_AT } from './names';
import type { Shape } from './shape';
import { stagingColumn } from './staging';
import type { StoredColumns } from './table';

/** From where to where rows go. */
export interface Move {
  readonly shape: Shape;
  readonly stored: StoredColumns;
  /** Both as they stand in statements. */
  readonly table: string;
  readonly staging: string;
  readonly softDeletes: boolean;
}

/** Adds the staged rows. */
export function appendStatement(move: Move): string {
  return `INSERT INTO ${move.table} (${names(move)}) SELECT ${values(move)} FROM ${move.staging} s`;
}

/** Adds or replaces the staged rows by key; each key may be there once. */
export function upsertStatement(move: Move): string {
  return `${appendStatement(move)} ${onConflict(move)}`;
}

/** The same, where a key may be there several times: the last of it counts, by `order`. */
export function lastUpsertStatement(move: Move, order: 'seq' | 'ctid'): string {
  return `INSERT INTO ${move.table} (${names(move)}) SELECT DISTINCT ON (${keyValues(move)}) ${values(move)}
    FROM ${move.staging} s ORDER BY ${keyValues(move)}, s.${order} DESC ${onConflict(move)}`;
}

/** Applies staged operations, the last of each key; rows that leave cells unchanged are not among them. */
export function operationStatements(move: Move): readonly string[] {
  const last = (filter: string) =>
    `(SELECT DISTINCT ON (${keyValues(move)}) s.* FROM ${move.staging} s WHERE ${filter} ORDER BY ${keyValues(move)}, s.seq DESC) s`;
  const put = (filter: string) => `INSERT INTO ${move.table} (${names(move)}) SELECT ${values(move)}
    FROM ${last(filter)} WHERE s.op <> ${Op.Delete} AND s.unchanged IS NULL ${onConflict(move)}`;
  const removed = `FROM ${last('true')} WHERE s.op = ${Op.Delete} AND ${keyMatch(move)}`;
  if (!move.softDeletes) {
    return [`DELETE FROM ${move.table} t USING ${removed.slice('FROM '.length)}`, put('true')];
  }
  const mark = `UPDATE ${move.table} t SET ${DELETED_AT} = now(), ${SYNCED_AT} = now() ${removed}`;
  return [put(`s.op <> ${Op.Delete}`), mark];
}

/** The staged rows that keep cells of a stored row which is not there. */
export function missingStatement(move: Move): string {
  return `SELECT s.seq FROM ${move.staging} s WHERE s.unchanged IS NOT NULL
    AND NOT EXISTS (SELECT FROM ${move.table} t WHERE ${keyMatch(move)})`;
}

/** Applies staged updates that leave cells unchanged. */
export function partialStatement(move: Move): string {
  const sets = move.shape.columns.map(({ name }, place) => {
    const column = quoted(name);
    return `${column} = CASE WHEN substr(s.unchanged, ${place + 1}, 1) = '1' THEN t.${column} ELSE ${value(move, place)} END`;
  });
  return `UPDATE ${move.table} t SET ${[...sets, ...metadataSets(move)].join(', ')}
    FROM ${move.staging} s WHERE s.unchanged IS NOT NULL AND ${keyMatch(move)}`;
}

/** What a truncate at the source does. It is not TRUNCATE, which would take the rows away from running readers. */
export function truncateStatement({ table, softDeletes }: Pick<Move, 'table' | 'softDeletes'>): string {
  return softDeletes
    ? `UPDATE ${table} SET ${DELETED_AT} = now(), ${SYNCED_AT} = now() WHERE ${DELETED_AT} IS NULL`
    : `DELETE FROM ${table}`;
}

function names({ shape }: Move): string {
  return shape.columns.map(({ name }) => quoted(name)).join(', ');
}

function values(move: Move): string {
  return move.shape.columns.map((_, place) => value(move, place)).join(', ');
}

function value({ shape, stored }: Move, place: number): string {
  const column = shape.columns[place];
  const type = column && stored.get(column.name)?.type;
  const staged = `s.${stagingColumn(place)}`;
  return type === undefined || type === column?.type ? staged : `${staged}::${type}`;
}

function keyValues(move: Move): string {
  return move.shape.key.map((place) => value(move, place)).join(', ');
}

function keyMatch(move: Move): string {
  return move.shape.key
    .map((place) => `t.${quoted(move.shape.columns[place]?.name ?? '')} = ${value(move, place)}`)
    .join(' AND ');
}

function onConflict(move: Move): string {
  const key = move.shape.key.map((place) => quoted(move.shape.columns[place]?.name ?? ''));
  const sets = move.shape.columns
    .filter((_, place) => !move.shape.key.includes(place))
    .map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`);
  return `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${[...sets, ...metadataSets(move)].join(', ')}`;
}

function metadataSets({ softDeletes }: Move): string[] {
  return softDeletes ? [`${SYNCED_AT} = now()`, `${DELETED_AT} = NULL`] : [`${SYNCED_AT} = now()`];
}
