import { createSecureContext } from 'node:tls';
import { connectors, loadConnector } from '../../lib/connectors';
import { classify } from '../../lib/connectors/mssql/classify';
import { endpointOf } from '../../lib/connectors/mssql/endpoint';
import { openSession } from '../../lib/connectors/mssql/session';
import type { MssqlColumn } from '../../lib/connectors/mssql/types';
import { sql } from '../../lib/connectors/shared/sql/fragment';
import { Fault } from '../../lib/core/fault';
import type { Network } from '../../lib/core/network';
import { Secret } from '../../lib/core/secret';
import { host } from '../contracts/source-reading';
import { type Answer, type Seam, SqlError, startSeam } from '../servers/mssql-seam';

const USER = 'explorerio';
const PASSWORD = 'sesame';
const SIZE = { rows: 1000, bytes: 1 << 20 };
const TEXT = { decode: String, isKey: false } as unknown as MssqlColumn;
const FACTS = ['16.0.0.0', '51', '0'];

describe('a session, at the seam', () => {
  let seam: Seam;
  let answer: Answer = () => [];

  beforeAll(async () => {
    seam = await startSeam({
      user: USER,
      password: PASSWORD,
      secureContext: createSecureContext(),
      answer(statement, values) {
        if (/^\s*set\b/i.test(statement)) return [];
        return statement.includes('serverproperty') ? [FACTS] : answer(statement, values);
      },
    });
  });
  afterAll(() => seam.stop());

  const open = (network?: Network) => {
    const password = new Secret(PASSWORD);
    const place = { server: '127.0.0.1', port: seam.port, database: 'shop' };
    return openSession(endpointOf({ connection: { ...place, username: USER, password, encrypt: false } }, network));
  };

  it('is opened by the rules of the network', async () => {
    const check = () => {
      throw new Fault('config', 'address_forbidden', 'this address is not allowed');
    };
    const error = await open({ check } as unknown as Network).catch((thrown: unknown) => thrown);
    expect(classify(error)).toMatchObject({ kind: 'config', code: 'address_forbidden' });
  });

  it('holds the server back while nobody asks for more', async () => {
    let sent = 0;
    const value = 'x'.repeat(4096);
    answer = function* () {
      for (; sent < 20_000; sent++) yield [value];
    };
    const session = await open();
    const rows = session.rows(sql`select 1`, [TEXT], SIZE)[Symbol.asyncIterator]();
    await rows.next();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // 160 MB in all; what lies between are the buffers of two sockets.
    expect(sent).toBeLessThan(4000);
    session.destroy();
  });

  it('is at rest after a statement was cancelled in its middle', async () => {
    answer = function* () {
      for (let row = 0; row < 100_000; row++) yield ['x'.repeat(1000)];
    };
    const session = await open();
    for await (const batch of session.rows(sql`select 1`, [TEXT], SIZE)) if (batch) break;
    await session.cancel();
    expect(session.closed).toBe(false);
    answer = () => [['still here']];
    expect(await session.query(sql`select 2`)).toEqual([['still here']]);
    await session.close();
  });

  it('gives an error of the server by its number, and goes on', async () => {
    answer = () => {
      throw new SqlError(1205, 'chosen as the victim');
    };
    const session = await open();
    const error = await session.query(sql`select 1`).catch((thrown: unknown) => thrown);
    expect(classify(error)).toMatchObject({ kind: 'transient', code: 'deadlock' });
    answer = (_statement, values) => [Object.values(values)];
    const text = `'; drop table x; -- é 🙂`;
    expect(await session.query(sql`select ${{ text: '\u0000', values: [text] }}`)).toEqual([[text]]);
    await session.close();
  });

  it('tells of a connection that is lost in the middle', async () => {
    answer = function* () {
      for (let row = 0; row < 100_000; row++) yield ['x'.repeat(1000)];
    };
    const session = await open();
    const read = async () => {
      for await (const batch of session.rows(sql`select 1`, [TEXT], SIZE)) if (batch) session.destroy();
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(classify(error)).toMatchObject({ kind: 'transient', code: 'connection_lost' });
    await expect(session.query(sql`select 1`)).rejects.toMatchObject({ code: 'connection_lost' });
  });
});

describe('errors by number', () => {
  it.each([
    40197, 40501, 40613, 49918, 49919, 49920, 4060, 10928, 10929, 10053, 10054, 10060, 233, 64, 1205, 1222, 3952, 3956,
  ])('%i passes', (number) => {
    expect(classify(Object.assign(new Error('from the server'), { code: 'EREQUEST', number }))).toMatchObject({
      kind: 'transient',
      message: 'from the server',
      hint: expect.any(String),
    });
  });

  it.each([
    [18456, 'authentication_failed'],
    [229, 'permission_denied'],
    [230, 'permission_denied'],
    [208, 'table_missing'],
  ])('%i is of the configuration: %s', (number, code) => {
    expect(classify(Object.assign(new Error('x'), { code: 'ELOGIN', number }))).toMatchObject({ kind: 'config', code });
  });

  it('is told of the first of several', () => {
    const [first, second] = [208, 1205].map((number) => Object.assign(new Error(`number ${number}`), { number }));
    expect(classify(new AggregateError([first, second]))).toMatchObject({
      code: 'table_missing',
      message: 'number 208',
    });
  });

  it('knows nothing of others', () => expect(classify(new TypeError('x'))).toBeUndefined());
});

describe('configuration', () => {
  const connection = { server: 'sql.internal', database: 'shop', username: USER, password: PASSWORD };
  const network = {} as Network;
  const issue = (path: string) => ({ code: 'invalid_config', issues: [{ path, message: expect.any(String) }] });

  it('of Azure is always encrypted', async () => {
    const azure = await loadConnector('azure_sql');
    expect(() => azure.validate({ connection: { ...connection, encrypt: true } })).not.toThrow();
    expect(() => azure.validate({ connection: { ...connection, encrypt: false } })).toThrow('always encrypted');
    const { username: _, password: _given, ...rest } = connection;
    expect(() => azure.validate({ connection: { ...rest, access_token: 'token' } })).not.toThrow();
    expect(() => azure.validate({ connection: rest })).toThrow('access_token');
  });

  it('refuses what the driver cannot do', async () => {
    const mssql = await connectors.mssql();
    const opened = (given: object, rules?: Network) =>
      mssql.open({ connection: { ...connection, ...given } }, { ...host(), ...(rules && { network: rules }) });
    await expect(opened({ ssl: { verification: 'ca' } })).rejects.toMatchObject(issue('connection.ssl.verification'));
    await expect(opened({ encrypt: false, ssl: {} })).rejects.toMatchObject(issue('connection.encrypt'));
    await expect(opened({ instance: 'SQLEXPRESS' }, network)).rejects.toMatchObject(issue('connection.instance'));
    await expect(opened({ host: 'another' })).rejects.toMatchObject(issue('connection.server'));
  });
});
