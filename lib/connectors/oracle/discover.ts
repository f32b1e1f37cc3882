import { globFilter } from '../../core/globs';
import type { SqlSession } from '../shared/sql/session';
import { type CatalogTable, readCatalog, type TableName } from './catalog';
import type { OracleConfig } from './config';
import { streamOf } from './identifiers';
import { hiddenRelation, type OracleRelation, type RelationOptions, relationOf, tableMissing } from './relation';
import { homeOf } from './session';
import type { OracleColumn } from './types';

type Session = SqlSession<OracleColumn>;

/** The relations that the configuration selects, sorted; with those that it names and that are not shown to the user. */
export async function selectedRelations(session: Session, config: OracleConfig): Promise<readonly OracleRelation[]> {
  const options = optionsOf(session, config);
  const { home } = options;
  const nameOf = ({ schema, name }: CatalogTable) => streamOf(home, schema, name);
  const selected = globFilter(config.tables ?? []);
  const ofSchema = globFilter(config.schemas ?? []);
  const all = await readCatalog(session, config.schemas === undefined ? { schema: home } : 'all');
  const tables = all.filter(({ schema }) => ofSchema(schema));
  const shown = new Set(tables.map(nameOf));
  const relations = tables.filter((table) => selected(nameOf(table))).map((table) => relationOf(table, options));
  const named = (config.tables ?? []).filter((name) => !/[*?!]/.test(name) && !shown.has(name) && selected(name));
  return [...relations, ...named.map(hiddenRelation)].sort((left, right) =>
    left.info.schema.stream < right.info.schema.stream ? -1 : 1,
  );
}

/** One of them. @throws Fault `config`/`table_missing` */
export async function relationNamed(session: Session, stream: string, config: OracleConfig): Promise<OracleRelation> {
  const options = optionsOf(session, config);
  for (const name of possibleTables(options.home, stream)) {
    const [table] = await readCatalog(session, name);
    if (table) return relationOf(table, options);
  }
  throw tableMissing(stream);
}

// Names may hold a dot, too.
function possibleTables(home: string, stream: string): TableName[] {
  const places = [...stream.matchAll(/\./g)].map(({ index }) => index);
  const others = places.map((place) => ({ schema: stream.slice(0, place), name: stream.slice(place + 1) }));
  return [{ schema: home, name: stream }, ...others.filter(({ schema }) => schema !== home)];
}

function optionsOf(session: Session, { nanoseconds = 'text', row_scn: rowScn = false }: OracleConfig): RelationOptions {
  return { home: homeOf(session), nanoseconds, rowScn };
}
