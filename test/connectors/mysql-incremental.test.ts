import type mysql from 'mysql2/promise';
import type { Batch, Row } from '../../lib/core/batch';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { type MariadbServer, mariadb } from '../servers/mariadb';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './mysql';

const SMALL = { rows: 3, bytes: 1 << 20 };
const rowsOf = (batches: readonly Batch[]) => batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
const idsOf = (rows: readonly Row[]) => rows.map(([id]) => Number(id)).sort((left, right) => left - right);

describeWithServer('increments of MariaDB', mariadb(), (server) => {
  let client: mysql.Connection;
  let late: mysql.Connection;
  beforeAll(async () => {
    client = await textClient(server());
    late = await textClient(server());
  });
  afterAll(() => Promise.all([client.end(), late.end()]));

  const open = (options: object = {}, as: Partial<MariadbServer> = {}) =>
    openSource('mysql', { ...configOf({ ...server(), ...as }), ...options });
  const make = (table: string, type = 'timestamp(6) not null default current_timestamp(6)') =>
    client.query(`create table ${table} (id int primary key, at ${type}, key (at))`);

  it('give rows that were committed late, though newer ones were read before', async () => {
    await make('late');
    await using source = await open();
    const schema = await source.schema('late');
    await late.query('start transaction; insert into late (id) values (1)');
    await client.query('insert into late (id) values (2)');
    const first = await source.increment(schema, 'at', undefined);
    expect(idsOf(first.rows)).toEqual([2]);
    const second = await source.increment(schema, 'at', first.after);
    expect(second.rows).toEqual([]);
    await late.query('commit');
    const third = await source.increment(schema, 'at', second.after);
    expect(idsOf(third.rows)).toEqual([1, 2]);
    expect((await source.increment(schema, 'at', third.after)).rows).toEqual([]);
  });

  it('give rows of a transaction that had only read when its time came', async () => {
    await make('promoted');
    await using source = await open();
    const schema = await source.schema('promoted');
    await late.query('start transaction; select count(*) from promoted');
    await client.query('insert into promoted (id) values (2)');
    const first = await source.increment(schema, 'at', undefined);
    await late.query(`insert into promoted values (1, now(6) - interval 1 second)`);
    const second = await source.increment(schema, 'at', first.after);
    await late.query('commit');
    const third = await source.increment(schema, 'at', second.after);
    expect(idsOf([...first.rows, ...second.rows, ...third.rows])).toContain(1);
  });

  it('give what was open while a full read began', async () => {
    await make('bridged');
    await client.query('insert into bridged (id) values (1)');
    await using source = await open();
    const schema = await source.schema('bridged');
    await late.query('start transaction; insert into bridged (id) values (2)');
    await client.query('insert into bridged (id) values (3)');
    const { parts, after } = await source.partitions(schema, { cursor: { column: 'at', lookbackMs: 0 } });
    const read: Row[] = [];
    for (const part of parts) {
      for await (const batch of source.part(schema, part)) if (batch.kind === 'rows') read.push(...batch.rows);
    }
    expect(idsOf(read)).toEqual([1, 3]);
    await late.query('commit');
    expect(idsOf((await source.increment(schema, 'at', after)).rows)).toContain(2);
  });

  it('stop between equal values, and notice a row that gets the last one later', async () => {
    await make('equal', 'datetime not null');
    await client.query(`insert into equal select seq, '2024-01-01 00:00:00' from seq_1_to_10`);
    await using source = await open();
    const schema = await source.schema('equal');
    const first = await source.increment(schema, 'at', undefined, { size: SMALL });
    for (const [index, { after }] of first.batches.entries()) {
      const rest = await source.increment(schema, 'at', after, { size: SMALL });
      expect(idsOf(rest.rows)).toEqual(idsOf(first.rows.slice((index + 1) * SMALL.rows)));
    }
    await client.query(`insert into equal values (11, '2024-01-01 00:00:00')`);
    const second = await source.increment(schema, 'at', first.after);
    expect(idsOf(second.rows)).toContain(11);
    expect((await source.increment(schema, 'at', second.after)).rows).toEqual([]);
  });

  it('read rows of the future and rows without a value each time, and go no further by them', async () => {
    await make('odd', 'datetime(6) null');
    await client.query(`insert into odd values (1, '2024-01-01'), (2, null), (3, utc_timestamp() + interval 2 day)`);
    await using source = await open();
    const schema = await source.schema('odd');
    const first = await source.increment(schema, 'at', undefined);
    expect(idsOf(first.rows)).toEqual([1, 2, 3]);
    await client.query(`insert into odd values (4, '2024-01-02')`);
    expect(idsOf((await source.increment(schema, 'at', first.after)).rows)).toEqual([2, 3, 4]);
  });

  it.each(['keyed', 'keyless'])(
    'go on inside of rows without a value, where dates that do not exist are read as none (%s)',
    async (kind) => {
      const table = `gaps_${kind}`;
      await client.query(`set sql_mode = ''; create table ${table} (id int ${kind === 'keyed' ? 'primary key' : ''}, at datetime(3));
      insert into ${table} select seq, elt(1 + seq % 3, ${kind === 'keyed' ? "'0000-00-00'" : 'null'}, null, '2024-01-01' + interval seq second) from seq_1_to_60;
      set sql_mode = default`);
      await using source = await open({ zero_dates: 'null' });
      const schema = await source.schema(table);
      const id = (row: Row) => row[kind === 'keyed' ? 0 : 1];
      const read = async (from: Position | undefined) =>
        (await source.increment(schema, 'at', from, { size: SMALL })).batches;
      const whole = await read(undefined);
      expect(new Set(rowsOf(whole).map(id)).size).toBe(60);
      for (const [index, { after }] of whole.slice(0, -1).entries()) {
        const rest = await read(after);
        const seen = new Set(rowsOf([...whole.slice(0, index + 1), ...rest]).map(id));
        expect(seen.size).toBe(60);
      }
      // Behind the last row with a value, only those without are read again.
      const last = whole.at(-2)?.after;
      expect(rowsOf(await read(last)).length).toBeLessThanOrEqual(kind === 'keyed' ? SMALL.rows : 40);
    },
  );

  it('go by numbers too', async () => {
    await client.query(
      'create table counted (id bigint unsigned primary key auto_increment); insert into counted values (1), (18446744073709551613)',
    );
    await using source = await open();
    const schema = await source.schema('counted');
    const first = await source.increment(schema, 'id', undefined);
    expect(first.rows).toEqual([['1'], ['18446744073709551613']]);
    await client.query('insert into counted values (18446744073709551614)');
    expect((await source.increment(schema, 'id', first.after)).rows).toEqual([['18446744073709551614']]);
  });

  it('read again the last minute where the server does not tell what is open', async () => {
    await make('margin');
    await client.query(`create user plain@'%' identified by 'plain'; grant select on shop.* to plain@'%';
      insert into margin values (1, now(6) - interval 1 hour), (2, now(6) - interval 5 second)`);
    await using source = await open({}, { user: 'plain', password: 'plain' });
    const schema = await source.schema('margin');
    await late.query('start transaction; insert into margin (id) values (3)');
    await client.query('insert into margin (id) values (4)');
    const first = await source.increment(schema, 'at', undefined);
    expect(idsOf(first.rows)).toEqual([1, 2, 4]);
    await late.query('commit');
    expect(idsOf((await source.increment(schema, 'at', first.after)).rows)).toEqual([2, 3, 4]);
    await using short = await open({ late_commit_margin: '1s' }, { user: 'plain', password: 'plain' });
    expect(idsOf((await short.increment(schema, 'at', first.after)).rows)).toEqual([3, 4]);
  });
});
