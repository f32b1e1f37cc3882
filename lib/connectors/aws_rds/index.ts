import * as z from 'zod';
import type { CheckReport } from '../../core/check';
import { configSpec, secretField } from '../../core/config';
import { connector, type Host, type Source } from '../../core/connector';
import { classify as classifyMysql } from '../mysql/classify';
import { connect as connectMysql } from '../mysql/connection';
import { type Endpoint as MysqlEndpoint, endpointOf as mysqlEndpointOf } from '../mysql/endpoint';
import { serverAt } from '../mysql/server';
import { classify as classifyPostgresql } from '../postgresql/classify';
import { type Endpoint as PostgresqlEndpoint, endpointOf as postgresqlEndpointOf } from '../postgresql/endpoint';
import { openSession } from '../postgresql/session';
import { PostgresqlSource } from '../postgresql/source';
import { givenKeys } from '../shared/aws-keys';
import { type Outcome, runSteps } from '../shared/check-steps';
import {
  awsKeyFields,
  connectTimeout,
  globs,
  lateCommitMargin,
  maxConnections,
  publication,
  statementTimeout,
  text,
} from '../shared/connection-fields';
import { rdsTokens } from '../shared/rds-token';
import { RelationalSource } from '../shared/sql/source';
import { tlsFields } from '../shared/tls';

type Engine = 'postgresql' | 'mysql' | 'mariadb';

const ENGINES: { readonly [port: number]: Engine } = { 5432: 'postgresql', 3306: 'mysql' };
const PORTS: { readonly [engine in Engine]: number } = { postgresql: 5432, mysql: 3306, mariadb: 3306 };
const REGION_OF_HOST = /\.([a-z]{2}(?:-[a-z]+)+-\d+)\.rds\.amazonaws\.com(?:\.cn)?$/i;
const ONLY_MYSQL = ['tinyint1_as_boolean', 'zero_dates', 'late_commit_margin'] as const;

const connection = z.strictObject({
  endpoint: text.meta({
    description: 'Name of the instance, of the cluster, or of its readers.',
    example: 'analytics.cluster-ro-xyz.us-east-1.rds.amazonaws.com',
  }),
  port: z
    .int()
    .min(1)
    .max(65535)
    .meta({ description: 'Port of the server. By default that of the engine.', example: 5432 })
    .optional(),
  engine: z
    .enum(['postgresql', 'mysql', 'mariadb'])
    .meta({
      description: 'What runs there, Aurora included. By default what `port` says: 5432 is PostgreSQL, 3306 MySQL.',
    })
    .optional(),
  database: text.meta({ description: 'Database to read.', example: 'analytics' }),
  username: text.meta({ description: 'User to log in as; it needs SELECT on the tables.', example: 'explorerio' }),
  password: secretField('Password of the user.').optional(),
  iam_authentication: z
    .boolean()
    .meta({
      description:
        'Log in with a token of IAM instead of a password, made anew for each connection. The user needs `rds_iam` or `AWSAuthenticationPlugin`, the credentials `rds-db:connect`.',
      default: false,
    })
    .optional(),
  region: text
    .meta({ description: 'AWS region, for IAM. By default that in the name of the endpoint.', example: 'us-east-1' })
    .optional(),
  ...awsKeyFields('Access key to make tokens with, for IAM. By default the credentials of this process.'),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        "Encrypt the connection. `true` verifies the certificate against the system's authorities, among which those of RDS mostly are not: give their bundle as `ca`.",
      default: true,
    })
    .optional(),
  connect_timeout: connectTimeout('10s'),
  statement_timeout: statementTimeout('Ends a statement that runs longer, reading included.'),
  max_connections: maxConnections('Most connections that read at the same time; up to two more hold a snapshot.'),
  publication: publication('PostgreSQL: as for `postgresql`.'),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  const issue = (name: keyof Connection, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (value.publication !== undefined && engineOf(value) !== 'postgresql')
    issue('publication', 'is for postgresql only');
  if (engineOf(value) === undefined) issue('engine', 'is required, unless "port" is 5432 or 3306');
  if ((value.access_key_id === undefined) !== (value.secret_access_key === undefined)) {
    issue('secret_access_key', 'is given together with "access_key_id", or neither');
  }
  if (value.iam_authentication !== true) return;
  if (value.password !== undefined) issue('password', 'has no place beside "iam_authentication"');
  if (value.ssl === false) issue('ssl', 'must not be false with "iam_authentication": tokens travel encrypted only');
  if (regionOf(value) === undefined) issue('region', 'is required, as it is not in the name of the endpoint');
}

function engineOf({ engine, port }: Connection): Engine | undefined {
  return engine ?? ENGINES[port ?? 0];
}

function regionOf({ region, endpoint }: Connection): string | undefined {
  return region ?? REGION_OF_HOST.exec(endpoint)?.[1]?.toLowerCase();
}

const schema = z
  .strictObject({
    connection: connection.superRefine(requireParts).meta({ description: 'Where the database is and how to log in.' }),
    schemas: globs
      .meta({
        description: 'PostgreSQL: schemas to read, as names or globs (`*`, `?`).',
        example: ['public', 'sales_*'],
      })
      .optional(),
    tables: globs
      .meta({
        description: 'Tables and views to read, as names or globs; one that begins with `!` excludes. By default all.',
        example: ['orders', '!*_backup'],
      })
      .optional(),
    tinyint1_as_boolean: z
      .boolean()
      .meta({ description: 'MySQL and MariaDB: as for `mysql`.', default: false })
      .optional(),
    zero_dates: z
      .enum(['fail', 'null', 'text'])
      .meta({ description: 'MySQL and MariaDB: as for `mysql`.', default: 'fail' })
      .optional(),
    late_commit_margin: lateCommitMargin('MySQL and MariaDB: as for `mysql`.'),
  })
  .superRefine((config, context) => {
    const engine = engineOf(config.connection);
    const foreign = engine === 'postgresql' ? ONLY_MYSQL : (['schemas'] as const);
    for (const name of foreign) {
      if (config[name] === undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: `means nothing to ${engine}` });
    }
  });

type RdsConfig = z.output<typeof schema>;

/** Databases of Amazon RDS and Aurora, each read by the connector of its engine. */
export const aws_rds = connector({
  type: 'aws_rds',
  title: 'Amazon RDS',
  modes: ['full', 'incremental', 'changes'],
  config: configSpec(schema),
  async open(config, host) {
    return engineOf(config.connection) === 'postgresql' ? openPostgresql(config, host) : openMysql(config, host);
  },
  // Neither takes a code of the other's for its own.
  classify: (error) => classifyPostgresql(error) ?? classifyMysql(error),
});

function openPostgresql({ schemas, tables, connection }: RdsConfig, { network, follower }: Host): Source {
  const own = { ...ownConnection(connection), publication: connection.publication };
  const endpoint = { ...postgresqlEndpointOf(own, network), ...tokensOf(connection) };
  const source = new PostgresqlSource({ connection: own, schemas, tables }, endpoint, follower);
  return withReplicaStep(source, () => lagOfPostgresql(endpoint));
}

function openMysql({ connection, ...options }: RdsConfig, { network }: Host): Source {
  const own = ownConnection(connection);
  const endpoint = { ...mysqlEndpointOf(own, network), ...tokensOf(connection) };
  const source = new RelationalSource(serverAt(endpoint, { connection: own, ...options }));
  return withReplicaStep(source, () => lagOfMysql(endpoint));
}

/** The connection as the engine's connector has it. */
function ownConnection(given: Connection) {
  const { endpoint, database, username, password, connect_timeout, statement_timeout, max_connections } = given;
  const port = given.port ?? PORTS[engineOf(given) ?? 'postgresql'];
  const ssl = given.ssl ?? true;
  return {
    host: endpoint,
    port,
    database,
    username,
    password,
    ssl,
    connect_timeout,
    statement_timeout,
    max_connections,
  };
}

function tokensOf(connection: Connection) {
  if (connection.iam_authentication !== true) return {};
  const { endpoint: host, username } = connection;
  const port = connection.port ?? PORTS[engineOf(connection) ?? 'postgresql'];
  const access = { host, port, username, region: regionOf(connection) ?? '' };
  return { freshPassword: rdsTokens(access, givenKeys(connection)) };
}

/** Adds to the connection test how far behind the server is, where it is a replica. */
function withReplicaStep(source: Source, lag: () => Promise<Outcome>): Source {
  return {
    discover: (signal) => source.discover(signal),
    ...(source.partitions && { partitions: source.partitions.bind(source) }),
    ...(source.scan && { scan: source.scan.bind(source) }),
    ...(source.feed && { feed: source.feed }),
    close: () => source.close(),
    async check(signal): Promise<CheckReport> {
      const report = await source.check(signal);
      if (!report.passed) return report;
      const run = { signal, classify: classifyPostgresql, stop: () => undefined, close: async () => undefined };
      const { steps } = await runSteps([{ name: 'replica', run: lag }], run);
      // It is good to know, and nothing more.
      const told = steps.map((step) => (step.state === 'failed' ? { ...step, ...UNTOLD } : step));
      return { passed: true, steps: [...report.steps, ...told] };
    },
  };
}

async function lagOfPostgresql(endpoint: PostgresqlEndpoint): Promise<Outcome> {
  const session = await openSession(endpoint);
  try {
    const [row] = await session.query(`select pg_is_in_recovery() as standby,
      extract(epoch from now() - pg_last_xact_replay_timestamp())::bigint as behind`);
    return row?.standby === 't' ? lagging(row.behind ?? null) : NO_REPLICA;
  } finally {
    await session.close();
  }
}

async function lagOfMysql(endpoint: MysqlEndpoint): Promise<Outcome> {
  const client = await connectMysql(endpoint);
  try {
    const rows = await new Promise<readonly { readonly [column: string]: unknown }[]>((resolve, reject) => {
      client.query('show replica status', (error: unknown, found: unknown) =>
        error ? reject(error) : resolve(Array.isArray(found) ? found : []),
      );
    });
    const [row] = rows;
    if (row === undefined) return NO_REPLICA;
    const behind = row.Seconds_Behind_Source ?? row.Seconds_Behind_Master ?? null;
    return lagging(behind === null ? null : String(behind));
  } finally {
    client.destroy();
  }
}

const NO_REPLICA = 'it follows no other server, or does not say so';
const UNTOLD = {
  state: 'warning',
  hint: 'The rest of the test passed. MySQL tells it to users with REPLICATION CLIENT.',
} as const;
const MOST_SECONDS = 60;

function lagging(seconds: string | null): Outcome {
  if (seconds === null) return 'it is a replica; how far it is behind it does not say';
  const detail = `it is a replica, ${seconds} s behind`;
  if (Number(seconds) <= MOST_SECONDS) return detail;
  return { warning: detail, hint: 'What was written since is not read yet: increments read it later.' };
}
