import type { Row } from '../../../lib/core/batch';
import type { Connector, Source } from '../../../lib/core/connector';
import type { SchemaPolicy } from '../../../lib/core/integration';
import type { Notification } from '../../../lib/core/notification';
import type { StreamSchema } from '../../../lib/core/schema';
import type { Engine } from '../../../lib/engine/engine';
import { shapeChanges } from '../../../lib/engine/evolve';
import { compilePipeline } from '../../../lib/pipeline/compile';
import { document, Home, NEVER, syncAll } from './home';

const text = (name: string, nullable = true) => ({ name, type: 'text', nullable, native: 'test/varchar(20)' }) as const;

/** Gives every stream another shape, and its rows the cells for it. */
function reshaped(
  connector: Connector,
  shape: (schema: StreamSchema) => StreamSchema,
  cells: (row: Row) => Row,
): Connector {
  const schemas = new Map<string, StreamSchema>();
  const of = (schema: StreamSchema) => {
    const known = schemas.get(schema.stream) ?? shape(schema);
    schemas.set(schema.stream, known);
    return known;
  };
  const wrap = (source: Source): Source => ({
    ...source,
    check: (signal) => source.check(signal),
    discover: async (signal) => (await source.discover(signal)).map((info) => ({ ...info, schema: of(info.schema) })),
    async *scan(request) {
      for await (const batch of source.scan?.(request) ?? []) {
        if (batch.kind === 'rows') yield { ...batch, schema: of(batch.schema), rows: batch.rows.map(cells) };
        else yield batch;
      }
    },
    close: () => source.close(),
  });
  return { ...connector, open: async (config, host) => wrap(await connector.open(config, host)) };
}

describe('changes of a shape', () => {
  const before: StreamSchema = { stream: 'orders', columns: [text('id', false), text('a')], key: ['id'] };

  it.each<[string, Partial<StreamSchema>, readonly string[]]>([
    ['nothing', {}, []],
    ['a new field', { columns: [...before.columns, text('b')] }, ['field b (varchar(20)) is new']],
    ['a field that is gone', { columns: [text('id', false)] }, ['field a is gone']],
    [
      'another type',
      { columns: [text('id', false), { ...text('a'), type: 'int64', native: 'test/bigint' }] },
      ['field a was varchar(20) and is bigint'],
    ],
    ['NULL', { columns: [text('id', true), text('a')] }, ['field id may be NULL now']],
    ['another key', { key: [] }, ['the key was id and is none']],
    ['another order', { columns: [text('a'), text('id', false)] }, []],
  ])('name %s', (_, after, wanted) => expect(shapeChanges(before, { ...before, ...after })).toEqual(wanted));
});

describe('a stream whose shape changes between two syncs', () => {
  let home: Home;
  let before: Engine;
  const wider = (value: string | null) => () =>
    reshaped(
      home.connector(),
      (schema) => ({ ...schema, columns: [...schema.columns, text('note')] }),
      (row) => [...row, row[0] === 2 ? value : null],
    );
  const create = async (policy: SchemaPolicy | undefined) => {
    await before.service.create({ ...document(), ...(policy && { destination: { schema_changes: policy } }) });
    expect(await syncAll(home, before)).toMatchObject({ state: 'succeeded', rows: 3 });
  };
  beforeEach(() => {
    home = new Home();
    home.fill('orders', 3);
    before = home.engine();
  });

  it('is followed by default, and the run says what changed', async () => {
    await create(undefined);
    const run = await syncAll(home, home.engine({}, wider('x')));
    expect(run).toMatchObject({ state: 'succeeded', rows: 3 });
    expect(run.streams[0]?.changes).toContain('field note (varchar(20)) is new');
    expect((await syncAll(home, home.engine({}, wider('x')))).streams[0]?.changes).not.toContain(
      'field note (varchar(20)) is new',
    );
  });

  it('stops with "pause", until the shape is accepted', async () => {
    await create('pause');
    const engine = home.engine({}, wider('x'));
    const stopped = await syncAll(home, engine);
    expect(stopped).toMatchObject({ state: 'failed', rows: 0 });
    expect(stopped.streams[0]?.fault).toMatchObject({
      kind: 'config',
      code: 'schema_changed',
      message: 'syncing orders: its shape has changed: field note (varchar(20)) is new',
      hint: expect.stringContaining('explorerio schema accept shop orders'),
    });
    expect(home.visible('orders')).toBe(3);
    await expect(engine.service.acceptSchema('shop', ['nothing'])).rejects.toMatchObject({ code: 'not_found' });
    expect(await engine.service.acceptSchema('shop', undefined)).toEqual(['orders']);
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 3 });
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded' });
  });

  it('keeps its shape with "quarantine"; records that hold something new are set aside', async () => {
    await create('quarantine');
    const engine = home.engine({}, wider('x'));
    withPipelines(home);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 2, quarantined: 1 });
    expect(home.store.tables.get('shop/orders')?.schema.columns.map(({ name }) => name)).toEqual(
      expect.not.arrayContaining(['note']),
    );
    withPipelines(home);
    expect(await syncAll(home, home.engine({}, wider(null)))).toMatchObject({
      state: 'succeeded',
      rows: 3,
      quarantined: 0,
    });
  });
});

describe('streams of one integration', () => {
  const added = (home: Home) => () =>
    reshaped(
      home.connector(),
      (schema) => ({ ...schema, columns: [...schema.columns, text('note')] }),
      (row) => [...row, row[0] === 2 ? 'x' : null],
    );
  const POLICIES = {
    destination: { schema_changes: 'pause' },
    streams: { b_follows: { schema_changes: 'apply' }, c_keeps: { schema_changes: 'quarantine' } },
  };
  const CHANGE = 'field note (varchar(20)) is new';

  it('each have their policy, and plan, status and notification say in words what changed', async () => {
    const home = new Home();
    for (const stream of ['a_pauses', 'b_follows', 'c_keeps']) home.fill(stream, 3);
    const told: Notification[] = [];
    home.notify = async (one) => void told.push(one);
    const before = home.engine();
    await before.service.create(document(POLICIES));
    await syncAll(home, before);
    await home.clock.advance(1000);
    withPipelines(home);
    const engine = home.engine({}, added(home));
    await engine.tellOfRuns();
    expect(told).toEqual([]);

    const { streams: planned } = await engine.service.plan('shop', NEVER);
    expect(planned.map(({ stream, warnings, fault }) => [stream, warnings, fault?.code])).toEqual([
      ['a_pauses', expect.anything(), 'schema_changed'],
      ['b_follows', [expect.stringContaining(`${CHANGE}: it is followed`)], undefined],
      ['c_keeps', [expect.stringContaining(`${CHANGE}: the accepted shape is kept`)], undefined],
    ]);

    const rowsOf = (stream: string) => home.visible(stream);
    for (const stream of ['a_pauses', 'b_follows', 'c_keeps']) home.fill(stream, 1, 4);
    await syncAll(home, engine);
    expect(['a_pauses', 'b_follows', 'c_keeps'].map(rowsOf)).toEqual([3, 4, 3]);
    const { lastRun } = await engine.service.status('shop');
    expect(lastRun?.state).toBe('partial');
    expect(lastRun?.streams.map(({ stream, state, changes }) => [stream, state, changes])).toEqual([
      ['a_pauses', 'failed', [CHANGE]],
      ['b_follows', 'succeeded', expect.arrayContaining([CHANGE])],
      ['c_keeps', 'succeeded', [CHANGE]],
    ]);
    await engine.tellOfRuns();
    const news = told.filter(({ kind }) => kind === 'schema_change');
    expect(news.map(({ stream, severity, text: said }) => [stream, severity, said.split('\n')[0]])).toEqual([
      ['a_pauses', 'warning', CHANGE],
      ['b_follows', 'info', CHANGE],
      ['c_keeps', 'warning', CHANGE],
    ]);
    expect(news[0]?.text).toContain('explorerio schema accept shop a_pauses');
  });

  it('pause with "quarantine" when the key changes, as records could not be told apart', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const before = home.engine();
    await before.service.create(document({ destination: { schema_changes: 'quarantine' } }));
    await syncAll(home, before);
    const rekeyed = () =>
      reshaped(
        home.connector(),
        (schema) => ({ ...schema, key: ['text'] }),
        (row) => row,
      );
    const run = await syncAll(home, home.engine({}, rekeyed));
    expect(run.streams[0]?.fault?.message).toContain('the key was id and is text');
    expect(home.visible('orders')).toBe(3);
  });
});

/** The pipeline of the homes, in place of one that a test made. */
function withPipelines(home: Home): void {
  home.openPipeline = (fields, lookup, kept) =>
    compilePipeline(fields, { lookup, places: async () => () => undefined }, kept);
}
