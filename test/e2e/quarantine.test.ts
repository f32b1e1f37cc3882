import type { ReplayResult } from '../../lib/core/service';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, makeDatabases, openEndToEnd } from './home';

/** The rules of the specification's example, but for the field of the last. */
const RULES = [
  { field: 'email', type: 'email_format', required: true },
  { field: 'age', type: 'range', min: 0, max: 150 },
  { field: 'country_code', type: 'enum', values: ['US', 'CA', 'UK', 'DE', 'FR'] },
];
const MAPPING = { type: 'field_mapping', mappings: { mail: 'email' } };
const NEVER = new AbortController().signal;

describeWithServer('records in quarantine', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let home: EndToEnd;
  beforeAll(async () => {
    databases = await makeDatabases(server());
    home = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await home?.close();
    await databases?.close();
  });

  const statesOf = ({ outcomes }: ReplayResult) => outcomes.map(({ state }) => state);
  const replay = (name: string, dryRun = false) =>
    home.service.replayQuarantined(name, { filter: {}, dryRun, limit: 100 }, NEVER);

  it('are kept by the rules, corrected, and loaded through the whole chain, once', async () => {
    const { source, target } = databases;
    await source.query(`create schema shop; create table shop.customers (id int primary key, mail text, age int,
        country_code text, updated_at timestamptz not null default now() - interval '1 day');
      insert into shop.customers select g, 'person' || g || '@example.com', g, 'DE', now() from generate_series(1, 20) g;
      insert into shop.customers values (31, 'nobody', 30, 'DE'), (32, 'a@example.com', 200, 'AT'),
        (33, 'b@example.com', 33, 'XX'), (34, 'c@example.com', 34, 'XX')`);
    const document = (rules: typeof RULES) =>
      documentOf(server(), 'shop', {
        transformations: [MAPPING],
        validation_rules: rules,
        error_handling: { strategy: 'quarantine', failure_budget: { max_share: 0.9 } },
      });
    await home.store(document(RULES));
    const run = await home.sync('shop');
    expect(run).toMatchObject({ state: 'succeeded', rows: 20, quarantined: 4 });
    const all = await home.service.quarantined('shop', { limit: 9 });
    const [two] = all.filter(({ record }) => record.id === 32);
    expect(await home.service.quarantinedRecord('shop', two?.id ?? '')).toMatchObject({
      stream: 'shop.customers',
      run: run.id,
      load: `${run.id}.0`,
      op: 'insert',
      configuration: expect.stringMatching(/^[0-9a-f]{16}$/),
      reasons: [
        { field: 'age', rule: 'range' },
        { field: 'country_code', rule: 'enum' },
      ],
      // As the source gave it: the field has its old name.
      record: { id: 32, mail: 'a@example.com', age: 200, country_code: 'AT' },
    });
    expect(await home.service.quarantined('shop', { limit: 9, rule: 'enum' })).toHaveLength(3);
    expect(JSON.stringify((await target.query('select * from shop._explorerio_quarantine')).rows)).not.toContain(
      'nobody',
    );

    // Nothing was mended yet.
    expect(statesOf(await replay('shop', true))).toEqual(['failed', 'failed', 'failed', 'failed']);
    const [first] = all.filter(({ record }) => record.id === 31);
    await home.service.editQuarantined('shop', first?.id ?? '', { mail: 'somebody@example.com' });
    const [enumeration] = RULES.slice(2);
    const wider = [...RULES.slice(0, 2), { ...enumeration, values: [...(enumeration?.values ?? []), 'XX'] }];
    await home.store(document(wider as typeof RULES));
    // In the meantime the source has mended one by itself; its older version would pass now, too.
    await source.query(
      `update shop.customers set mail = 'new@example.com', country_code = 'FR', updated_at = now() where id = 33`,
    );
    await home.sync('shop');

    const rows = async () =>
      (await target.query('select id, email from shop.shop__customers where id > 30 order by id')).rows;
    const mended = { id: '33', email: 'new@example.com' };
    expect(await rows()).toEqual([mended]);
    const planned = await replay('shop', true);
    expect(statesOf(planned).sort()).toEqual(['failed', 'loaded', 'loaded', 'superseded']);
    expect(await rows()).toEqual([mended]);
    expect(await replay('shop')).toEqual(planned);
    const loaded = [{ id: '31', email: 'somebody@example.com' }, mended, { id: '34', email: 'c@example.com' }];
    expect(await rows()).toEqual(loaded);
    const [left, ...more] = await home.service.quarantined('shop', { limit: 9 });
    expect(more).toEqual([]);
    expect(left?.configuration).not.toBe(two?.configuration);
    expect(statesOf(await replay('shop'))).toEqual(['failed']);
    expect(await rows()).toEqual(loaded);
    expect(await home.service.dropQuarantined('shop', { ids: [left?.id ?? ''] })).toBe(1);
    expect(await replay('shop')).toEqual({ outcomes: [] });
    await expect(home.service.quarantinedRecord('shop', left?.id ?? '')).rejects.toMatchObject({ code: 'not_found' });
  }, 60_000);

  it('are kept within the bounds of the document, and the run says what was dropped', async () => {
    const { source } = databases;
    await source.query(`create schema bounds; create table bounds.orders (id int primary key, n int);
      insert into bounds.orders select g, -1 from generate_series(1, 30) g;
      insert into bounds.orders select g, 1 from generate_series(101, 140) g`);
    const document = (quarantine: { readonly max_records?: number; readonly max_age?: string }) =>
      documentOf(server(), 'bounds', {
        sync_strategy: { type: 'full' },
        validation_rules: [{ field: 'n', type: 'range', min: 0 }],
        error_handling: { quarantine },
      });
    await home.store(document({ max_records: 10 }));
    const notesOf = async () => (await home.sync('bounds')).streams.flatMap(({ notes }) => notes);
    expect(await notesOf()).toContainEqual(
      expect.stringMatching(/^20 records were dropped from quarantine for good, the oldest: .*max_records \(10\)/),
    );
    expect(home.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringMatching(/^20 records were dropped/) }),
    );
    await source.query('delete from bounds.orders where id <= 28');
    // Two are rejected again, of the ten that were kept; the others were read anew and are gone from the source.
    expect((await notesOf()).join()).toMatch(/removed from quarantine: a later full load has read the stream anew/);
    expect(await home.service.quarantined('bounds', { limit: 99 })).toHaveLength(2);
    await home.store(document({ max_age: '1ms' }));
    expect(await notesOf()).toContainEqual(expect.stringMatching(/^2 records were dropped .*max_age \(1ms\)/));
    expect(await home.service.quarantined('bounds', { limit: 99 })).toEqual([]);
  }, 60_000);
});
