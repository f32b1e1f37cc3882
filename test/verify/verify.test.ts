import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type mysql from 'mysql2/promise';
import { textClient } from '../connectors/mysql';
import { type MariadbServer, mariadb } from '../servers/mariadb';
import { describeWithServer } from '../servers/require';
import { redacted, report, resultOf } from './report';
import { givenServer, Refusal, type VerifyOptions, withPassword } from './request';
import { verifiedTypes } from './types';
import { EXIT, verify } from './verify';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('what npm run verify is asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-verify-'));
  const file = (content: string) => {
    const path = join(folder, `${content.length}.json`);
    writeFileSync(path, content);
    return path;
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  const refused: readonly (readonly [type: string, options: VerifyOptions, message: string])[] = [
    ['postgres', { url: 'postgres://u@h/d' }, 'there is no way to verify "postgres"'],
    ['toString', { url: 'x://h' }, 'there is no way to verify "toString"'],
    ['mysql', {}, 'say which server by --url'],
    ['mysql', { url: 'not an address' }, '--url must be of the form'],
    ['mysql', { url: 'postgresql://u@h/d' }, '--url must be of the form mysql://'],
    ['mysql', { url: 'mysql://u:sesame@h/d' }, 'there is a password in --url'],
    ['mysql', { url: 'mysql://u@h' }, '--url must name the database'],
    ['cassandra', { url: 'cassandra://h/' }, '--url must name the keyspace'],
    ['dynamodb', { url: 'http://h:8000' }, '--url must name the region'],
    ['mysql', { url: 'mysql://u@h/d?ssl-mode=DISABLED' }, '--url must not have parameters'],
    ['mysql', { config: join(folder, 'none.json') }, 'no such file'],
    ['mysql', { config: file('[]') }, 'must hold an object'],
    ['mysql', { config: file('{"connection": {"password": "sesame"}}') }, 'leave "password" out of the file'],
  ];
  it.each(refused.map(([type, options, message]) => ({ type, options, message })))(
    'is refused where it cannot be: $type, $message',
    ({ type, options, message }) => {
      expect(() => givenServer(type, options)).toThrow(Refusal);
      expect(() => givenServer(type, options)).toThrow(message);
      expect(() => givenServer(type, options)).not.toThrow('sesame');
    },
  );

  it.each([
    ['mysql', 'mysql://us%40er@h:1/d', { host: 'h', port: 1, database: 'd', username: 'us@er', password: 'p' }],
    ['postgresql', 'postgres://u@[::1]/d', { host: '::1', database: 'd', username: 'u', password: 'p' }],
    ['mssql', 'mssql://sa@h/d', { server: 'h', database: 'd', username: 'sa', password: 'p' }],
    ['oracle', 'oracle://u@h/s', { host: 'h', service_name: 's', username: 'u', password: 'p' }],
    ['mongodb', 'mongodb://u@h/d?replicaSet=r', { uri: 'mongodb://h/d?replicaSet=r', username: 'u', password: 'p' }],
    ['couchdb', 'http://u@h:5984', { url: 'http://h:5984/', username: 'u', password: 'p' }],
    ['cassandra', 'cassandra://u@h/k', { host: 'h', keyspace: 'k', username: 'u', password: 'p' }],
    ['dynamodb', 'dynamodb://eu-central-1', { region: 'eu-central-1', secret_access_key: 'p' }],
  ])('is the configuration of a source: %s %s', (type, url, connection) => {
    const config = file(`{"tables": ["x"], "connection": {"ssl": false${' '.repeat(url.length)}}}`);
    const given = withPassword(givenServer(type, { url, config }), 'p');
    expect(given.config).toEqual({ tables: ['x'], connection: { ssl: false, ...connection } });
    expect(given.prefix).toMatch(/^explorerio_verify_[a-z0-9]{6}_$/);
    expect(givenServer(type, { url }).prefix).not.toBe(given.prefix);
  });

  it.each(Object.entries(verifiedTypes))('has an example that is right: %s', (type, { example }) => {
    for (const url of example.split(', or ')) expect(() => givenServer(type, { url })).not.toThrow();
  });
});

describe('what npm run verify tells', () => {
  it('is each check, and why it was not run or failed', () => {
    const text = report([
      resultOf({ title: 'rows are read', status: 'passed' }),
      resultOf({ title: 'rows are odd (waived: there are none)', status: 'pending' }),
      resultOf({
        title: 'rows are whole',
        status: 'failed',
        failureMessages: ['\u001b[31mno\u001b[39m row\n    at x.ts'],
      }),
      resultOf({ title: 'rows are many', status: 'pending' }),
    ]);
    expect(text.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
      'RESULT|CHECK|REASON',
      'passed|rows are read',
      'NOT RUN|rows are odd|there are none',
      'FAILED|rows are whole|no row',
      'NOT RUN|rows are many|left out',
      '',
      '1 passed, 1 failed, 2 not run',
    ]);
  });

  it('holds no secret, however it is written', () => {
    const secret = 'p@ss"word';
    const text = `${secret} ${encodeURIComponent(secret)} ${JSON.stringify({ secret })}`;
    expect(redacted(text, [secret, undefined, ''])).toBe('*** *** {"secret":"***"}');
  });
});

describeWithServer('npm run verify', mariadb(), (server) => {
  let client: mysql.Connection;
  beforeAll(async () => {
    client = await textClient(server());
    await client.query('create table mine (id int)');
  });
  afterAll(() => client.end());

  const tables = async () => {
    const [found] = await client.query<mysql.RowDataPacket[]>('show tables');
    return (found as unknown as string[][]).map(([name]) => name);
  };
  const run = async (only: string, as: Partial<MariadbServer> = {}, stopAt?: string) => {
    const { host, port, database, user, password } = { ...server(), ...as };
    const given = withPassword(givenServer('mysql', { url: `mysql://${user}@${host}:${port}/${database}` }), password);
    const lines: string[] = [];
    const stop = new AbortController();
    const print = (line: string) => {
      lines.push(line);
      if (stopAt !== undefined && line.startsWith(stopAt)) stop.abort();
    };
    const code = await verify(given, { root, only, signal: stop.signal, print });
    return { code, text: lines.join('\n') };
  };

  it('runs the suite, and leaves nothing behind', async () => {
    const { code, text } = await run('a full read resumes');
    expect(text).toMatch(/^passed +a full read resumes after every batch exactly$/m);
    expect(text).toMatch(/\n1 passed, 0 failed, 0 not run$/);
    expect(text).toMatch(/names begin with explorerio_verify_\w{6}_/);
    expect(text).toContain('What was made has been removed.');
    expect(text).not.toContain(server().password);
    expect(code).toBe(EXIT.passed);
    expect(await tables()).toEqual(['mine']);
  }, 60_000);

  it('removes what was made when it is interrupted', async () => {
    const { code, text } = await run('a full read', {}, 'passed');
    expect(text).toContain('What was made has been removed.');
    expect(text).toContain('It was interrupted');
    expect(code).toBe(EXIT.interrupted);
    expect(await tables()).toEqual(['mine']);
  }, 60_000);

  it('says in one line what is wrong, before anything is made', async () => {
    const refused = (as: Partial<MariadbServer>) => run('', as).catch((error: unknown) => error);
    expect(await refused({ password: 'not-the-password' })).toMatchObject({ message: /Check connection\.password/ });
    expect(await refused({ database: 'nowhere' })).toBeInstanceOf(Refusal);
    expect(await tables()).toEqual(['mine']);
  });
});
