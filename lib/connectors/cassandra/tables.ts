import type { StreamSchema } from '../../core/schema';
import type { Cluster } from './client';
import { type Table, type TableColumn, tableMissing, tableOf } from './table';

const COLUMNS = 'table_name, column_name, type, kind, position, clustering_order';

/** The tables of one keyspace as the catalog has them, with schemas that stay the same until they change. */
export class Tables {
  readonly #cluster: Cluster;
  readonly #keyspace: string;
  readonly #schemas = new Map<string, StreamSchema>();

  constructor(cluster: Cluster, keyspace: string) {
    this.#cluster = cluster;
    this.#keyspace = keyspace;
  }

  /** Those whose names are wanted, sorted. Materialized views and indexes are none. */
  async list(signal: AbortSignal, wanted: (name: string) => boolean): Promise<Table[]> {
    const names = await this.#cluster.system(signal, {
      cql: 'select table_name from system_schema.tables where keyspace_name = ?',
      values: [this.#keyspace],
    });
    const chosen = new Map<string, TableColumn[]>();
    for (const row of names) {
      const name = String(row.get('table_name'));
      if (wanted(name)) chosen.set(name, []);
    }
    const rows = await this.#cluster.system(signal, {
      cql: `select ${COLUMNS} from system_schema.columns where keyspace_name = ?`,
      values: [this.#keyspace],
    });
    for (const row of rows) chosen.get(String(row.get('table_name')))?.push(tableColumn(row));
    const sorted = [...chosen].sort(([left], [right]) => (left < right ? -1 : 1));
    return sorted.map(([name, columns]) => this.#remember(tableOf(this.#keyspace, name, columns)));
  }

  /** Whether there is the keyspace. */
  async hasKeyspace(signal: AbortSignal): Promise<boolean> {
    const cql = 'select keyspace_name from system_schema.keyspaces where keyspace_name = ?';
    return (await this.#cluster.system(signal, { cql, values: [this.#keyspace] })).length > 0;
  }

  /** The table of a stream, as it is now. @throws Fault `config`/`table_missing` */
  async describe(signal: AbortSignal, stream: string): Promise<Table> {
    const rows = await this.#cluster.system(signal, {
      cql: `select ${COLUMNS} from system_schema.columns where keyspace_name = ? and table_name = ?`,
      values: [this.#keyspace, stream],
    });
    if (rows.length === 0) throw tableMissing(stream);
    return this.#remember(tableOf(this.#keyspace, stream, rows.map(tableColumn)));
  }

  #remember(table: Table): Table {
    const former = this.#schemas.get(table.name);
    if (former && JSON.stringify(former) === JSON.stringify(table.schema)) return { ...table, schema: former };
    this.#schemas.set(table.name, table.schema);
    return table;
  }
}

function tableColumn(row: { get(name: string): unknown }): TableColumn {
  return {
    name: String(row.get('column_name')),
    type: String(row.get('type')),
    kind: String(row.get('kind')) as TableColumn['kind'],
    position: Number(row.get('position')),
    descending: row.get('clustering_order') === 'desc',
  };
}
