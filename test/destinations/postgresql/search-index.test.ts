import { column, orders } from '../../contracts/destination-harness';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query } from '../postgresql';
import { book, books, searchHarness } from './search-harness';

for (const version of [15, 18] as const) {
  describeWithServer(`search index on PostgreSQL ${version}`, postgresql({ version }), (server) => {
    const { opened, sql, open, start } = searchHarness(server);

    it('keeps the indexes through loads and swaps', async () => {
      const { full, ids, namespace } = await start();
      await full([book(1, 'first edition')]);
      expect(await ids('first')).toEqual([1]);
      expect((await full([book(1, 'second edition'), book(2, 'other')])).notes).toEqual([]);
      expect(await ids('first')).toEqual([]);
      expect(await ids('second')).toEqual([1]);
      const indexes = await sql(
        `SELECT indexname FROM pg_indexes WHERE schemaname = '${namespace}' AND tablename = 'books'`,
      );
      expect(indexes.map(({ indexname }) => indexname?.replace(/_[0-9a-f]{16}$/, '')).sort()).toEqual([
        '_explorerio_key',
        '_explorerio_search',
        '_explorerio_similar',
      ]);
    });

    it('keeps them where rows are moved instead of tables swapped', async () => {
      const { full, ids, namespace } = await start();
      await full([book(1, 'first edition')]);
      await sql(`CREATE MATERIALIZED VIEW ${namespace}.m AS SELECT id FROM ${namespace}.books`);
      expect((await full([book(1, 'second edition')])).notes.join()).toMatch(/moved one by one/);
      expect(await ids('first')).toEqual([]);
      expect(await ids('second')).toEqual([1]);
    });

    it('follows changes of the settings: other fields, another language, none', async () => {
      const { full, ids, namespace, slice, write } = await start();
      await full([book(1, 'running', 'mountains')]);
      const again = async (fields: readonly string[], language = 'simple') =>
        open({ namespace, search: fields.length === 0 ? {} : { books: { fields, language } } });
      const narrower = await again(['body']);
      expect((await narrower.prepare(slice, books)).changes).toEqual(['built the search index over body (simple)']);
      expect((await narrower.prepare(slice, books)).changes).toEqual([]);
      expect(await ids('running')).toEqual([]);
      const english = await again(['title', 'body'], 'english');
      await full([book(1, 'running', 'mountains')], books, english);
      expect(await ids('runs mountain')).toEqual([1]);
      const none = await again([]);
      expect((await none.prepare(slice, books)).changes).toEqual(['removed the search index']);
      expect(await ids('running')).toEqual([]);
      const loaded = await again([]);
      await full([book(1, 'running')], books, loaded);
      const left = await sql(
        `SELECT indexname FROM pg_indexes WHERE schemaname = '${namespace}' AND indexname ~ 'search_|similar_'`,
      );
      expect(left).toEqual([]);
      await write([book(2, 'y')]);
    });

    it('stays right when columns are added and widened', async () => {
      const schema = (type: 'int32' | 'int64' | 'text') =>
        orders([column('id', 'int64'), column('code', type), ...(type === 'text' ? [column('more', 'text')] : [])]);
      const { destination, slice, write, ids } = await start(
        { search: { orders: { fields: ['code'], language: 'simple' } } },
        schema('int32'),
      );
      await write([[1n, 4711]], undefined, schema('int32'));
      expect(await ids('4711')).toEqual([1]);
      await destination.prepare(slice, schema('int64'));
      await write([[2n, 123456789012n]], undefined, schema('int64'));
      expect(await ids('123456789012')).toEqual([2]);
      await destination.prepare(slice, schema('text'));
      await write([[3n, 'word', null]], undefined, schema('text'));
      expect(await ids('word')).toEqual([3]);
      expect(await ids('4711')).toEqual([1]);
    });

    it('refuses fields that are not there, whose text depends on settings, and unknown languages', async () => {
      const refused = async (fields: string[], language = 'simple') => {
        const destination = await open({ search: { books: { fields, language } } });
        const slice = { integration: 'shop', stream: 'books', partition: 'all', load: 'l' };
        return destination.prepare(slice, books).catch((error: unknown) => error);
      };
      expect(await refused(['title', 'nothing'])).toMatchObject({
        kind: 'config',
        code: 'invalid_config',
        issues: [{ path: 'streams.books.search[1]', message: expect.stringContaining('no field nothing') }],
      });
      expect(await refused(['at'])).toMatchObject({ issues: [{ path: 'streams.books.search[0]' }] });
      expect(await refused(['title'], 'klingon')).toMatchObject({
        issues: [{ path: 'streams.books.search_language', message: expect.stringContaining('german') }],
      });
    });

    it('gives a whole answer while tables are swapped', async () => {
      const { full, find } = await start();
      const generation = (name: string) => Array.from({ length: 30 }, (_, id) => book(id, `constant ${name}`));
      await full(generation('0'));
      let done = false;
      let searches = 0;
      const searching = (async () => {
        while (!done) {
          const { hits } = await find('constant', { limit: 100 });
          expect(hits).toHaveLength(30);
          expect(new Set(hits.map(({ record }) => record.title)).size).toBe(1);
          searches++;
        }
      })();
      for (let round = 1; round <= 5; round++) await full(generation(String(round)));
      done = true;
      await searching;
      expect(searches).toBeGreaterThan(3);
    });

    it('stores and finds texts of any size and kind', async () => {
      const { write, ids } = await start();
      const unique = (from: number, to: number) =>
        Array.from(
          { length: to - from },
          (_, place) => `${String.fromCodePoint(0x10400 + ((from + place) % 40))}${(from + place).toString(36)}`,
        ).join('-');
      const written = await write([
        book(1, 'short', `${'lorem ipsum '.repeat(500_000)}`),
        book(2, unique(0, 60_000)),
        book(3, 'x'.repeat(3_000_000)),
        book(4, Array.from({ length: 100_000 }, (_, at) => String.fromCodePoint(0x10000 + (at % 0x4000))).join('')),
        book(5, 'a needle', 'nothing'),
        [6n, null, null, null],
      ]);
      expect(written).toMatchObject({ rows: 6, quarantined: 0 });
      expect(await ids('needle')).toEqual([5]);
      expect(await ids('short')).toContain(1);
    });

    it('works without the right to create the extension, and says so', async () => {
      const role = `plain_${version}`;
      await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
      await sql(`CREATE DATABASE ${role} TEMPLATE template0`);
      const admin = server().url.replace(/\/[^/]*$/, `/${role}`);
      await query({ ...server(), url: admin }, `CREATE SCHEMA own AUTHORIZATION ${role}`);
      const url = new URL(admin);
      url.username = role;
      url.password = 'p';
      const { changes, write, ids, full, find } = await start({ namespace: 'own' }, books, url.href);
      expect(changes.join()).toMatch(/pg_trgm/);
      expect((await full([book(1, 'Solaris')])).notes.join()).toMatch(/pg_trgm/);
      await write([book(2, 'Solaris again')]);
      expect((await ids('solar')).sort()).toEqual([1, 2]);
      expect((await find('olaris')).hits).toEqual([]);
      for (const one of opened.splice(0)) await one.close();
      await sql(`DROP DATABASE ${role}`);
    });
  });
}
