import { configOf, textClient } from '../connectors/mysql';
import { mariadb } from '../servers/mariadb';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { connect, makeDatabases, openEndToEnd } from './home';

const ROWS = 30_000;

describeWithServer('MariaDB', mariadb(), (server) => {
  describeWithServer('into PostgreSQL', postgresql({ version: 18 }), (target) => {
    it('is loaded in parallel parts, and then what is new, with and without a key', async () => {
      const source = await textClient(server());
      await source.query(`
        create table items (id int primary key, v varchar(40), updated_at timestamp(6) not null default current_timestamp(6) on update current_timestamp(6), key (updated_at));
        insert into items (id, v) select seq, md5(seq) from seq_1_to_${ROWS}; analyze table items;
        create table events (v varchar(40), updated_at datetime(6) not null);
        insert into events select 'same', '2024-01-01' + interval seq div 100 second from seq_1_to_1000`);
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      const destination = await connect(databases.targetUrl);
      const one = async (sql: string) => Object.values((await destination.query(sql)).rows[0] as object);
      try {
        await home.store({
          name: 'shop',
          type: 'mariadb',
          ...configOf(server()),
          sync_strategy: { type: 'incremental' },
        });
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: ROWS + 1000 });
        await source.query(`update items set v = 'new' where id <= 10; insert into items (id, v) values (${ROWS + 1}, 'new');
          insert into events values ('same', '2024-01-01 00:00:10'), ('other', '2024-02-01')`);
        // Of the last value all equal rows are read again, as another has joined them.
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded' });
        const [[found]] = (await source.query<[]>(`select sum(crc32(concat(id, v))) from items`)) as unknown as [
          [[string]],
        ];
        const { rows } = await destination.query<{ id: string; v: string }>('select id, v from shop.items');
        expect(rows).toHaveLength(ROWS + 1);
        expect(String(rows.reduce((sum, { id, v }) => sum + crc32(`${id}${v}`), 0))).toBe(found[0]);
        expect(await one('select count(*) as a, count(distinct _explorerio_id) as b from shop.events')).toEqual([
          '1002',
          '1002',
        ]);
      } finally {
        await destination.end();
        await home.close();
        await databases.close();
        await source.end();
      }
    }, 60_000);
  });
});

function crc32(text: string): number {
  let crc = -1;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}
