import { globFilter } from '../../core/globs';
import type { SqlSession } from '../shared/sql/session';
import { type CatalogTable, readCatalog, type TableName } from './catalog';
import type { MssqlConfig } from './config';
import { streamOf } from './identifiers';
import { hiddenRelation, type MssqlRelation, relationOf, tableMissing } from './relation';
import type { MssqlColumn, TypeOptions } from './types';

type Session = SqlSession<MssqlColumn>;

/** The relations that the configuration selects, sorted; with those that it names and that are not shown to the user. */
export async function selectedRelations(session: Session, config: MssqlConfig): Promise<readonly MssqlRelation[]> {
  const selected = globFilter(config.tables ?? []);
  const tables = await readCatalog(session);
  const shown = new Set(tables.map(nameOf));
  const relations = tables
    .filter((table) => selected(nameOf(table)))
    .map((table) => relationOf(table, typeOptions(config)));
  const named = (config.tables ?? []).filter((name) => !/[*?!]/.test(name) && !shown.has(name) && selected(name));
  const all = [...relations, ...named.map(hiddenRelation)];
  return all.sort((left, right) => (left.info.schema.stream < right.info.schema.stream ? -1 : 1));
}

/** One of them. @throws Fault `config`/`table_missing` */
export async function relationNamed(session: Session, stream: string, config: MssqlConfig): Promise<MssqlRelation> {
  for (const name of possibleTables(stream)) {
    const [table] = await readCatalog(session, name);
    if (table) return relationOf(table, typeOptions(config));
  }
  throw tableMissing(stream);
}

// Names may hold a dot, too.
function possibleTables(stream: string): TableName[] {
  const places = [...stream.matchAll(/\./g)].map(({ index }) => index);
  const others = places.map((place) => ({ schema: stream.slice(0, place), name: stream.slice(place + 1) }));
  return [{ schema: 'dbo', name: stream }, ...others.filter(({ schema }) => schema !== 'dbo')];
}

function nameOf({ schema, name }: CatalogTable): string {
  return streamOf(schema, name);
}

function typeOptions({ seven_digits: sevenDigits = 'text' }: MssqlConfig): TypeOptions {
  return { sevenDigits };
}
