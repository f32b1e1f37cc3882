import type { Row } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { Files } from './sqlite';

describe('increments of SQLite', () => {
  const files = new Files();
  const database = files.writer('increments.db');
  afterAll(() => files.remove());
  const open = () => openSource('sqlite', { connection: { path: files.path('increments.db') } });
  const ids = (rows: readonly Row[], place = 0) => rows.map((row) => Number(row[place])).sort((a, b) => a - b);

  it('give rows of one cursor value once, whether they meet at the edge of a batch or come later', async () => {
    database.exec(`create table edge (id integer primary key, updated_at text not null);
      insert into edge select value, '2024-01-01 00:00:0' || (value / 4) from json_each('[1,2,3,4,5,6,7,8,9]')`);
    await using source = await open();
    const schema = await source.schema('edge');
    const size = { rows: 2, bytes: 1 << 20 };
    const first = await source.increment(schema, 'updated_at', undefined, { size });
    expect(ids(first.rows)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { after } of first.batches.slice(0, -1)) {
      const rest = await source.increment(schema, 'updated_at', after, { size });
      const last = Math.max(...ids(rest.rows));
      expect(last).toBe(9);
    }
    expect((await source.increment(schema, 'updated_at', first.after)).rows).toEqual([]);
    database.exec(`insert into edge values (10, '2024-01-01 00:00:02')`);
    expect(ids((await source.increment(schema, 'updated_at', first.after)).rows)).toEqual([8, 9, 10]);
  });

  it('number the rows of a table without a key', async () => {
    database.exec(`create table log (updated_at datetime, text text);
      insert into log values ('2024-01-01', 'a'), ('2024-01-01', 'a'), ('2024-01-02', 'b'), (null, 'c')`);
    await using source = await open();
    const schema = await source.schema('log');
    const first = await source.increment(schema, 'updated_at', undefined);
    expect(first.rows).toHaveLength(4);
    expect(new Set(first.rows.map(([id]) => id)).size).toBe(4);
    const again = await source.increment(schema, 'updated_at', first.after);
    // Only the row without a cursor value, as the same record.
    expect(again.rows).toEqual(first.rows.filter((row) => row[1] === null));
  });

  it.each([
    ['text', `strftime('%Y-%m-%d %H:%M:%f', 'now', ?)`],
    ['datetime', `strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)`],
    ['integer', `cast(strftime('%s', 'now', ?) as integer)`],
    ['integer', `cast(strftime('%s', 'now', ?) as integer) * 1000`],
    ['timestamp', `julianday('now', ?)`],
  ])('do not go on from a time that is still to come: %s by %s', async (type, time) => {
    database.exec(`drop table if exists clocks; create table clocks (id integer primary key, updated_at ${type})`);
    const insert = (id: number, when: string) =>
      database.prepare(`insert into clocks values (?, ${time})`).run([id, when]);
    insert(1, '-2 day');
    insert(2, '+2 day');
    await using source = await open();
    const schema = await source.schema('clocks');
    const first = await source.increment(schema, 'updated_at', undefined);
    expect(ids(first.rows)).toEqual([1, 2]);
    insert(3, '-1 day');
    const second = await source.increment(schema, 'updated_at', first.after);
    expect(ids(second.rows)).toEqual([2, 3]);
    expect(ids((await source.increment(schema, 'updated_at', second.after)).rows)).toEqual([2]);
  });

  it.each([
    ['text', `'2024-03-01 00:00:30.500'`, `'2024-02-29 23:59:40.000'`],
    ['text', `'2024-03-01T00:00:30Z'`, `'2024-02-29T23:59:40Z'`],
    ['text', `'2024-03-02'`, `'2024-03-01'`],
    ['integer', '1709251230', '1709251180'],
    ['integer', '1709251230000', '1709251180000'],
    ['timestamp', '2460370.5003', '2460370.4998'],
    ['numeric', '1709251230.5', '1709251180'],
  ])('read again what lookback says, in the form that the times have: %s %s', async (type, last, late) => {
    database.exec(`drop table if exists behind; create table behind (id integer primary key, updated_at ${type});
      insert into behind values (1, ${last})`);
    await using source = await open();
    const schema = await source.schema('behind');
    const { after } = await source.increment(schema, 'updated_at', undefined);
    database.exec(`insert into behind values (2, ${late})`);
    const cursor = (lookbackMs: number) => ({ cursor: { column: 'updated_at', lookbackMs } });
    expect(ids((await source.increment(schema, 'updated_at', after, cursor(0))).rows)).toEqual([]);
    expect(ids((await source.increment(schema, 'updated_at', after, cursor(60_000))).rows)).toEqual([1, 2]);
  });

  it('compare numbers exactly, whole or not', async () => {
    database.exec(`create table sums (id integer primary key, total numeric);
      insert into sums values (1, 9007199254740992), (2, 9007199254740993), (3, 0.1), (4, 1e300)`);
    await using source = await open();
    const schema = await source.schema('sums');
    const { batches } = await source.increment(schema, 'total', undefined, { size: { rows: 1, bytes: 1 << 20 } });
    expect(batches.map((batch) => batch.kind === 'rows' && ids(batch.rows)[0])).toEqual([3, 1, 2, 4]);
    for (const [index, { after }] of batches.entries()) {
      const rest = await source.increment(schema, 'total', after);
      expect(rest.rows.map(([id]) => Number(id))).toEqual([3, 1, 2, 4].slice(index + 1));
    }
  });
});
