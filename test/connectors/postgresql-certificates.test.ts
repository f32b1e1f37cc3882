import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../contracts/open-source';
import { makeCertificates } from '../servers/certificates';
import { patient } from '../servers/patience';
import { type PostgresqlServer, postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './postgresql';

// The certificate is for the superuser, so the database says how one logs in.
const authentication = [
  'hostssl by_certificate all all cert',
  'hostssl by_both all all scram-sha-256 clientcert=verify-full',
  // Without encryption they are open, to make the tables.
];
const certified = postgresql({ version: 15, tls: true, authentication });

describeWithServer('client certificates of PostgreSQL 15', certified, (server) => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-certificates-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    const client = await textClient(server());
    await client.query(`create role other login password 'some-password'`);
    for (const database of ['by_certificate', 'by_both']) {
      await client.query(`create database ${database}`);
      const inside = await textClient(inDatabase(server(), database));
      await inside.query('create table t (id int primary key); insert into t values (1)');
      await inside.end();
    }
    await client.end();
  });

  const connection = (changes: object) => ({ connection: { ...configOf(server()).connection, ...changes } });
  const check = async (changes: object) => {
    await using source = await openSource('postgresql', connection(changes));
    const { steps, passed } = await source.source.check(AbortSignal.timeout(patient(10_000)));
    const failed = steps.find((step) => step.state === 'failed');
    return { passed, failed: failed?.name, hint: failed?.hint ?? '' };
  };
  const discover = async (changes: object) => {
    await using source = await openSource('postgresql', connection(changes));
    return (await source.source.discover(AbortSignal.timeout(patient(10_000)))).map(({ schema }) => schema.stream);
  };
  const texts = () => {
    const { ca, clientCertificate: cert, clientKey: key } = server();
    return { ca, cert, key };
  };
  const files = () =>
    Object.fromEntries(
      Object.entries(texts()).map(([name, text]) => {
        const file = join(folder, `${name}.pem`);
        writeFileSync(file, text ?? '');
        return [name, file];
      }),
    );

  const logins: [string, object][] = [
    ['in place of a password', { database: 'by_certificate', password: undefined }],
    ['beside a password', { database: 'by_both' }],
  ];

  it.each(logins)('log in %s, as PEM text and as files', async (_how, login) => {
    for (const ssl of [texts(), files()]) {
      expect(await check({ ...login, ssl })).toMatchObject({ passed: true });
      expect(await discover({ ...login, ssl })).toEqual(['t']);
    }
  });

  it.each(logins)('are asked for where they are needed %s', async (_how, login) => {
    const { ca } = texts();
    await expect(discover({ ...login, ssl: { ca } })).rejects.toMatchObject({
      kind: 'config',
      code: 'login_refused',
      hint: expect.stringContaining('connection.ssl.cert'),
    });
    expect(await check({ ...login, ssl: { ca } })).toMatchObject({
      passed: false,
      failed: 'authenticate',
      hint: expect.stringContaining('connection.ssl.cert'),
    });
  });

  it('do not replace the password where both are asked for', async () => {
    const login = { database: 'by_both', ssl: texts() };
    await expect(discover({ ...login, password: 'wrong' })).rejects.toMatchObject({ code: 'authentication_failed' });
    await expect(discover({ ...login, password: undefined })).rejects.toMatchObject({ code: 'password_required' });
  });

  it('serve only the role they are made for', async () => {
    const login = { username: 'other', database: 'by_certificate', password: undefined };
    await expect(discover({ ...login, ssl: texts() })).rejects.toMatchObject({
      kind: 'config',
      hint: expect.any(String),
    });
  });

  it('leave the server to be verified as ever', async () => {
    const { ca, ...own } = texts();
    const login = { database: 'by_both' };
    const untrusted = { kind: 'config', code: 'tls_untrusted', hint: expect.stringContaining('connection.ssl.ca') };
    await expect(discover({ ...login, ssl: own })).rejects.toMatchObject(untrusted);
    await expect(discover({ ...login, ssl: true })).rejects.toMatchObject(untrusted);
    const elsewhere = { ...own, ca, server_name: 'db.example.com' };
    await expect(discover({ ...login, ssl: elsewhere })).rejects.toMatchObject({ code: 'tls_wrong_name' });
    expect(await discover({ ...login, ssl: { ...own, verification: 'off' } })).toEqual(['t']);
  });

  it('that another authority signed are refused as a fault of the configuration', async () => {
    const { ca } = texts();
    mkdirSync(join(folder, 'foreign'));
    const { clientCertificate: cert, clientKey: key } = makeCertificates(join(folder, 'foreign'), server().user);
    await expect(discover({ database: 'by_both', ssl: { ca, cert, key } })).rejects.toMatchObject({
      kind: 'config',
      code: 'tls_client_certificate',
      hint: expect.stringContaining('connection.ssl.cert'),
    });
    const mixed = { ca, cert: texts().cert, key };
    await expect(discover({ database: 'by_both', ssl: mixed })).rejects.toMatchObject({
      kind: 'config',
      code: 'tls_client_certificate',
    });
  });

  it.each(['cert', 'key'] as const)('come in pairs: "%s" alone, or what is no PEM, is refused', async (name) => {
    const { ca, cert, key } = texts();
    await expect(discover({ ssl: { ca, [name]: { cert, key }[name] } })).rejects.toMatchObject({
      code: 'invalid_config',
      issues: [{ path: `connection.ssl.${name === 'cert' ? 'key' : 'cert'}` }],
    });
    const broken = { ca, cert, key, [name]: '-----BEGIN NONSENSE-----' };
    await expect(discover({ ssl: broken })).rejects.toMatchObject({ kind: 'config', hint: expect.any(String) });
  });
});

function inDatabase(server: PostgresqlServer, database: string): PostgresqlServer {
  return { ...server, url: server.url.replace(/\/[^/]*$/, `/${database}`) };
}
