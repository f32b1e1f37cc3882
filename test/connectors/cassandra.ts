import { auth, Client, concurrent, policies, type types } from 'cassandra-driver';
import { cassandraConfig } from '../../lib/connectors/cassandra/config';
import { endpointOf } from '../../lib/connectors/cassandra/endpoint';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { connectionOf, type GivenServer, type GivenSource, NOBODY, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import { recordingLogger } from '../contracts/recording-logger';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { type CassandraServer, cassandra, startCassandra } from '../servers/cassandra';
import { freePort } from '../servers/port';

const SEEDED: Omit<StreamSchema, 'stream'> = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'cassandra/bigint' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'cassandra/decimal' },
    { name: 'name', type: 'text', nullable: true, native: 'cassandra/text' },
    { name: 'note', type: 'text', nullable: true, native: 'cassandra/text' },
    { name: 'updated_at', type: 'timestamptz', nullable: true, native: 'cassandra/timestamp' },
  ],
};
const LARGE_ROW = 32 << 10;
// A mutation has at most half of a segment of the commit log; that of the test's node is small.
const LARGE_VALUE = 7 << 20;
const OF_CASSANDRA = {
  [TROUBLE.nulls]: 'no column of a primary key can be null',
  [TROUBLE.lost]: 'shown by cassandra-network.test.ts; the driver takes a second to come back each time',
  [TROUBLE.late]: 'there are no transactions; cassandra-increments.test.ts shows writes that come late',
  [TROUBLE.many]: 'Cassandra takes minutes to make them',
};

/** One node, with logins and rights. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: cassandra().name,
    kind: 'real',
    unavailable: () => cassandra().unavailable(),
    waivers: OF_CASSANDRA,
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
  { client }: Pick<CassandraServer, 'client'>,
  cql: string,
  values: readonly (readonly unknown[])[],
): Promise<void> {
  await concurrent.executeConcurrent(client, cql, values as unknown[][], { concurrencyLevel: 32 });
}

async function runningSource(server: CassandraServer): Promise<RunningSource> {
  const { client, host, port, user, password } = server;
  await makeKeyspace(server);
  const config = configOf(server);
  const changed = (fields: object) => ({ ...config, connection: { ...config.connection, ...fields } });
  return {
    ...sourceOf(client, 'shop', 'contract_'),
    config,
    secrets: [password],
    wrongPassword: () => changed({ password: 'not-the-password' }),
    noDatabase: () => changed({ keyspace: 'nowhere' }),
    closedPort: async () => changed({ port: await freePort() }),
    line: {
      host,
      port,
      through: (own) => changed({ port: own, connect_timeout: '500ms', statement_timeout: '500ms' }),
    },
    async openConnections() {
      const { rows } = await client.execute('select username from system_views.clients');
      return rows.filter((row: types.Row) => row.get('username') === user).length;
    },
    stop: () => server.stop(),
  };
}

/** The same on a cluster of the user's. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const connections = watchSockets();
  const { log } = recordingLogger();
  const { hosts, port, keyspace, login, tls } = endpointOf(cassandraConfig.parse(given.config).connection, log);
  const client = new Client({
    contactPoints: [...hosts],
    protocolOptions: { port },
    policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
    ...(login && { authProvider: new auth.PlainTextAuthProvider(login.username, login.password.reveal()) }),
    ...(tls && { sslOptions: tls }),
    monitorReporting: { enabled: false },
    socketOptions: { readTimeout: 60_000 },
    queryOptions: { prepare: true },
  });
  await client.connect();
  const own = await connections();
  const made = async (beginning: string) => {
    const { rows } = await client.execute('select table_name from system_schema.tables where keyspace_name = ?', [
      keyspace,
    ]);
    return rows.map((row: types.Row) => String(row.get('table_name'))).filter((name) => name.startsWith(beginning));
  };
  const config = { ...given.config, tables: [`${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const { username, password } = NOBODY;
  return {
    ...sourceOf(client, keyspace, prefix),
    config,
    secrets: [login?.password.reveal() ?? password],
    wrongPassword: () => changed({ username, password }),
    noDatabase: () => changed({ keyspace: `${prefix}nowhere` }),
    closedPort: async () => changed({ host: '127.0.0.1', port: await freePort() }),
    openConnections: async () => (await connections()) - own,
    notRun: {
      ...OF_CASSANDRA,
      ...(login === undefined && {
        'a wrong password is a fault of the configuration, with a hint':
          'without a login the cluster lets everybody in',
      }),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await client.execute(`drop table "${keyspace}"."${name}"`);
    },
    stop: () => client.shutdown(),
  };
}

function sourceOf(client: Client, keyspace: string, prefix: string): Omit<RunningSource, OfServer> {
  const place = (table: string) => `"${keyspace}"."${prefix}${table}"`;
  const items = place('items');
  const write = async (ids: readonly number[], change: number): Promise<Row[]> => {
    const at = new Date();
    const all = ids.map((id) => item(id, change, at));
    const values = all.map((one) => one.values);
    await executeMany(
      { client },
      `insert into ${items} (id, amount, name, note, updated_at) values (?, ?, ?, ?, ?)`,
      values,
    );
    return all.map(({ row }) => row);
  };
  return {
    required: ['connection', 'connection.host', 'connection.keyspace'],
    expected: { stream: `${prefix}items`, ...SEEDED },
    cursor: 'updated_at',
    async seed(count) {
      await client.execute(`drop table if exists ${items}`);
      await client.execute(`create table ${items}
        (id bigint primary key, amount decimal, name text, note text, updated_at timestamp)`);
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      return write(ids, 0);
    },
    insert: (ids) => write(ids, 0),
    update: (ids) => write(ids, 1),
    async remove(ids) {
      const values = ids.map((id) => [String(id)]);
      await executeMany({ client }, `delete from ${items} where id = ?`, values);
    },
    async addColumn(name) {
      await client.execute(`alter table ${items} add "${name.replaceAll('"', '""')}" int`);
    },
    async seedLarge(bytes) {
      const large = place('large');
      await client.execute(`create table if not exists ${large} (id int primary key, filling text)`);
      await client.execute(`truncate ${large}`);
      const filling = 'x'.repeat(LARGE_ROW);
      const rows = Array.from({ length: Math.ceil(bytes / LARGE_ROW) }, (_, id) => [id, filling]);
      await executeMany({ client }, `insert into ${large} (id, filling) values (?, ?)`, rows);
      return `${prefix}large`;
    },
    async seedNamed(_stream, column) {
      // Names of tables are letters, digits and underlines.
      const quoted = `"${column.replaceAll('"', '""')}"`;
      const named = place('Named');
      await client.execute(`drop table if exists ${named}`);
      await client.execute(`create table ${named} (id int primary key, ${quoted} text)`);
      await client.execute(`insert into ${named} (id, ${quoted}) values (1, 'here')`);
      return { stream: `${prefix}Named`, rows: [[1, 'here']] };
    },
    async seedText() {
      const text = place('text');
      await client.execute(`drop table if exists ${text}`);
      await client.execute(`create table ${text} (id int primary key, value text)`);
      await client.execute(`insert into ${text} (id, value) values (1, ?)`, ['x'.repeat(LARGE_VALUE)]);
      return { stream: `${prefix}text`, bytes: LARGE_VALUE };
    },
  };
}

function item(id: number, change: number, at: Date): { readonly values: unknown[]; readonly row: Row } {
  const amount = (id * 1.25 + change).toFixed(2);
  const name = `name "${id}"\t\\ \n é 🙂`;
  const note = id % 3 === 0 ? 'note' : null;
  const shown = at.toISOString().replace('T', ' ').replace('Z', '+00').replace('.000+', '+');
  return { values: [String(id), amount, name, note, at], row: [BigInt(id), amount, name, note, shown] };
}
