import { readFileSync } from 'node:fs';
import { checkSearchFields } from '../../../lib/engine/searchable';
import { document, faultFrom, Home, NEVER, syncAll } from './home';

const withSearch = (search: readonly string[], more = {}) => document({ streams: { orders: { search } }, ...more });

async function start(first = document()) {
  const home = new Home();
  const engine = home.engine();
  home.fill('orders', 3);
  await engine.service.create(first);
  const find = (text: string, more = {}) => engine.service.search({ text, limit: 10, ...more }, NEVER);
  const ids = async (text: string, more = {}) => (await find(text, more)).hits.map(({ key }) => key.id);
  return { home, engine, find, ids };
}

describe('the search', () => {
  it('finds records of the streams that name fields for it, page by page', async () => {
    const { home, engine, find, ids } = await start(withSearch(['text']));
    await syncAll(home, engine);
    expect(await ids('text 2')).toEqual(['2']);
    const first = await find('text', { limit: 2 });
    expect(first.hits).toHaveLength(2);
    expect(await find('text', { limit: 2, after: first.next })).toMatchObject({ hits: [{ key: { id: '3' } }] });
  });

  it('says what is missing where nothing can be searched', async () => {
    const { find } = await start();
    expect(await find('text')).toEqual({ hits: [], warnings: [expect.stringContaining('streams.NAME.search')] });
    expect((await find('text', { integration: 'shop', stream: 'x' })).warnings[0]).toMatch(/no stream x of shop/);
  });

  it('goes by what the documents say now: a stream, an integration that is gone is not searched', async () => {
    const { home, engine, ids } = await start(withSearch(['text']));
    await syncAll(home, engine);
    expect(await ids('text 1', { integration: 'shop' })).toEqual(['1']);
    expect(await ids('text 1', { stream: 'orders' })).toEqual(['1']);
    expect(await ids('text 1', { stream: 'others' })).toEqual([]);
    await engine.service.update('shop', document(), undefined);
    expect(await ids('text 1')).toEqual([]);
    await engine.service.update('shop', withSearch(['text']), undefined);
    expect(await ids('text 1')).toEqual(['1']);
    await engine.service.remove('shop', { data: false });
    expect(await ids('text 1')).toEqual([]);
  });

  it('refuses what cannot be looked for, and integrations that are not there', async () => {
    const { find } = await start(withSearch(['text']));
    for (const text of ['', '  ', 'x'.repeat(501)]) {
      expect(await faultFrom(find(text))).toMatchObject({ kind: 'config', code: 'invalid_search' });
    }
    expect(await faultFrom(find('x', { integration: 'nobody' }))).toMatchObject({ code: 'not_found' });
  });
});

describe('a field that a stream does not have', () => {
  it('is a fault of that stream in the plan, by its path, with the nearest one', async () => {
    const { engine } = await start(withSearch(['text', 'txet']));
    const { streams } = await engine.service.plan('shop', NEVER);
    expect(streams[0]?.fault).toMatchObject({
      kind: 'config',
      code: 'invalid_config',
      message: expect.stringContaining('streams.orders.search[1]: the stream has no field txet; did you mean "text"?'),
    });
  });

  it('is none where the stream has all', () => {
    const schema = { stream: 'constructor', columns: [], key: [] };
    const fields = { name: 'shop', type: 'memory', streams: { other: { search: ['x'] } } };
    expect(() => checkSearchFields(schema, fields)).not.toThrow();
  });

  it.each([
    [{ search: [] }, /streams.orders.search/],
    [{ search: ['a', 'a'] }, /names a field twice/],
    [{ search: 'title' }, /streams.orders.search/],
    [{ serch: ['a'] }, /did you mean "search"/],
    [{ search: ['a'], search_language: "simple'; --" }, /search_language/],
  ])('and what is no list of fields is refused: %j', async (orders, message) => {
    const { engine } = await start();
    const fault = await faultFrom(engine.service.validate(document({ streams: { orders } })));
    expect(fault.message).toMatch(message);
  });
});

describe('the documentation', () => {
  it('has an example that is a document', async () => {
    const text = readFileSync(new URL('../../../docs/search.md', import.meta.url), 'utf8');
    const [, example = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
    const { engine } = await start();
    await expect(engine.service.validate(document(JSON.parse(example)))).resolves.toEqual([]);
  });
});
