import type { StreamInfo } from '../../core/connector';
import { Fault, toFault } from '../../core/fault';
import { globFilter } from '../../core/globs';
import { classify } from './classify';
import type { Cluster } from './client';
import type { CassandraConfig } from './config';
import { estimates } from './estimates';
import { quoteIdentifier, quoteTable } from './identifiers';
import { streamInfo, type Table } from './table';
import type { Tables } from './tables';

const AT_A_TIME = 8;

/** The tables that the configuration selects, with what is known of each. */
export async function discover(
  signal: AbortSignal,
  cluster: Cluster,
  tables: Tables,
  { connection, tables: globs = [] }: CassandraConfig,
): Promise<readonly StreamInfo[]> {
  const { functions } = await cluster.facts(signal);
  const chosen = await tables.list(signal, globFilter(globs));
  if (chosen.length === 0 && !(await tables.hasKeyspace(signal))) throw keyspaceMissing(connection.keyspace);
  const sizes = await estimates(signal, cluster, connection.keyspace);
  const refusals = connection.username === undefined ? new Map() : await refused(signal, cluster, chosen);
  return chosen.map((table) => {
    const info = streamInfo(table, functions, sizes.get(table.name));
    const unreadable: Fault | undefined = refusals.get(table.name);
    return unreadable ? { ...info, unreadable } : info;
  });
}

function keyspaceMissing(keyspace: string): Fault {
  return new Fault('config', 'keyspace_missing', `there is no keyspace ${keyspace}`, {
    hint: 'Check connection.keyspace; upper and lower case count.',
  });
}

/** Those that may not be read: each is asked for a range that holds nothing. */
async function refused(signal: AbortSignal, cluster: Cluster, chosen: readonly Table[]): Promise<Map<string, Fault>> {
  const found = new Map<string, Fault>();
  for (let first = 0; first < chosen.length; first += AT_A_TIME) {
    await Promise.all(
      chosen.slice(first, first + AT_A_TIME).map(async (table) => {
        const fault = await refusal(signal, cluster, table);
        if (fault) found.set(table.name, fault);
      }),
    );
  }
  return found;
}

async function refusal(signal: AbortSignal, cluster: Cluster, table: Table): Promise<Fault | undefined> {
  const key = table.partition.map(({ name }) => quoteIdentifier(name)).join(', ');
  const source = quoteTable(table.keyspace, table.name);
  try {
    const cql = `select ${key} from ${source} where token(${key}) > 0 and token(${key}) <= 0`;
    await cluster.page(signal, { cql, rows: 1 });
    return undefined;
  } catch (error) {
    const fault = toFault(error, `reading ${table.name}`, classify);
    if (fault.code !== 'permission_denied') throw error;
    return fault;
  }
}
