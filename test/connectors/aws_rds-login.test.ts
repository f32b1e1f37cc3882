import { jest } from '@jest/globals';
import { loadConnector } from '../../lib/connectors';
import { rdsToken, type TokenFor } from '../../lib/connectors/shared/rds-token';
import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { mariadb } from '../servers/mariadb';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { INTEGRATIONS } from '../unit/engine/specification';
import { rdsConnection } from './aws_rds';
import { textClient as mariadbClient, configOf as mariadbConfig } from './mysql';
import { configOf as postgresqlConfig, textClient } from './postgresql';

const signal = () => AbortSignal.timeout(patient(20_000));
const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'some-secret-key' };
const IAM = { iam_authentication: true, region: 'eu-central-1', access_key_id: KEYS.accessKeyId };
const NOON = Date.parse('2026-11-26T12:00:00Z');

afterEach(() => jest.restoreAllMocks());

describe('tokens of IAM', () => {
  // What botocore gives for the same keys and times; the first is of its own tests.
  it.each([
    [
      { host: 'prod-instance.us-east-1.rds.amazonaws.com', port: 3306, username: 'someusername', region: 'us-east-1' },
      { accessKeyId: 'akid', secretAccessKey: 'skid' },
      '2016-11-07T17:39:33Z',
      'd1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61',
    ],
    [
      { host: 'PROD-instance.us-east-1.rds.amazonaws.com', port: 3306, username: 'mysqlUser', region: 'us-west-2' },
      { accessKeyId: 'AKIA', secretAccessKey: 'SECRET', sessionToken: 'SESSION' },
      '2025-01-01T00:00:01Z',
      '4e4ce10c7b3710decae757df60ba2519348dcb4db802f15646dce1bf5e17c3ed',
    ],
    [
      {
        host: 'mydb.cluster-xyz.us-east-1.rds.amazonaws.com',
        port: 5432,
        username: 'iam user@corp',
        region: 'us-east-1',
      },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      '2026-09-30T12:00:00Z',
      '918a49b6854bef2da3c75b7141ae68ead7277043e4a9a5cece06989059864bba',
    ],
    [
      { host: 'db.abc.eu-north-1.rds.amazonaws.com', port: 5432, username: 'app_user', region: 'eu-north-1' },
      { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'tok/en+' },
      '2026-09-30T12:00:00Z',
      '5eed79fd4ff8188c60f645d85a0a6891e39ddc994269a26b35b662c79080f7df',
    ],
  ] as const)('are signed as AWS signs: %j', (access: TokenFor, keys, time, signature) => {
    const token = rdsToken(access, keys, new Date(time));
    expect(token.startsWith(`${access.host.toLowerCase()}:${access.port}/?Action=connect&DBUser=`)).toBe(true);
    expect(token).toContain('&X-Amz-Expires=900&');
    expect(token.endsWith(`&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`)).toBe(true);
  });
});

describe('the configuration of RDS', () => {
  const issues = async (changes: object, others: object = {}) => {
    const { validate } = await loadConnector('aws_rds');
    const base = { endpoint: 'a.xyz.eu-west-1.rds.amazonaws.com', port: 5432, database: 'd', username: 'u' };
    try {
      validate({ connection: { ...base, ...changes }, ...others });
    } catch (error) {
      return (error as { issues: { path: string }[] }).issues.map(({ path }) => path);
    }
    return [];
  };

  it('takes the example of the specification', async () => {
    const { validate } = await loadConnector('aws_rds');
    const { connection } = INTEGRATIONS.find(({ type }) => type === 'aws_rds') ?? {};
    expect(() => validate({ connection })).not.toThrow();
  });

  it('knows the engine by its port, and the region by the name', async () => {
    expect(await issues({ port: 3306 }, { zero_dates: 'null' })).toEqual([]);
    expect(await issues({ port: 5432 }, { zero_dates: 'null' })).toEqual(['zero_dates']);
    expect(await issues({ port: 3306 }, { schemas: ['public'] })).toEqual(['schemas']);
    expect(await issues({ port: 5433 })).toEqual(['connection.engine']);
    expect(await issues({ port: undefined })).toEqual(['connection.engine']);
    expect(await issues({ port: undefined, engine: 'mariadb' })).toEqual([]);
    expect(await issues({ iam_authentication: true })).toEqual([]);
    expect(await issues({ iam_authentication: true, endpoint: 'db.internal' })).toEqual(['connection.region']);
    expect(await issues({ iam_authentication: true, ssl: false })).toEqual(['connection.ssl']);
    expect(await issues({ iam_authentication: true, password: 'x' })).toEqual(['connection.password']);
    expect(await issues({ access_key_id: 'x' })).toEqual(['connection.secret_access_key']);
  });
});

describeWithServer('RDS for PostgreSQL', postgresql({ version: 18, tls: true }), (server) => {
  it('is logged in to with a token, another for each connection', async () => {
    const { connection } = postgresqlConfig(server());
    const client = await textClient(server());
    const access = { host: server().host, port: server().port, username: 'reader', region: IAM.region };
    const expectToken = async (at: number) => {
      const token = rdsToken(access, KEYS, new Date(at));
      await client.query(`alter role reader password '${token}'`);
    };
    await client.query('create table t (id int primary key); create role reader login; grant select on t to reader');
    const { password: _, ...others } = rdsConnection(connection, 'postgresql') as { password?: string };
    const ssl = { ca: server().ca };
    const iam = { ...others, ...IAM, secret_access_key: KEYS.secretAccessKey, username: 'reader', ssl };
    await using source = await openSource('aws_rds', { connection: iam });
    const now = jest.spyOn(Date, 'now');
    for (const at of [NOON, NOON + 3_600_000]) {
      await expectToken(at);
      now.mockReturnValue(at);
      const { passed, steps } = await source.source.check(signal());
      expect(steps.filter(({ state }) => state === 'failed')).toEqual([]);
      expect(passed).toBe(true);
    }
    await expectToken(NOON);
    const fault = await faultOf(async () => void (await source.source.discover(signal())));
    expect(fault).toMatchObject({ kind: 'config', code: 'authentication_failed' });
    expect(JSON.stringify([fault, fault.stack])).not.toContain('X-Amz');
    await client.end();
  });

  it('is not trusted by the authorities of the system alone, which is said', async () => {
    const config = { connection: { ...rdsConnection(postgresqlConfig(server()).connection, 'postgresql'), ssl: true } };
    await using source = await openSource('aws_rds', config);
    const { steps } = await source.source.check(signal());
    expect(steps.find(({ state }) => state === 'failed')).toMatchObject({
      name: 'tls',
      code: 'tls_untrusted',
      hint: expect.stringContaining('connection.ssl.ca'),
    });
  });

  it('says that it is no replica', async () => {
    const config = { connection: rdsConnection(postgresqlConfig(server()).connection, 'postgresql') };
    await using source = await openSource('aws_rds', config);
    const { steps } = await source.source.check(signal());
    expect(steps.at(-1)).toMatchObject({ name: 'replica', state: 'passed' });
  });
});

describeWithServer('RDS for MariaDB', mariadb({ tls: true }), (server) => {
  it('is logged in to with a token', async () => {
    const client = await mariadbClient(server());
    const { host, port, ca } = server();
    const token = rdsToken({ host, port, username: 'reader', region: IAM.region }, KEYS, new Date(NOON));
    await client.query(`create table t (id int primary key); create user reader@'%' identified by '${token}';
      grant select on *.* to reader@'%'`);
    const { password: _, ...others } = rdsConnection(mariadbConfig(server()).connection, 'mariadb') as {
      password?: string;
    };
    const iam = { ...others, ...IAM, secret_access_key: KEYS.secretAccessKey, username: 'reader', ssl: { ca } };
    await using source = await openSource('aws_rds', { connection: iam });
    jest.spyOn(Date, 'now').mockReturnValue(NOON);
    const { passed, steps } = await source.source.check(signal());
    expect(steps.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(passed).toBe(true);
    // Without the right to ask, the replica is a question and no failure.
    expect(steps.at(-1)).toMatchObject({ name: 'replica', state: 'warning' });
    await client.end();
  });
});
