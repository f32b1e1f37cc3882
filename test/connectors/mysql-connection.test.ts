import { guardedNetwork } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { mariadb } from '../servers/mariadb';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './mysql';

describeWithServer('connections to MariaDB with TLS', mariadb({ tls: true }), (server) => {
  beforeAll(async () => {
    const client = await textClient(server());
    await client.query(`create table t (id int primary key); insert into t values (1), (2);
      create user secured@'%' identified by 'secured' require x509; grant select on shop.* to secured@'%';
      create user nobody@'%' identified by ''; grant select on shop.* to nobody@'%'`);
    await client.end();
  });

  const configured = (changes: object) => {
    const { connection } = configOf(server());
    const merged = Object.entries({ ...connection, ...changes }).filter(([, value]) => value !== undefined);
    return { connection: Object.fromEntries(merged) };
  };
  const rows = async (changes: object, rules?: Parameters<typeof guardedNetwork>[0]): Promise<number> => {
    await using source = await openSource('mysql', configured(changes), rules && guardedNetwork(rules));
    const batches = await source.full(await source.schema('t'));
    return batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : [])).length;
  };
  const steps = async (changes: object) => {
    await using source = await openSource('mysql', configured(changes));
    return (await source.source.check(AbortSignal.timeout(patient(10_000)))).steps;
  };

  it('are encrypted and verified by the authority and by name or address', async () => {
    const { ca } = server();
    expect(await rows({ ssl: { ca } })).toBe(2);
    expect(await rows({ host: 'localhost', ssl: { ca } })).toBe(2);
    expect((await steps({ ssl: { ca } })).find(({ name }) => name === 'tls')).toMatchObject({
      state: 'passed',
      detail: 'encrypted, certificate verified',
    });
  });

  it('refuse an unknown authority and another name', async () => {
    const { ca } = server();
    await expect(rows({ ssl: true })).rejects.toMatchObject({ kind: 'config', code: 'tls_untrusted' });
    const wrongName = { code: 'tls_wrong_name', hint: expect.stringContaining('server_name') };
    await expect(rows({ ssl: { ca, server_name: 'db.internal' } })).rejects.toMatchObject(wrongName);
    expect((await steps({ ssl: true })).find(({ state }) => state === 'failed')).toMatchObject({
      name: 'tls',
      code: 'tls_untrusted',
    });
    expect(await rows({ ssl: { ca, verification: 'ca', server_name: 'db.internal' } })).toBe(2);
    expect(await rows({ ssl: { verification: 'off' } })).toBe(2);
  });

  it('show a certificate of their own', async () => {
    const { ca, clientCertificate: cert, clientKey: key } = server();
    const login = { username: 'secured', password: 'secured' };
    expect(await rows({ ...login, ssl: { ca, cert, key } })).toBe(2);
    await expect(rows({ ...login, ssl: { ca } })).rejects.toMatchObject({
      kind: 'config',
      code: 'authentication_failed',
    });
  });

  it('are given in one address, with what stands beside it', async () => {
    const { host, port, user, password } = server();
    const uri = `mysql://${user}:${password}@${host}:${port}/shop`;
    const none = { host: undefined, port: undefined, database: undefined, username: undefined, password: undefined };
    expect(await rows({ ...none, uri })).toBe(2);
    expect(await rows({ ...none, uri: uri.replace(password, 'wrong'), password })).toBe(2);
    await expect(rows({ ...none, uri: `${uri}?ssl-mode=VERIFY_IDENTITY` })).rejects.toMatchObject({
      code: 'tls_untrusted',
    });
    await expect(rows({ ...none, uri: `${uri}?ssl-mode=PREFERRED` })).rejects.toMatchObject({ code: 'invalid_config' });
  });

  it('fail with what is to be done', async () => {
    await expect(rows({ database: 'nowhere' })).rejects.toMatchObject({ kind: 'config', code: 'database_missing' });
    await expect(rows({ host: 'no-such-host.invalid' })).rejects.toMatchObject({ hint: expect.any(String) });
    await expect(rows({ password: undefined })).rejects.toMatchObject({ kind: 'config', code: 'password_required' });
    expect(await rows({ username: 'nobody', password: undefined })).toBe(2);
  });

  it('obey the rules of the network', async () => {
    const { ca } = server();
    await expect(rows({}, { allowed_ip_ranges: ['10.0.0.0/8'] })).rejects.toMatchObject({
      kind: 'config',
      code: 'address_refused',
    });
    await expect(rows({ host: 'localhost' }, { allowed_ip_ranges: ['10.0.0.0/8'] })).rejects.toMatchObject({
      code: 'address_refused',
    });
    expect(await rows({ host: 'localhost' }, { allowed_ip_ranges: ['127.0.0.0/8', '::1/128'] })).toBe(2);
    await expect(rows({}, { require_ssl: true })).rejects.toMatchObject({ code: 'invalid_config' });
    expect(await rows({ ssl: { ca } }, { require_ssl: true })).toBe(2);
  });

  it('end a statement that takes too long', async () => {
    const client = await textClient(server());
    await client.query('create view slow as select sleep(5) as s from t');
    await client.end();
    await using source = await openSource('mysql', configured({ statement_timeout: '200ms' }));
    const read = async () => source.full(await source.schema('slow'));
    await expect(read()).rejects.toMatchObject({ kind: 'transient', code: 'statement_cancelled' });
  });
});

describeWithServer('connections to MariaDB without TLS', mariadb({ settings: { 'skip-ssl': '1' } }), (server) => {
  it('say that it is not offered', async () => {
    const { connection } = configOf(server());
    await using source = await openSource('mysql', { connection: { ...connection, ssl: true } });
    await expect(source.source.discover(AbortSignal.timeout(patient(5000)))).rejects.toMatchObject({
      kind: 'config',
      code: 'tls_not_offered',
    });
  });
});

const LATIN = {
  'character-set-server': 'latin1',
  'character-set-client-handshake': '0',
  'init-connect': 'set names gbk',
};

describeWithServer(
  'connections to MariaDB that would rather speak another character set',
  mariadb({ settings: LATIN }),
  (server) => {
    it('speak UTF-8', async () => {
      const text = 'é, 漢字, 😀';
      const client = await textClient(server());
      await client.query('set names utf8mb4');
      await client.query(`create table told (id int primary key, \`é\` text charset utf8mb4);
      insert into told values (1, '${text}');
      create user teller@'%' identified by 'told'; grant select on shop.* to teller@'%'`);
      await client.end();
      const { connection } = configOf(server());
      await using source = await openSource('mysql', {
        connection: { ...connection, username: 'teller', password: 'told' },
      });
      const batches = await source.full(await source.schema('told'));
      expect(batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))).toEqual([[1, text]]);
    });
  },
);
