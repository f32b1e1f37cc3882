import { connect, makeDatabases, openEndToEnd } from '../e2e/home';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { Files } from './sqlite';

const ROWS = 120_000;
const COLUMNS = 'id, name, amount, ratio, updated_at, hex(data), loose';

describeWithServer('a file of SQLite in an ExplorerIO database', postgresql({ version: 18 }), (target) => {
  const files = new Files();
  afterAll(() => files.remove());

  it('has every row and every value, also of what is written meanwhile', async () => {
    const database = files.writer('shop.db');
    const insert = (from: number, to: number) =>
      database.exec(`with recursive n(g) as (select ${from} union all select g + 1 from n where g < ${to})
        insert into items select g, 'name ' || g || ' é🙂', g * 1.25, g / 7.0,
        strftime('%Y-%m-%d %H:%M:%f', 'now'), randomblob(g % 50),
        case g % 4 when 0 then g when 1 then 'text ' || g when 2 then null else g / 3.0 end from n`);
    database.exec(`create table items (id integer primary key, name text not null, amount numeric(12,2),
      ratio real, updated_at datetime not null, data blob, loose integer);
      create index by_time on items (updated_at)`);
    insert(1, ROWS);
    const databases = await makeDatabases(target());
    const home = await openEndToEnd(databases.targetUrl);
    const destination = await connect(databases.targetUrl);
    let written = ROWS;
    const writing = setInterval(() => {
      insert(written + 1, written + 10);
      written += 10;
      database.exec(`update items set amount = amount + 1, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
        where id = ${1 + (written % ROWS)}`);
    }, 50);
    try {
      const document = { connection: { path: files.path('shop.db') }, sync_strategy: { type: 'incremental' } };
      await home.store({ name: 'shop', type: 'sqlite', ...document });
      expect(await home.sync('shop')).toMatchObject({ state: 'succeeded' });
      clearInterval(writing);
      expect(await home.sync('shop')).toMatchObject({ state: 'succeeded' });
      const stored = await destination.query<{
        [name: string]: string | null;
      }>(`select id, name, amount, ratio, updated_at,
        upper(encode(data, 'hex')) as data, loose from shop.items order by id`);
      expect(written).toBeGreaterThan(ROWS);
      expect(stored.rows).toHaveLength(written);
      const rows = database.prepare(`select ${COLUMNS} from items order by id`).raw().all() as unknown[][];
      const differing = stored.rows.filter((row, index) =>
        Object.values(row).some((text, place) => {
          return !isSame(text, rows[index]?.[place], place);
        }),
      );
      expect(differing).toEqual([]);
    } finally {
      clearInterval(writing);
      await destination.end();
      await home.close();
      await databases.close();
    }
  }, 120_000);
});

// The column with values of several types is text, in which a real is never written as an integer.
function isSame(text: string | null | undefined, value: unknown, place: number): boolean {
  if (text === null || text === undefined || value === null) return text === value;
  if (typeof value !== 'number') return text === value;
  if (place === 6 && !Number.isInteger(Number(text))) return text === String(value);
  return Number(text) === value;
}
