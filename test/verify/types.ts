import type { GivenServer, GivenSource } from '../contracts/given-server';
import type { Config } from '../contracts/source-reading';

/** A type that can be verified on a server of the user's. */
export interface VerifiedType {
  /** Of its address, without the colon. */
  readonly schemes: readonly string[];
  readonly example: string;
  /** What the path of the address must name. */
  readonly place?: string;
  /** What is made there. */
  readonly makes: string;
  /** The members of `connection` that an address stands for. */
  connection(url: URL): Config;
  /** The member that holds the password. */
  readonly password: string;
  open(given: GivenServer): Promise<GivenSource>;
}

const login = (url: URL): Config => ({
  ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
});
const place = (url: URL) => decodeURIComponent(url.pathname.slice(1));
const host = (url: URL) => decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
const port = (url: URL): Config => ({ ...(url.port !== '' && { port: Number(url.port) }) });

const mysql: VerifiedType = {
  schemes: ['mysql', 'mariadb'],
  example: 'mysql://root@127.0.0.1:3306/shop',
  place: 'database',
  makes: 'tables',
  connection: (url) => ({ host: host(url), ...port(url), database: place(url), ...login(url) }),
  password: 'password',
  open: async (given) => (await import('../connectors/mysql')).givenSource(given),
};

const mssql: VerifiedType = {
  schemes: ['mssql', 'sqlserver'],
  example: 'mssql://sa@127.0.0.1:1433/shop',
  place: 'database',
  makes: 'tables',
  connection: (url) => ({ server: host(url), ...port(url), database: place(url), ...login(url) }),
  password: 'password',
  open: async (given) => (await import('./mssql')).givenSource(given),
};

/** What `npm run verify` knows. */
export const verifiedTypes: { readonly [type: string]: VerifiedType } = {
  mysql,
  mariadb: { ...mysql, example: 'mariadb://root@127.0.0.1:3306/shop' },
  postgresql: {
    schemes: ['postgresql', 'postgres'],
    example: 'postgresql://postgres@127.0.0.1:5432/shop',
    place: 'database',
    makes: 'tables',
    connection: (url) => ({ host: host(url), ...port(url), database: place(url), ...login(url) }),
    password: 'password',
    open: async (given) => (await import('../connectors/postgresql')).givenSource(given),
  },
  mssql,
  azure_sql: {
    ...mssql,
    example: 'mssql://explorerio@company.database.windows.net/shop',
  },
  oracle: {
    schemes: ['oracle'],
    example: 'oracle://shop@127.0.0.1:1521/FREEPDB1',
    place: 'service',
    makes: 'tables',
    connection: (url) => ({ host: host(url), ...port(url), service_name: place(url), ...login(url) }),
    password: 'password',
    open: async (given) => (await import('./oracle')).givenSource(given),
  },
  mongodb: {
    schemes: ['mongodb', 'mongodb+srv'],
    example: 'mongodb://root@127.0.0.1:27017/shop',
    place: 'database',
    makes: 'collections',
    // It has parameters, which mean what they mean to every client.
    connection: (url) => ({ uri: addressWithoutLogin(url), ...login(url) }),
    password: 'password',
    open: async (given) => (await import('../connectors/mongodb')).givenSource(given),
  },
  couchdb: {
    schemes: ['http', 'https'],
    example: 'http://admin@127.0.0.1:5984',
    makes: 'databases',
    connection: (url) => ({ url: addressWithoutLogin(url), ...login(url) }),
    password: 'password',
    open: async (given) => (await import('../connectors/couchdb')).givenSource(given),
  },
  cassandra: {
    schemes: ['cassandra'],
    example: 'cassandra://cassandra@127.0.0.1:9042/shop',
    place: 'keyspace',
    makes: 'tables',
    connection: (url) => ({ host: host(url), ...port(url), keyspace: place(url), ...login(url) }),
    password: 'password',
    open: async (given) => (await import('../connectors/cassandra')).givenSource(given),
  },
  dynamodb: {
    schemes: ['dynamodb', 'http', 'https'],
    example: 'dynamodb://eu-central-1, or http://KEY@127.0.0.1:8000/us-east-1',
    place: 'region',
    makes: 'tables',
    connection: dynamodbConnection,
    password: 'secret_access_key',
    open: async (given) => (await import('../connectors/dynamodb')).givenSource(given),
  },
};

function addressWithoutLogin(url: URL): string {
  const address = new URL(url.href);
  address.username = '';
  return address.href;
}

function dynamodbConnection(url: URL): Config {
  const key = url.username === '' ? {} : { access_key_id: decodeURIComponent(url.username) };
  if (url.protocol === 'dynamodb:') return { region: url.hostname, ...key };
  return { region: place(url), endpoint: url.origin, ...key };
}
