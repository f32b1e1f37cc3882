import { Client, type ClientConfig } from 'pg';
import { type PostgresqlServer, postgresql } from './postgresql';
import { describeWithServer } from './require';

async function ask<T extends object>(server: PostgresqlServer, sql: string, config: ClientConfig = {}) {
  const { host, port, user, password, database } = server;
  const client = new Client({ host, port, user, password, database, ...config });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const FACTS = `select current_setting('server_version_num')::int / 10000 as version, current_setting('wal_level') as wal,
  current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
  current_setting('max_connections') as connections, current_setting('listen_addresses') as addresses,
  (select datcollate from pg_database where datname = 'postgres') as locale`;

describe.each([15, 18] as const)('PostgreSQL %i', (version) => {
  describeWithServer('a private server', postgresql({ version, settings: { work_mem: '5MB' } }), (server) => {
    it('is set up as tests need it, on a port that no outgoing connection can hold', async () => {
      expect(await ask(server(), FACTS)).toEqual([
        {
          version,
          wal: 'logical',
          encoding: 'UTF8',
          fsync: 'off',
          connections: '100',
          addresses: '127.0.0.1',
          locale: 'C.UTF-8',
        },
      ]);
      expect(await ask(server(), 'show work_mem')).toEqual([{ work_mem: '5MB' }]);
      expect(server().port).toBeLessThan(32768);
    });

    it('asks for the password', async () => {
      await expect(ask(server(), 'select 1', { password: 'wrong' })).rejects.toMatchObject({ code: '28P01' });
    });

    it('keeps its data and its port over a restart and over a kill', async () => {
      await ask(server(), 'create table kept as select 1 as id');
      const before = server().pid;
      await server().restart();
      expect(server().pid).not.toBe(before);
      await ask(server(), 'checkpoint');
      await server().kill();
      await expect(ask(server(), 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await server().restart();
      expect(await ask(server(), 'select id from kept')).toEqual([{ id: 1 }]);
    });
  });

  describeWithServer('kill', postgresql({ version }), (server) => {
    it('ends the work of its sessions too', async () => {
      const busy = ask(server(), `set statement_timeout = '10s'; do $$ begin loop end loop; end $$`);
      const ended = expect(busy).rejects.toThrow(/ECONNRESET|terminated unexpectedly/);
      const sessions = `select 1 from pg_stat_activity where query like '%end loop%' and pid <> pg_backend_pid()`;
      while ((await ask(server(), sessions)).length === 0);
      await server().kill();
      await ended;
    });
  });

  describeWithServer('TLS', postgresql({ version, tls: true }), (server) => {
    const encrypted = 'select ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()';

    it.each(['localhost', '127.0.0.1'])('proves that it is %s', async (name) => {
      const ssl = { ca: server().ca, servername: name === 'localhost' ? name : '' };
      expect(await ask(server(), encrypted, { host: name, ssl })).toEqual([{ ssl: true, client_dn: null }]);
    });

    it('is refused by a client that does not know its authority', async () => {
      await expect(ask(server(), 'select 1', { ssl: true })).rejects.toMatchObject({
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
      });
    });

    it('knows a client by its certificate', async () => {
      const { ca, clientCertificate, clientKey } = server();
      const ssl = { ca, cert: clientCertificate, key: clientKey };
      expect(await ask(server(), encrypted, { ssl })).toEqual([{ ssl: true, client_dn: '/CN=postgres' }]);
    });
  });
});
