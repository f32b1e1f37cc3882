import { startReceiver } from '../adapters/embedded/notify/http-receiver';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, eventually, makeDatabases } from './home';
import { type ServedHome, startServedHome } from './served-home';

const TABLES = ['follows', 'keeps', 'waits'] as const;
const DOCUMENT = {
  sync_strategy: { type: 'full' },
  destination: { schema_changes: 'pause' },
  streams: { 'shop.follows': { schema_changes: 'apply' }, 'shop.keeps': { schema_changes: 'quarantine' } },
};
const CHANGES = ['field note (text) is new', 'field amount was integer and is bigint'];

describeWithServer('a source that changes its shape', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let home: ServedHome;
  let slack: Awaited<ReturnType<typeof startReceiver>>;
  beforeAll(async () => {
    databases = await makeDatabases(server());
    slack = await startReceiver();
    home = await startServedHome(databases.targetUrl, { EXPLORERIO_SLACK_WEBHOOK_URL: `${slack.url}/services/T0` });
  });
  afterAll(async () => {
    await home?.stop();
    await slack?.down();
    await databases?.close();
  });

  const change = (sql: (table: string) => string) =>
    databases.source.query(TABLES.map((table) => sql(`shop.${table}`)).join(';'));
  const stored = async (table: string) =>
    (await databases.target.query(`select * from shop.shop__${table} order by id`)).rows;
  const told = () => slack.requests.map(({ body }) => body.toString('utf8'));

  it('is followed, kept or paused stream by stream, and everybody is told in words', async () => {
    await databases.source.query('create schema shop');
    await change(
      (table) => `create table ${table} (id int primary key, amount int);
      insert into ${table} values (1, 10), (2, 20)`,
    );
    const created = await home.call('POST', '/api/integrations', documentOf(server(), 'shop', DOCUMENT));
    expect(created.status).toBe(201);
    expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: 6 });

    await change(
      (table) => `alter table ${table} add note text; alter table ${table} alter amount type bigint;
      insert into ${table} values (3, 30, null), (4, 5000000000, null), (5, 50, 'new')`,
    );
    const plan = (await home.call('GET', '/api/integrations/shop/plan')).body.streams;
    for (const change of CHANGES) {
      expect(plan[0].warnings.join()).toContain(change);
      expect(plan[1].warnings.join()).toContain(change);
      expect(plan[2].fault.message).toContain(change);
    }
    await home.sync('shop');
    const { last_run } = (await home.call('GET', '/api/integrations/shop/status')).body;
    expect(last_run.state).toBe('partial');
    for (const stream of last_run.streams) expect(stream.changes).toEqual(expect.arrayContaining(CHANGES));
    expect(last_run.streams.map((one: { state: string; quarantined: number }) => [one.state, one.quarantined])).toEqual(
      [
        ['succeeded', 0],
        ['succeeded', 2],
        ['failed', 0],
      ],
    );
    expect((await stored('follows')).map(({ amount, note }) => [amount, note])).toEqual([
      ['10', null],
      ['20', null],
      ['30', null],
      ['5000000000', null],
      ['50', 'new'],
    ]);
    expect((await stored('keeps')).map(({ amount }) => amount)).toEqual(['10', '20', '30']);
    expect(Object.keys((await stored('keeps'))[0])).not.toContain('note');
    expect((await stored('waits')).map(({ amount }) => amount)).toEqual(['10', '20']);

    const news = await eventually(async () => {
      const found = told().filter((body) => body.includes('schema_change'));
      return TABLES.every((table) => found.some((body) => body.includes(`shop.${table}`)))
        ? found.join('\n')
        : undefined;
    });
    for (const change of CHANGES) expect(news).toContain(change);
    expect(news).toContain('explorerio schema accept shop shop.waits');
  }, 60_000);

  it('goes on with the new shape when it is accepted', async () => {
    const accepted = await home.call('POST', '/api/integrations/shop/schema/accept', {
      streams: ['shop.waits', 'shop.keeps'],
    });
    expect(accepted.status).toBe(200);
    expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', quarantined: 0 });
    for (const table of TABLES) expect(await stored(table)).toHaveLength(5);
  }, 60_000);
});
