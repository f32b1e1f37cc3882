import { rmSync } from 'node:fs';
import { type Home, openHome } from '../../bin/embedded';
import type { Json } from '../../lib/core/json';
import { Redactor } from '../../lib/core/secret';
import { recordingLogger } from '../contracts/recording-logger';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { connect, documentOf, temporaryFolder, urlOf } from './home';

describeWithServer('the search in an embedded home', postgresql({ version: 18 }), (server) => {
  let home: Home;
  let dataFolder: string;

  beforeAll(async () => {
    dataFolder = temporaryFolder();
    home = await openHome({ dataFolder, env: {}, log: recordingLogger().log, redactor: new Redactor() });
    await home.startWork();
  }, 60_000);
  afterAll(async () => {
    await home.stop();
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function sync(name: string) {
    const { id } = await home.service.sync(name, { trigger: 'manual', whenRunning: 'refuse' });
    const run = await home.service.wait(id, AbortSignal.timeout(50_000));
    expect(run).toMatchObject({ state: 'succeeded' });
    return run;
  }

  interface Answer {
    readonly hits: readonly {
      readonly integration: string;
      readonly stream: string;
      readonly key: { readonly [name: string]: Json };
      readonly match: string;
      readonly record: { readonly [name: string]: Json };
    }[];
    readonly next?: string;
    readonly warnings: readonly string[];
  }

  async function find(query: Record<string, string>): Promise<Answer> {
    const response = await home.app.request(`/api/search?${new URLSearchParams(query)}`);
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  }

  const names = async (q: string, more: Record<string, string> = {}) =>
    (await find({ q, ...more })).hits.map(({ record }) => record.name ?? record.title);

  it('finds records of two integrations, follows their changes, and forgets what is deleted', async () => {
    const make = await connect(server().url);
    await make.query('create database source');
    await make.end();
    const source = await connect(urlOf(server(), 'source'));
    await source.query(`
      create schema world; create schema library;
      create table world.cities (id bigint primary key, name text not null, country text, population integer,
        updated_at timestamptz not null default now());
      create index on world.cities (updated_at);
      insert into world.cities (id, name, country, population) values (1, 'Wien', 'Österreich', 1900000),
        (2, 'Würzburg', 'Deutschland', 127000), (3, 'MÜNCHEN', 'Deutschland', 1500000), (4, 'København', 'Danmark', 1300000),
        (5, 'Москва', 'Россия', 13000000), (6, '東京都庁', '日本', 14000000);
      insert into world.cities (id, name) select g, 'Town ' || g from generate_series(100, 400) g;
      create table library.books (isbn text primary key, title text not null);
      insert into library.books values ('a', 'A history of München'), ('b', 'Cooking in Wien')`);
    const cities = (search?: readonly string[]) =>
      documentOf(server(), 'world', {
        sync_strategy: { type: 'incremental', timestamp_field: 'updated_at' },
        ...(search && { streams: { 'world.cities': { search } } }),
      });
    await home.service.create(cities());
    const english = { 'library.books': { search: ['title'], search_language: 'english' } };
    await home.service.create(
      documentOf(server(), 'library', {
        sync_strategy: { type: 'full' },
        streams: english,
        destination: { deletes: 'soft' },
      }),
    );
    await sync('world');
    await sync('library');
    expect(await names('münchen')).toEqual(['A history of München']);

    // Named later: the next sync indexes what is there, though nothing new is read.
    const [stream] = (await home.service.plan('world', AbortSignal.timeout(patient(10_000)))).streams;
    expect(stream?.stream).toBe('world.cities');
    await home.service.update('world', cities(['name', 'country']), undefined);
    expect((await sync('world')).streams[0]?.changes).toEqual(['built the search index over name, country (simple)']);
    expect((await names('münchen')).sort()).toEqual(['A history of München', 'MÜNCHEN']);
    expect(await names('münchen', { integration: 'world' })).toEqual(['MÜNCHEN']);
    expect(await names('münchen', { stream: 'library.books' })).toEqual(['A history of München']);
    expect(await names('deutschl würz')).toEqual(['Würzburg']);
    expect(await names('øbenhav')).toEqual(['København']);
    expect((await names('Wuerzburg'))[0]).toBe('Würzburg');
    expect(await names('МОСКВА')).toEqual(['Москва']);
    expect(await names('осква')).toEqual(['Москва']);
    expect(await names('ОСКВА')).toEqual(['Москва']);
    expect(await names('東京')).toEqual(['東京都庁']);
    expect(await names('京都庁')).toEqual(['東京都庁']);
    expect(await names('histories')).toEqual(['A history of München']);

    await source.query(`update world.cities set name = 'Vienna', updated_at = now() where id = 1`);
    await source.query(`delete from library.books where isbn = 'b'`);
    await sync('world');
    await sync('library');
    expect(await names('wien')).toEqual([]);
    expect(await names('vienna')).toEqual(['Vienna']);

    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await find({ q: 'town', limit: '100', ...(after && { after }) });
      seen.push(...page.hits.map(({ key }) => String(key.id)));
      after = page.next;
    } while (after !== undefined);
    expect([seen.length, new Set(seen).size]).toEqual([301, 301]);

    await home.service.remove('library', { data: false });
    expect(await names('münchen')).toEqual(['MÜNCHEN']);
    const gone = await home.app.request('/api/search?q=x&integration=library');
    expect([gone.status, ((await gone.json()) as { code: string }).code]).toEqual([404, 'not_found']);
    await source.end();
  }, 120_000);

  it('names the field that a stream does not have, in the plan and in the run', async () => {
    const source = await connect(urlOf(server(), 'source'));
    await source.query(
      `create schema odd; create table odd.t (id int primary key, note text); insert into odd.t values (1, 'x')`,
    );
    await source.end();
    await home.service.create(documentOf(server(), 'odd', { streams: { 'odd.t': { search: ['note', 'nope'] } } }));
    const path = 'streams.odd.t.search[1]: the stream has no field nope';
    const { streams } = await home.service.plan('odd', AbortSignal.timeout(patient(10_000)));
    expect(streams[0]?.fault?.message).toContain(path);
    const { id } = await home.service.sync('odd', { trigger: 'manual', whenRunning: 'refuse' });
    const run = await home.service.wait(id, AbortSignal.timeout(50_000));
    expect(run.state).toBe('failed');
    expect(run.streams[0]?.fault).toMatchObject({ kind: 'config', message: expect.stringContaining(path) });
  }, 60_000);
});
