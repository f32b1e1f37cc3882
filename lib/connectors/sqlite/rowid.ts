import type { CatalogTable } from './catalog';

const NAMES = ['rowid', '_rowid_', 'oid'];

/** The name by which the rowid of a table can be had; `undefined` where it has none, or all its names are taken. */
export function rowidOf({ kind, withoutRowid, columns }: CatalogTable): string | undefined {
  if (kind !== 'table' || withoutRowid) return undefined;
  const taken = new Set(columns.filter(({ rowidAlias }) => !rowidAlias).map(({ name }) => name.toLowerCase()));
  return NAMES.find((name) => !taken.has(name));
}
