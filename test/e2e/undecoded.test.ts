import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { TYPE_SETUP, TYPE_TABLE } from '../tables/postgresql-types';
import { documentOf, makeDatabases, openEndToEnd } from './home';

const HEIGHT = Math.max(...TYPE_TABLE.map(({ values }) => values.length));
/** Longer than what is sent in one piece, with what has to be escaped. */
const LARGE = `repeat(E'tab\\t, newline\\n, backslash\\\\ ', 10000)`;

describeWithServer('records of which a pipeline looks at one field', postgresql({ version: 18 }), (server) => {
  it('are stored like those of a load without one, whatever is in the others', async () => {
    const databases = await makeDatabases(server());
    const { source, target } = databases;
    await source.query(`${TYPE_SETUP}; set lc_monetary = 'C'`);
    const columns = TYPE_TABLE.map(({ sql }, index) => `c${index} ${sql}`);
    await source.query('create schema shop');
    await source.query(`create table shop.all (id int primary key, email text, large text, ${columns.join(', ')})`);
    for (let line = 0; line < HEIGHT; line++) {
      const cells = TYPE_TABLE.map(({ sql, values }) => {
        const [value] = values[line] ?? [];
        return value === undefined ? 'null' : `${source.escapeLiteral(value)}::${sql}`;
      });
      const email = line % 5 === 4 ? 'none' : `${line}@example.com`;
      const large = line % 3 === 2 ? LARGE : 'null';
      await source.query(`insert into shop.all values (${line}, '${email}', ${large}, ${cells.join(', ')})`);
    }
    const home = await openEndToEnd(databases.targetUrl);
    try {
      await home.store(documentOf(server(), 'shop'));
      expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: HEIGHT });
      const names = ['id', 'email', 'large', ...TYPE_TABLE.map((_, index) => `c${index}`)];
      const stored = async () => {
        const texts = names.map((name) => `"${name}"::text as "${name}"`).join(', ');
        return (await target.query(`select ${texts} from shop.shop__all where email <> 'none' order by shop__all.id`))
          .rows;
      };
      const expected = await stored();
      const rules = { validation_rules: [{ type: 'email_format', field: 'email' }] };
      await home.store({ ...documentOf(server(), 'shop', rules), name: 'shop' });
      const refused = Math.floor(HEIGHT / 5);
      expect(await home.sync('shop', 'full')).toMatchObject({ rows: HEIGHT - refused, quarantined: refused });
      expect(await stored()).toEqual(expected);
      const [kept] = await home.service.quarantined('shop', { limit: 1 });
      expect(Object.keys((kept?.record ?? {}) as object)).toEqual(expect.arrayContaining(names));
    } finally {
      await home.close();
      await databases.close();
    }
  }, 60_000);
});
