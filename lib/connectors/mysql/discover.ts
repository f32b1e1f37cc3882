import { globFilter } from '../../core/globs';
import type { SqlSession } from '../shared/sql/session';
import { readCatalog } from './catalog';
import type { MysqlConfig } from './config';
import type { Endpoint } from './endpoint';
import { mayProcess } from './open-transactions';
import { hiddenRelation, type MysqlRelation, relationOf } from './relation';
import type { MysqlColumn, TypeOptions } from './types';

/** The relations that the configuration selects, sorted; with those that it names and that are not shown to the user. */
export async function selectedRelations(
  session: SqlSession<MysqlColumn>,
  { database }: Endpoint,
  config: MysqlConfig,
): Promise<readonly MysqlRelation[]> {
  const selected = globFilter(config.tables ?? []);
  const tables = await readCatalog(session, database);
  const relations = tables
    .filter(({ name }) => selected(name))
    .map((table) => relationOf(database, table, typeOptions(config)));
  const shown = new Set(tables.map(({ name }) => name));
  const named = (config.tables ?? []).filter((name) => !/[*?!]/.test(name) && !shown.has(name) && selected(name));
  const told = (await mayProcess(session)) ? relations : relations.map(withMarginNote);
  const all = [...told, ...named.map(hiddenRelation)];
  return all.sort((left, right) => (left.info.schema.stream < right.info.schema.stream ? -1 : 1));
}

function withMarginNote(relation: MysqlRelation): MysqlRelation {
  const { info } = relation;
  if (info.cursors.length === 0) return relation;
  const note =
    'Without PROCESS, open transactions are not seen: increments by a time read the late_commit_margin again.';
  return { ...relation, info: { ...info, notes: [...info.notes, note] } };
}

/** How the configuration wants some types to be read. */
export function typeOptions({
  tinyint1_as_boolean: tinyint1AsBoolean = false,
  zero_dates: zeroDates = 'fail',
}: MysqlConfig): TypeOptions {
  return { tinyint1AsBoolean, zeroDates };
}
