import { concurrent, type types } from 'cassandra-driver';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { type CassandraServer, cassandra, startCassandra } from '../servers/cassandra';
import { freePort } from '../servers/port';

const SEEDED: StreamSchema = {
  stream: 'contract_items',
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'cassandra/bigint' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'cassandra/decimal' },
    { name: 'name', type: 'text', nullable: true, native: 'cassandra/text' },
    { name: 'note', type: 'text', nullable: true, native: 'cassandra/text' },
    { name: 'updated_at', type: 'timestamptz', nullable: true, native: 'cassandra/timestamp' },
  ],
};
const INSERT = 'insert into shop.contract_items (id, amount, name, note, updated_at) values (?, ?, ?, ?, ?)';
const LARGE_ROW = 32 << 10;

/** One node, with logins and rights. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: cassandra().name,
    kind: 'real',
    unavailable: () => cassandra().unavailable(),
    start: async () => runningSource(await startCassandra()),
  },
];

/** The configuration of a source that reads a test server. */
export function configOf({ host, port, user, password }: CassandraServer) {
  return {
    connection: { host, port, keyspace: 'shop', username: user, password },
    // All writers are on this machine, and wait for their answers.
    settle_time: '100ms',
  };
}

/** The keyspace that tests read. */
export async function makeKeyspace({ client }: CassandraServer): Promise<void> {
  await client.execute(
    `create keyspace if not exists shop with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
}

/** Runs a statement once for each list of values. */
export async function executeMany(
  { client }: CassandraServer,
  cql: string,
  values: readonly (readonly unknown[])[],
): Promise<void> {
  await concurrent.executeConcurrent(client, cql, values as unknown[][], { concurrencyLevel: 32 });
}

async function runningSource(server: CassandraServer): Promise<RunningSource> {
  const { client } = server;
  await makeKeyspace(server);
  const config = configOf(server);
  const write = async (ids: readonly number[], change: number): Promise<Row[]> => {
    const at = new Date();
    const items = ids.map((id) => item(id, change, at));
    await executeMany(
      server,
      INSERT,
      items.map(({ values }) => values),
    );
    return items.map(({ row }) => row);
  };
  return {
    config,
    required: ['connection', 'connection.host', 'connection.keyspace'],
    secrets: [server.password],
    expected: SEEDED,
    cursor: 'updated_at',
    wrongPassword: () => ({ ...config, connection: { ...config.connection, password: 'not-the-password' } }),
    closedPort: async () => ({ ...config, connection: { ...config.connection, port: await freePort() } }),
    async seed(count) {
      await client.execute('drop table if exists shop.contract_items');
      await client.execute(`create table shop.contract_items
        (id bigint primary key, amount decimal, name text, note text, updated_at timestamp)`);
      return write(
        Array.from({ length: count }, (_, index) => index + 1),
        0,
      );
    },
    insert: (ids) => write(ids, 0),
    update: (ids) => write(ids, 1),
    remove: (ids) =>
      executeMany(
        server,
        'delete from shop.contract_items where id = ?',
        ids.map((id) => [String(id)]),
      ),
    async addColumn(name) {
      await client.execute(`alter table shop.contract_items add "${name.replaceAll('"', '""')}" int`);
    },
    async seedLarge(bytes) {
      await client.execute('create table if not exists shop.contract_large (id int primary key, filling text)');
      await client.execute('truncate shop.contract_large');
      const filling = 'x'.repeat(LARGE_ROW);
      const rows = Array.from({ length: Math.ceil(bytes / LARGE_ROW) }, (_, id) => [id, filling]);
      await executeMany(server, 'insert into shop.contract_large (id, filling) values (?, ?)', rows);
      return 'contract_large';
    },
    async openConnections() {
      const { rows } = await client.execute('select username from system_views.clients');
      return rows.filter((row: types.Row) => row.get('username') === server.user).length;
    },
    stop: () => server.stop(),
  };
}

function item(id: number, change: number, at: Date): { readonly values: unknown[]; readonly row: Row } {
  const amount = (id * 1.25 + change).toFixed(2);
  const name = `name "${id}"\t\\ \n é 🙂`;
  const note = id % 3 === 0 ? 'note' : null;
  const shown = at.toISOString().replace('T', ' ').replace('Z', '+00').replace('.000+', '+');
  return { values: [String(id), amount, name, note, at], row: [BigInt(id), amount, name, note, shown] };
}
