import { Connection, Request } from 'tedious';
import { azureConfig, mssqlConfig } from '../../lib/connectors/mssql/config';
import { type Endpoint, endpointOf } from '../../lib/connectors/mssql/endpoint';
import type { Row } from '../../lib/core/batch';
import { rowOf, SEEDED } from '../connectors/mssql';
import { connectionOf, type GivenServer, type GivenSource, NOBODY, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import type { Config, RunningSource } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { freePort } from '../servers/port';

type Query = (statement: string) => Promise<unknown[][]>;

const VALUES = `g, concat(N'name "', g, N'"', nchar(9), N'\\ ', nchar(10), N' é 🙂'),
  case when g % 3 = 0 then N'note' end, g * 1.25, sysutcdatetime()`;
const INTO = '(id, name, note, amount, updated_at)';
const LARGE_VALUE = 16 << 20;
const NULLS: readonly Row[] = [
  [1, null],
  [1, 2],
  [2, null],
];

/** SQL Server or Azure SQL as a fixture, on a server of the user's. None could be had where this was written. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix, type, schema = 'dbo' } = given;
  const connections = watchSockets();
  const endpoint = endpointOf((type === 'azure_sql' ? azureConfig : mssqlConfig).parse(given.config));
  const client = await connected(endpoint);
  const late = await connected(endpoint);
  const query = queryOf(client);
  const [[snapshot, readCommitted] = []] = await query(
    'select snapshot_isolation_state, is_read_committed_snapshot_on from sys.databases where database_id = db_id()',
  );
  const isVersioned = Number(snapshot) === 1 || Boolean(readCommitted);
  const made = async (beginning: string) => {
    const found = await query(`select name from sys.tables
      where schema_id = schema_id(${text(schema)}) and left(name, ${beginning.length}) = ${text(beginning)}`);
    return found.map(([name]) => String(name));
  };
  const streams = schema === 'dbo' ? `${prefix}*` : `${schema}.${prefix}*`;
  const config = { ...given.config, tables: [streams] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const { host, port = 1433, tls } = endpoint;
  const server = 'host' in connectionOf(given) ? 'host' : 'server';
  return {
    ...sourceOf({ query, late: queryOf(late), prefix, schema }),
    config,
    required: ['connection', 'connection.database'],
    secrets: [endpoint.password?.reveal() ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    noDatabase: () => changed({ database: `${prefix}nowhere` }),
    closedPort: async () => changed({ [server]: '127.0.0.1', port: await freePort() }),
    ...(tls === undefined && {
      line: { host, port, through: (own) => changed({ [server]: '127.0.0.1', port: own, connect_timeout: '3s' }) },
    }),
    openConnections: connections,
    notRun: {
      [TROUBLE.noDatabase]: 'a database that is starting is answered for in the same way, so it is tried again',
      ...(!isVersioned && { [TROUBLE.late]: 'without ALLOW_SNAPSHOT_ISOLATION a reader waits for the writer' }),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await query(`drop table ${quoted(schema)}.${quoted(name)}`);
    },
    async stop() {
      client.close();
      late.close();
    },
  };
}

interface Place {
  readonly query: Query;
  /** For what is committed late. */
  readonly late: Query;
  readonly prefix: string;
  readonly schema: string;
}

function sourceOf({ query, late, prefix, schema }: Place): Omit<RunningSource, OfServer | 'required'> {
  const place = (table: string) => `${quoted(schema)}.${quoted(prefix + table)}`;
  const streamOf = (table: string) => (schema === 'dbo' ? prefix + table : `${schema}.${prefix}${table}`);
  const items = place('items');
  const anew = async (table: string, columns: string) => {
    const name = place(table);
    await query(`if object_id(${text(name)}) is not null drop table ${name}; create table ${name} (${columns})`);
    return { name, stream: streamOf(table) };
  };
  const chosen = (ids: readonly number[]) => `id in (${ids.join(', ')})`;
  const rows = async (condition: string, by = query) =>
    (
      await by(`select convert(varchar(20), id), name, note, convert(varchar(40), amount),
        convert(varchar(27), updated_at, 121), version from ${items} where ${condition}`)
    ).map(rowOf);
  const insert = async (ids: readonly number[], by = query) => {
    const values = ids.map((id) => `(${id})`).join(', ');
    await by(`insert into ${items} ${INTO} select ${VALUES} from (values ${values}) n(g)`);
    return rows(chosen(ids), by);
  };
  return {
    expected: { ...SEEDED, stream: streamOf('items') },
    cursor: 'version',
    async seed(count) {
      await anew(
        'items',
        `id bigint not null primary key, name nvarchar(200) not null, note nvarchar(max) null,
          amount decimal(12,2) not null, updated_at datetime2(3) not null, version rowversion not null`,
      );
      await query(`insert into ${items} ${INTO} select ${VALUES} from ${upTo(count)}`);
      return rows('1 = 1');
    },
    insert: (ids) => insert(ids),
    async update(ids) {
      await query(`update ${items} set amount = amount + 1 where ${chosen(ids)}`);
      return rows(chosen(ids));
    },
    async remove(ids) {
      await query(`delete from ${items} where ${chosen(ids)}`);
    },
    async addColumn(name) {
      await query(`alter table ${items} add ${quoted(name)} int null`);
    },
    async seedLarge(bytes) {
      const { name, stream } = await anew('large', 'id int not null primary key, filling varchar(max) null');
      await query(`insert into ${name} select g, replicate(convert(varchar(max), 'x'), 4096)
        from ${upTo(Math.ceil(bytes / 4096))}`);
      return stream;
    },
    async seedNamed(table, column) {
      const { name, stream } = await anew(table, `id int not null primary key, ${quoted(column)} nvarchar(10) null`);
      await query(`insert into ${name} values (1, N'here')`);
      return { stream, rows: [[1, 'here']] };
    },
    async seedNulls() {
      // In a unique index nulls are equal here.
      const { name, stream } = await anew('nulls', 'a int not null, b int null, unique (a, b)');
      await query(`insert into ${name} values (1, null), (1, 2), (2, null)`);
      return { stream, rows: NULLS };
    },
    async seedText() {
      const { name, stream } = await anew('text', 'id int not null primary key, value varchar(max) null');
      await query(`insert into ${name} values (1, replicate(convert(varchar(max), 'x'), ${LARGE_VALUE}))`);
      return { stream, bytes: LARGE_VALUE };
    },
    async insertLate(ids) {
      await late('begin transaction');
      const written = await insert(ids, late);
      return async () => {
        await late('commit transaction');
        return written;
      };
    },
  };
}

/** The numbers from one on. */
function upTo(count: number): string {
  return `(select top (${count}) row_number() over (order by (select null)) as g
    from sys.all_objects a cross join sys.all_objects b) n`;
}

function quoted(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

function text(value: string): string {
  return `N'${value.replaceAll("'", "''")}'`;
}

/** A connection that may write, which those of the connector may not. */
async function connected(endpoint: Endpoint): Promise<Connection> {
  const { host, port, instance, database, username, password, accessToken, tls } = endpoint;
  const connection = new Connection({
    server: host,
    authentication: accessToken
      ? { type: 'azure-active-directory-access-token', options: { token: accessToken.reveal() } }
      : { type: 'default', options: { userName: username, password: password?.reveal() ?? '' } },
    options: {
      ...(port !== undefined ? { port } : { instanceName: instance }),
      database,
      encrypt: tls !== undefined,
      trustServerCertificate: tls?.rejectUnauthorized === false,
      ...(tls?.servername !== undefined && { serverName: tls.servername }),
      cryptoCredentialsDetails: { ...(tls?.ca && { ca: tls.ca }) },
      requestTimeout: 0,
      rowCollectionOnRequestCompletion: true,
    },
  });
  connection.on('error', () => undefined); // whoever waits is told by the callback
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  return connection;
}

function queryOf(connection: Connection): Query {
  return (statement) =>
    new Promise((resolve, reject) => {
      const request = new Request(statement, (error, _count, rows: { readonly value: unknown }[][] = []) =>
        error ? reject(error) : resolve(rows.map((cells) => cells.map(({ value }) => value))),
      );
      connection.execSqlBatch(request);
    });
}
