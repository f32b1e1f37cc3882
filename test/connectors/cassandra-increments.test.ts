import type { Row } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { sorted } from '../contracts/source-reading';
import { cassandra } from '../servers/cassandra';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, executeMany, makeKeyspace } from './cassandra';

describeWithServer('increments of Cassandra 5.0', cassandra(), (server) => {
  const run = async (...statements: string[]) => {
    for (const cql of statements) await server().client.execute(cql);
  };
  const open = (more: object = {}) => openSource('cassandra', { ...configOf(server()), ...more });

  beforeAll(() => makeKeyspace(server()));

  it('see a write to any column that has a time, whichever is named', async () => {
    await run(
      'create table shop.wide (p int, c int, a int, b text, s int static, tags set<text>, frozen_tags frozen<set<text>>, primary key (p, c))',
      ...[1, 2, 3].map((c) => `insert into shop.wide (p, c, a, b, s, tags) values (1, ${c}, 0, 'x', 0, {'t'})`),
      `insert into shop.wide (p, c, a, b, s, tags) values (2, 1, 0, 'x', 0, {'t'})`,
    );
    await using source = await open();
    const schema = await source.schema('wide');
    const first = await source.increment(schema, 'a', undefined);
    expect(first.rows).toHaveLength(4);
    let { after } = first;
    const next = async (cql: string): Promise<readonly Row[]> => {
      await run(cql);
      const increment = await source.increment(schema, 'a', after);
      after = increment.after;
      return increment.rows.map((row) => row.slice(0, 2));
    };
    expect(await next(`update shop.wide set b = 'y' where p = 1 and c = 2`)).toEqual([[1, 2]]);
    expect(await next(`update shop.wide set tags = tags + {'u'} where p = 1 and c = 3`)).toEqual([[1, 3]]);
    expect(await next(`update shop.wide set frozen_tags = {'u'} where p = 1 and c = 1`)).toEqual([[1, 1]]);
    expect(sorted(await next('update shop.wide set s = 7 where p = 1'))).toEqual(
      sorted([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
    );
    expect(await next('delete from shop.wide where p = 1 and c = 1')).toEqual([]);
    expect(await next('insert into shop.wide (p, c, a) values (3, 1, 1) using ttl 1000')).toEqual([[3, 1]]);
  });

  it('read rows of which only the key was written each time', async () => {
    await run(
      'create table shop.bare (id int primary key, v int)',
      'insert into shop.bare (id) values (1)',
      'insert into shop.bare (id, v) values (2, 2)',
    );
    await using source = await open();
    const schema = await source.schema('bare');
    const { rows, after } = await source.increment(schema, 'v', undefined);
    expect(rows).toHaveLength(2);
    expect((await source.increment(schema, 'v', after)).rows).toEqual([[1, null]]);
  });

  it('wait for a write that took its time earlier than it was stored', async () => {
    await run('create table shop.late (id int primary key, v int)', 'insert into shop.late (id, v) values (1, 1)');
    await using source = await open({ settle_time: '1500ms' });
    const schema = await source.schema('late');
    const { after } = await source.increment(schema, 'v', undefined);
    const time = Date.now() * 1000;
    const reading = source.increment(schema, 'v', after);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await run(`insert into shop.late (id, v) values (2, 2) using timestamp ${time}`);
    const second = await reading;
    expect(second.rows).toEqual([[2, 2]]);
    expect((await source.increment(schema, 'v', second.after)).rows).toEqual([]);
  });

  it('read again what is in the lookback, and not yet what is dated in the future', async () => {
    await run('create table shop.clocks (id int primary key, v int)');
    const now = Date.now() * 1000;
    await run(
      `insert into shop.clocks (id, v) values (1, 1)`,
      `insert into shop.clocks (id, v) values (2, 2) using timestamp ${now + 86_400_000_000}`,
    );
    await using source = await open();
    const schema = await source.schema('clocks');
    const first = await source.increment(schema, 'v', undefined);
    expect(first.rows).toEqual([[1, 1]]);
    await run(`insert into shop.clocks (id, v) values (3, 3) using timestamp ${now - 60_000_000}`);
    expect((await source.increment(schema, 'v', first.after)).rows).toEqual([]);
    const cursor = { column: 'v', lookbackMs: 120_000 };
    const { rows } = await source.increment(schema, 'v', first.after, { cursor });
    expect(sorted(rows)).toEqual(
      sorted([
        [1, 1],
        [3, 3],
      ]),
    );
  });

  it('end where they must, when it is interrupted within one partition', async () => {
    await run('create table shop.deep (p int, c int, v int, primary key (p, c)) with clustering order by (c desc)');
    const cells = Array.from({ length: 100 }, (_, c) => [1, c, c]);
    await executeMany(server(), 'insert into shop.deep (p, c, v) values (?, ?, ?)', cells);
    await using source = await open();
    const schema = await source.schema('deep');
    const size = { rows: 30, bytes: 1 << 20 };
    const { batches } = await source.increment(schema, 'v', undefined, { size });
    expect(batches).toHaveLength(4);
    await run('update shop.deep set v = 1000 where p = 1 and c = 3');
    // Written after the increment began: it is of the next one.
    const rest = await source.increment(schema, 'v', batches[1]?.after, { size });
    expect(rest.rows).toHaveLength(39);
    expect((await source.increment(schema, 'v', rest.after)).rows).toEqual([[1, 3, 1000]]);
  });

  it('are not offered for counters and tables that are all key', async () => {
    await run(
      'create table shop.hits (id int primary key, n counter)',
      'create table shop.only_key (a int, b int, primary key (a, b))',
    );
    await using source = await open();
    const infos = await source.source.discover(AbortSignal.timeout(patient(20_000)));
    for (const name of ['hits', 'only_key']) {
      const info = infos.find(({ schema }) => schema.stream === name);
      expect(info).toMatchObject({
        modes: ['full'],
        cursors: [],
        notes: [expect.stringContaining('in full each time')],
      });
    }
    expect(infos.find(({ schema }) => schema.stream === 'wide')).toMatchObject({
      modes: ['full', 'incremental'],
      notes: expect.arrayContaining([expect.stringContaining('whole table')]),
    });
  });
});
