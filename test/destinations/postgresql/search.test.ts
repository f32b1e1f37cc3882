import { Client } from 'pg';
import { Op } from '../../../lib/core/batch';
import type { SearchPlace } from '../../../lib/core/search';
import { postgresqlConfig } from '../../../lib/destinations/postgresql/config';
import { openPostgresqlSearch } from '../../../lib/destinations/postgresql/search';
import { signal } from '../../contracts/destination-harness';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { silent } from '../postgresql';
import { book, books, searchHarness } from './search-harness';

for (const version of [15, 18] as const) {
  describeWithServer(`search on PostgreSQL ${version}`, postgresql({ version }), (server) => {
    const { opened, reader, start } = searchHarness(server);

    it('finds what was written from its commit on, and nothing that was deleted', async () => {
      const { write, ids, changes } = await start();
      expect(changes).toContain('built the search index over title, body (simple)');
      await write([book(1, 'The Left Hand of Darkness'), book(2, 'Solaris', 'an ocean that thinks')]);
      expect(await ids('darkness')).toEqual([1]);
      expect(await ids('ocean')).toEqual([2]);
      await write([book(2, 'Solaris', 'a planet')], [Op.Update]);
      expect(await ids('ocean')).toEqual([]);
      expect(await ids('planet')).toEqual([2]);
      await write([book(1, '')], [Op.Delete]);
      expect(await ids('darkness')).toEqual([]);
    });

    it('leaves out rows that are marked deleted', async () => {
      const { write, ids } = await start({ deletes: 'soft' });
      await write([book(1, 'Roadside Picnic')]);
      expect(await ids('picnic')).toEqual([1]);
      await write([book(1, '')], [Op.Delete]);
      expect(await ids('picnic')).toEqual([]);
      expect(await ids('picnik')).toEqual([]);
    });

    it('finds the beginnings, parts and misspellings of words, phrases, either and without', async () => {
      const { write, ids, find } = await start();
      await write([
        book(1, 'Elektronik in München', 'Straße der Jugend, ÄRGER'),
        book(2, 'Cooking for electricians'),
        book(3, 'Photography and electronics', 'with a Müller camera'),
        book(4, 'Москва'),
      ]);
      expect(await ids('electr')).toEqual(expect.arrayContaining([2, 3]));
      expect((await find('cooking electr')).hits[0]?.highlights[0]?.parts.filter(({ match }) => match)).toEqual([
        { text: 'Cooking', match: true },
        { text: 'electricians', match: true },
      ]);
      expect(await ids('lektron')).toEqual([1]);
      expect((await find('lektron')).hits[0]).toMatchObject({
        match: 'similar',
        highlights: [
          {
            field: 'title',
            parts: [
              { text: 'Elektronik', match: true },
              { text: ' in München', match: false },
            ],
          },
        ],
      });
      expect((await ids('fotography'))[0]).toBe(3);
      expect((await ids('electornics'))[0]).toBe(3);
      expect(await ids('Масква')).toEqual([4]);
      expect(await ids('ОСКВА')).toEqual([4]);
      expect(await ids('MÜNCHEN')).toEqual([1]);
      expect(await ids('ärger')).toEqual([1]);
      expect(await ids('mu\u0308ller')).toEqual([3]);
      expect(await ids('"for electricians"')).toEqual([2]);
      expect(await ids('cooking or photography')).toEqual(expect.arrayContaining([2, 3]));
      expect(await ids('electr -cooking')).not.toContain(2);
      expect(await ids('photography camera')).toEqual([3]);
    });

    it('marks what was found, without any way to put a mark into a record', async () => {
      const { write, find } = await start();
      await write([book(1, '<b>whale</b> [x] hunt', 'nothing'), book(2, 'whale')]);
      const { hits } = await find('whale');
      const first = hits.find(({ key }) => key.id === '1');
      expect(first).toMatchObject({
        integration: 'shop',
        stream: 'books',
        key: { id: '1' },
        match: 'words',
        record: { title: '<b>whale</b> [x] hunt', body: 'nothing' },
      });
      expect(first?.highlights).toHaveLength(1);
      expect(first?.highlights[0]?.parts.filter(({ match }) => match)).toEqual([{ text: 'whale', match: true }]);
    });

    it('finds records of two integrations, each by its own, and none of those that were not asked for', async () => {
      const one = await start({ integration: 'one', namespace: `shared_${version}` });
      const other = { ...books, stream: 'novels' };
      const two = await start(
        {
          integration: 'two',
          namespace: one.namespace,
          search: { novels: { fields: ['title'], language: 'english' } },
        },
        other,
      );
      await one.write([book(1, 'dune')]);
      await two.write([book(7, 'dune messiah')], undefined, other);
      const found = await one.searcher.search({ text: 'dune', limit: 10 }, [one.place, two.place], signal);
      expect(found.hits.map(({ integration, stream, key }) => [integration, stream, key.id]).sort()).toEqual([
        ['one', 'books', '1'],
        ['two', 'novels', '7'],
      ]);
      expect((await one.find('dune')).hits).toHaveLength(1);
      const unnamed = { ...one.place, streams: [] };
      expect((await one.searcher.search({ text: 'dune', limit: 10 }, [unnamed], signal)).hits).toEqual([]);
      const stranger = { ...one.place, integration: 'two' };
      expect((await one.searcher.search({ text: 'dune', limit: 10 }, [stranger], signal)).hits).toEqual([]);
    });

    it('gives every record once over pages, those with the words before those with similar ones', async () => {
      const { write, find } = await start();
      const rows = Array.from({ length: 45 }, (_, id) =>
        book(id, id % 3 === 0 ? 'telephone' : `${'telephone '.repeat(id % 2)}telegraph`),
      );
      await write([
        ...rows,
        ...Array.from({ length: 12 }, (_, id) => book(100 + id, 'telefone')),
        ...Array.from({ length: 9 }, (_, id) => book(200 + id, 'megatelephones')),
      ]);
      const seen: string[] = [];
      const matches: string[] = [];
      let after: string | undefined;
      do {
        const page = await find('telephone', { limit: 7, ...(after && { after }) });
        expect(page.hits.length).toBeLessThanOrEqual(7);
        seen.push(...page.hits.map(({ key }) => String(key.id)));
        matches.push(...page.hits.map(({ match }) => match));
        after = page.next;
      } while (after !== undefined);
      expect(new Set(seen).size).toBe(seen.length);
      const whole = await find('telephone', { limit: 500 });
      expect(seen).toEqual(whole.hits.map(({ key }) => String(key.id)));
      expect(seen).toHaveLength(30 + 9 + 12);
      expect(whole.hits.slice(30, 39).every(({ key }) => Number(key.id) >= 200)).toBe(true);
      expect(matches).toEqual([...matches].sort().reverse());
    });

    it('orders equal records of keyless streams and odd keys without a gap', async () => {
      const keyless = { ...books, key: [] };
      const { write, find } = await start({}, keyless);
      await write(
        Array.from({ length: 25 }, (_, id) => book(id, 'same words')),
        undefined,
        keyless,
      );
      const seen = new Set<string>();
      let after: string | undefined;
      let count = 0;
      do {
        const page = await find('same', { limit: 4, ...(after && { after }) });
        for (const { record, key } of page.hits) {
          count++;
          expect(key).toEqual({});
          seen.add(String(record.title));
        }
        after = page.next;
      } while (after !== undefined);
      expect(count).toBe(25);
    });

    it('looks into many tables a few at a time, in one order over pages', async () => {
      const places: SearchPlace[] = [];
      for (let integration = 1; integration <= 5; integration++) {
        const name = `many_${integration}`;
        const { write, place } = await start({ integration: name });
        await write(
          Array.from({ length: 7 }, (_, id) =>
            book(id, id % 2 === 0 ? 'whale' : `whale ${'calf '.repeat(id)}`, `of ${name}`),
          ),
        );
        places.push(place);
      }
      const pages = async (tables: number) => {
        const config = postgresqlConfig.parse({ url: server().url });
        const few = openPostgresqlSearch(config, { log: silent }, { milliseconds: 5000, tables });
        opened.push(few);
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const request = { text: 'whale', limit: 4, ...(after && { after }) };
          const page = await few.search(request, places, signal);
          seen.push(...page.hits.map(({ integration, key }) => `${integration}/${key.id}`));
          after = page.next;
        } while (after !== undefined);
        return seen;
      };
      const all = await pages(200);
      expect(new Set(all).size).toBe(35);
      expect(all).toHaveLength(35);
      expect(await pages(2)).toEqual(all);
      expect(await pages(1)).toEqual(all);
    });

    it('ends after its time, and when it is aborted', async () => {
      const { write, place, namespace } = await start();
      await write([book(1, 'slow')]);
      const config = postgresqlConfig.parse({ url: server().url });
      const impatient = openPostgresqlSearch(config, { log: silent }, { milliseconds: 300, tables: 200 });
      opened.push(impatient);
      const holder = new Client({ connectionString: server().url });
      await holder.connect();
      await holder.query(`BEGIN; LOCK TABLE ${namespace}.books IN ACCESS EXCLUSIVE MODE`);
      const request = { text: 'slow', limit: 5 };
      await expect(impatient.search(request, [place], signal)).rejects.toMatchObject({
        kind: 'transient',
        code: 'search_timeout',
      });
      const searcher = await reader();
      await expect(searcher.search(request, [place], AbortSignal.timeout(100))).rejects.toBeInstanceOf(Error);
      await holder.query('ROLLBACK');
      await holder.end();
      expect((await impatient.search(request, [place], signal)).hits).toHaveLength(1);
    });

    it('takes anything for a text', async () => {
      const { write, find } = await start();
      await write([book(1, `it's a "quoted" \\ text & | ! ( ) : * 100%_x`)]);
      const hostile = [
        `'`,
        `"`,
        `'; DROP TABLE x; --`,
        `\\`,
        `!!!`,
        '& | ! ( )',
        ':*',
        `a:* & 'b`,
        '%',
        '_',
        '-x',
        '- -',
        '<->',
        '\u0000a',
        '\ud800',
        `"unclosed phrase`,
        'or',
        'or or or',
        '-or',
        '👩‍👩‍👧‍👦',
        'ﷺ',
        '\u202e abc',
        `${'x '.repeat(249)}`,
      ];
      for (const text of hostile) {
        const outcome = await find(text).catch((error: unknown) => error);
        if ((outcome as Error).message !== undefined) expect(outcome).toMatchObject({ code: 'invalid_search' });
      }
      expect((await find(`it's quoted`)).hits).toHaveLength(1);
      for (const text of ['', '  ', '\u0000', 'x'.repeat(501), 'word '.repeat(10_000)]) {
        await expect(find(text)).rejects.toMatchObject({ kind: 'config', code: 'invalid_search' });
      }
      for (const after of ['x', 'e30', Buffer.from('["a","b"]').toString('base64url')]) {
        await expect(find('quoted', { after })).rejects.toMatchObject({ kind: 'config', code: 'invalid_search' });
      }
    });
  });
}
