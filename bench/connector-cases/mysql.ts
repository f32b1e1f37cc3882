import mysql from 'mysql2/promise';
import { type MariadbServer, startMariadb } from '../../test/servers/mariadb';
import { type ConnectorCase, runClient } from './case';

/** About 250 bytes a row, as the table of the PostgreSQL benchmarks. */
const TABLE = `create table events (
  id bigint primary key, account bigint not null, title text not null, note text, amount decimal(18,4) not null,
  ratio double, quantity int not null, active tinyint(1) not null, attributes json not null, payload json,
  created_at timestamp(6) not null default current_timestamp(6), updated_at timestamp(6) not null default current_timestamp(6))`;
const FILL = `insert into events select seq, (seq * 7919) % 100000,
  concat('Title "', seq, '" of\\nmany — äöü 日本語 ', repeat('x', seq % 20)),
  if(seq % 10 = 0, null, concat('a\\tnote\\\\', md5(seq))), (seq % 1000000) / 7, seq / 3e0, seq % 1000, seq % 3 = 0,
  concat('{"n": ', seq, '.1234567890123456789, "tag": "v', seq % 100, '", "ok": true}'),
  if(seq % 4 = 0, null, concat('{"list": [', seq, ', ', seq + 1, ', "two"]}')),
  '2024-01-01' + interval seq second, '2024-01-01' + interval seq * 1500000 microsecond from seq_1_to_`;

/** MySQL's protocol, spoken by MariaDB; the bare client is its own. */
export const mysqlCase: ConnectorCase = {
  name: 'mysql',
  client: 'mariadb --quick',
  async start(rows) {
    const server = await startMariadb({ settings: { 'innodb-buffer-pool-size': '1G' } });
    await fill(server, rows);
    const { host, port, database, user, password } = server;
    return {
      document: {
        type: 'mysql',
        connection: { host, port, database, username: user, password },
        tables: ['events'],
        sync_strategy: { type: 'full' },
      },
      stream: 'events',
      async readWithClient(file) {
        const login = ['--no-defaults', `-h${host}`, `-P${port}`, `-u${user}`, `-p${password}`];
        const options = ['--quick', '--batch', '--skip-column-names', '--default-character-set=utf8mb4'];
        await runClient('mariadb', [...login, ...options, database, '-e', 'select * from events'], file);
      },
      stop: () => server.stop(),
    };
  },
};

async function fill({ host, port, user, password, database }: MariadbServer, rows: number): Promise<void> {
  const client = await mysql.createConnection({ host, port, user, password, database, charset: 'utf8mb4' });
  await client.query(`set time_zone = '+00:00'`);
  await client.query(TABLE);
  await client.query(FILL + rows);
  await client.query('analyze table events');
  await client.end();
}
