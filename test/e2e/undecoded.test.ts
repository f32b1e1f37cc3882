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

describeWithServer('texts that a pipeline converts', postgresql({ version: 18 }), (server) => {
  it('are stored as what they were converted to, however they are written', async () => {
    const databases = await makeDatabases(server());
    const { source, target } = databases;
    await source.query('create schema forms');
    await source.query('create table forms.all (id int primary key, made text, age text, active text)');
    // Batches of forms that PostgreSQL reads as we do, and others with some that only we know, or write differently.
    await source.query(`insert into forms.all select i,
        (array['2024-01-31T12:00:00Z', '0001-01-01 00:00:00Z', '9999-12-31T23:59:59.999990Z', null])[1 + i % 4],
        (array['0', '-1', '999999999', '45', null])[1 + i % 5],
        (array['true','t','yes','y','on','1','false','f','no','n','off','0',null])[1 + i % 13]
      from generate_series(1, 900) i`);
    await source.query(`insert into forms.all select i,
        (array['2024-01-31T12:00:00Z', '2024-01-31T12:00:00+05:30', ' 2024-01-31 ', ''])[1 + i % 4],
        (array['0', '+5', '007', '12.0', ''])[1 + i % 5],
        (array['TRUE', ' y ', 'off', ''])[1 + i % 4]
      from generate_series(901, 1800) i`);
    const home = await openEndToEnd(databases.targetUrl);
    try {
      const conversions = { made: 'datetime', age: 'integer', active: 'boolean' };
      const steps = { transformations: [{ type: 'data_type_conversion', conversions }] };
      await home.store(documentOf(server(), 'forms', steps));
      expect(await home.sync('forms')).toMatchObject({ state: 'succeeded', rows: 1800 });
      const read = `select id, nullif(trim(made), '')::timestamptz made, nullif(trim(age), '')::numeric::int age,
        nullif(trim(active), '')::boolean active from forms.all order by id`;
      const stored = await target.query('select id, made, age, active from forms.forms__all order by id');
      expect(stored.rows).toEqual((await source.query(read)).rows);
      expect(stored.fields.map(({ dataTypeID }) => dataTypeID)).toEqual([23, 1184, 23, 16]);
    } finally {
      await home.close();
      await databases.close();
    }
  }, 60_000);
});
