import type { StreamInfo } from '../../core/connector';
import { Fault } from '../../core/fault';
import { globFilter } from '../../core/globs';
import { captureFacts, whyNotCaptured } from './capture';
import { type CatalogRelation, catalogRelation, discoverSql } from './catalog';
import type { PostgresqlConfig } from './config';
import { publishedTables } from './publication';
import { type Relation, relationOf, streamInfo } from './relation';
import type { Session } from './session';

/** The relations that the configuration selects, sorted by the name of their stream. */
export async function selectedRelations(session: Session, config: PostgresqlConfig): Promise<readonly Relation[]> {
  const rows = await session.query(discoverSql({ extensions: config.tables !== undefined }));
  const wanted = selection(config);
  const relations = rows.map(catalogRelation).filter(wanted).map(relationOf);
  return relations.sort((left, right) => (left.schema.stream < right.schema.stream ? -1 : 1));
}

function selection(config: PostgresqlConfig): (relation: CatalogRelation) => boolean {
  const schemas = globFilter(config.schemas ?? []);
  const tables = globFilter(config.tables ?? []);
  return ({ schema, table }) => schemas(schema) && tables(table, `${schema}.${table}`);
}

/** What `discover` answers. Two tables whose streams would have one name are both refused. */
export function streamInfos(relations: readonly Relation[]): readonly StreamInfo[] {
  const seen = new Map<string, number>();
  for (const { schema } of relations) seen.set(schema.stream, (seen.get(schema.stream) ?? 0) + 1);
  return relations.map((relation) => {
    const info = streamInfo(relation);
    return seen.get(info.schema.stream) === 1 ? info : { ...info, unreadable: ambiguous(info.schema.stream) };
  });
}

/** The same with the mode of changes, or with why changes cannot be followed. */
export async function withChanges(
  session: Session,
  { connection }: PostgresqlConfig,
  relations: readonly Relation[],
  infos: readonly StreamInfo[],
): Promise<readonly StreamInfo[]> {
  const { publication } = connection;
  const published =
    publication === undefined ? undefined : ((await publishedTables(session, publication)) ?? new Set<number>());
  const facts = await captureFacts(session, relations, published);
  return relations.map((relation, index): StreamInfo => {
    const info = infos[index] as StreamInfo;
    const why = whyNotCaptured(relation, facts.get(relation.catalog.oid), publication);
    if (why === undefined) return { ...info, modes: [...info.modes, 'changes'] };
    return { ...info, notes: [...info.notes, `Its changes cannot be followed: ${why}.`] };
  });
}

function ambiguous(stream: string): Fault {
  return new Fault(
    'config',
    'ambiguous_name',
    `reading ${stream}: two tables have this name, because of the dots in it`,
    {
      hint: 'Select one of them by "schemas".',
    },
  );
}
