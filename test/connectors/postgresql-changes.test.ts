import type pg from 'pg';
import type { Row } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { Follower } from '../servers/postgresql-follower';
import { describeWithServer } from '../servers/require';
import { TYPE_SETUP, TYPE_TABLE } from '../tables/postgresql-types';
import { configOf, textClient } from './postgresql';

const LARGE = `(select string_agg(md5(g::text), '') from generate_series(1, 1000) g)`;

for (const version of [15, 18] as const) {
  describeWithServer(`changes in PostgreSQL ${version}`, postgresql({ version }), (server) => {
    let client: pg.Client;
    beforeAll(async () => {
      client = await textClient(server());
    });
    afterAll(() => client.end());
    afterEach(async () => {
      await client.query(`drop schema public cascade; create schema public`);
      await client.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`);
      const { rows } = await client.query<{ pubname: string }>('select pubname from pg_publication');
      for (const { pubname } of rows) await client.query(`drop publication ${pubname}`);
    });
    const follow = (more: object = {}, name?: string) => Follower.open({ ...configOf(server()), ...more }, name);

    it('have the values that a scan has, of every type', async () => {
      const types = TYPE_TABLE.filter(({ sql }) => sql !== 'money[]');
      const columns = types.map(({ sql }, index) => `c${index} ${sql}`);
      const height = Math.max(...types.map(({ values }) => values.length));
      await client.query(`${TYPE_SETUP}; create table every_type (line int primary key, ${columns.join(', ')})`);
      await using follower = await follow();
      await follower.begin();
      await client.query(`set lc_monetary = 'C'`);
      for (let line = 0; line < height; line++) {
        const cells = types.map(({ values, sql }) =>
          line < values.length ? `${client.escapeLiteral(values[line]?.[0] ?? '')}::${sql}` : 'null',
        );
        await client.query(`insert into every_type values (${[line, ...cells].join(', ')})`);
      }
      const batches = await follower.batches();
      await using source = await openSource('postgresql', configOf(server()));
      const scanned = (await source.full(await source.schema('every_type'))).flatMap((batch) =>
        batch.kind === 'rows' ? batch.rows : [],
      );
      const byLine = (rows: Row[]) => rows.sort((left, right) => Number(left[0]) - Number(right[0]));
      const followed = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
      expect(followed).toHaveLength(height);
      expect(byLine(followed)).toEqual(byLine(scanned));
      expect(batches[0]?.schema).toEqual(await source.schema('every_type'));
    });

    it('have amounts of money to the last digit, and the values of a type that is only called so', async () => {
      await client.query(`create type public.money as enum ('-1', 'much'); set lc_monetary = 'C';
        create table a (id int primary key, cash pg_catalog.money, word public.money)`);
      await using follower = await follow();
      await follower.begin();
      await client.query(
        `insert into a values (1, '92233720368547758.07', 'much'), (2, '-0.05', '-1'), (3, '0', null)`,
      );
      const [batch] = await follower.batches();
      expect(batch?.kind === 'rows' && batch.rows).toEqual([
        [1, '92233720368547758.07', 'much'],
        [2, '-0.05', '-1'],
        [3, '0.00', null],
      ]);
    });

    it('leave out large values that an update has not touched, also of the key', async () => {
      await client.query(`create table a (id int, part text, body text, n int, primary key (id, part));
        alter table a alter part set storage external; alter table a alter body set storage external;
        insert into a values (1, left(${LARGE}, 2500), ${LARGE}, 0)`);
      await using follower = await follow();
      await follower.begin();
      await client.query('update a set n = 1');
      const [batch] = await follower.batches();
      const [row] = batch?.kind === 'rows' ? batch.rows : [];
      expect(String(row?.[1])).toHaveLength(2500);
      expect(row?.slice(2)).toEqual([expect.any(Symbol), 1]);
    });

    it('of a key bring the large values along that the update has not touched', async () => {
      await client.query(`create table a (id int primary key, body text, n int);
        alter table a alter body set storage external; insert into a values (1, ${LARGE}, 0), (2, ${LARGE}, 0)`);
      await using follower = await follow();
      await follower.begin();
      await client.query(
        'update a set id = 11 where id = 1; update a set id = 12 where id = 2; delete from a where id = 12',
      );
      const [batch] = await follower.batches();
      if (batch?.kind !== 'rows') throw new Error('no rows');
      expect(batch.rows.map(([id], index) => [batch.ops?.[index], id])).toEqual([
        [2, 1],
        [0, 11],
        [2, 2],
        [2, 12],
      ]);
      expect(batch.rows[1]).toEqual([11, expect.stringMatching(/^[0-9a-f]{32000}$/), 0]);
    });

    it('are whole where the replica identity is', async () => {
      await client.query(`create table a (id int primary key, body text, n int);
        alter table a alter body set storage external; alter table a replica identity full;
        insert into a values (1, ${LARGE}, 0)`);
      await using follower = await follow();
      await follower.begin();
      await client.query('update a set n = 1; update a set id = 2; delete from a');
      const [batch] = await follower.batches();
      if (batch?.kind !== 'rows') throw new Error('no rows');
      expect([...(batch.ops ?? [])]).toEqual([1, 2, 0, 2]);
      expect(batch.rows.map((row) => [row[0], String(row[1]).length])).toEqual([1, 1, 2, 2].map((id) => [id, 32_000]));
    });

    it('of partitions are those of their table', async () => {
      await client.query(`create table p (id int, at date, n int, primary key (id, at)) partition by range (at);
        create table p1 partition of p for values from ('2026-01-01') to ('2027-01-01');
        create table p2 partition of p for values from ('2027-01-01') to ('2028-01-01')`);
      await using follower = await follow();
      await follower.begin();
      await client.query(`insert into p values (1, '2026-05-05', 1), (2, '2027-05-05', 2);
        update p set n = 9 where id = 1; update p set at = '2027-05-06' where id = 1; truncate p`);
      expect(await follower.changes()).toEqual([
        'insert p {"id":1,"at":"2026-05-05","n":1}',
        'insert p {"id":2,"at":"2027-05-05","n":2}',
        'update p {"id":1,"at":"2026-05-05","n":9}',
        'delete p {"id":1,"at":"2026-05-05"}',
        'insert p {"id":1,"at":"2027-05-06","n":9}',
        'truncate p',
      ]);
    });

    it('follow the shape of a table through its history', async () => {
      await client.query(`create domain cents as numeric(8,2); create type mood as enum ('ok', 'bad');
        create table a (id int primary key, gone text, price cents, kind mood)`);
      await using follower = await follow();
      await follower.begin();
      await client.query(`insert into a values (1, 'old', 1.5, 'ok');
        alter table a drop gone; insert into a values (2, 2, 'bad');
        alter table a add more int default 7; insert into a values (3, 3, 'ok', 8);
        alter table a alter more type text; insert into a values (4, 4, null, 'nine');
        alter table a drop kind; drop type mood; alter table a rename price to cost; insert into a values (5, 5, 'ten')`);
      const batches = await follower.batches();
      expect(batches.map(({ schema }) => schema.columns.map(({ name, type }) => `${name} ${type}`).join())).toEqual([
        'id int32,gone text,price decimal,kind text',
        'id int32,price decimal,kind text',
        'id int32,price decimal,kind text,more int32',
        'id int32,price decimal,kind text,more text',
        'id int32,cost decimal,more text',
      ]);
      expect(batches.map((batch) => (batch.kind === 'rows' ? batch.rows[0] : []))).toEqual([
        [1, 'old', '1.50', 'ok'],
        [2, '2.00', 'bad'],
        [3, '3.00', 'ok', 8],
        [4, '4.00', null, 'nine'],
        [5, '5.00', 'ten'],
      ]);
      const again = (await follower.source.discover(new AbortController().signal))[0]?.schema;
      expect(batches.at(-1)?.schema).toEqual(again);
    });

    it('of one place of the log are told apart', async () => {
      await client.query('create table a (id int primary key); create table b (id int primary key)');
      await using follower = await follow();
      await follower.begin();
      // COPY writes many rows into one record of the log.
      await client.query(`begin; insert into b values (0); insert into a select generate_series(1, 500);
        insert into b values (1); commit; insert into b values (2)`);
      const whole = await follower.batches(7);
      expect(new Set(whole.map(({ after }) => JSON.stringify(after))).size).toBeGreaterThan(60);
      for (const [index, { after }] of [...whole.entries()].filter(([place]) => place % 11 === 0)) {
        await using other = await follow();
        await other.begin(after);
        const rest = (await other.batches(7)).flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
        const expected = whole.slice(index + 1).flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
        const inWindow = whole[index + 1]?.schema.stream !== whole[index]?.schema.stream;
        if (inWindow) expect(rest).toEqual(expect.arrayContaining(expected));
        else expect(rest).toEqual(expected);
      }
    });

    it('wait for nothing on a server where nothing happens, and are read while it writes without end', async () => {
      await client.query('create table a (id serial primary key)');
      await using follower = await follow();
      await follower.begin();
      const began = performance.now();
      for (let turn = 0; turn < 5; turn++) await follower.changes();
      expect(performance.now() - began).toBeLessThan(patient(5000));
      let stopped = false;
      const writing = (async () => {
        const writer = await textClient(server());
        while (!stopped) await writer.query('insert into a default values');
        await writer.end();
      })();
      const found = await follower.changes();
      stopped = true;
      await writing;
      expect(found.length + (await follower.changes()).length).toBe(
        Number((await client.query('select count(*) as n from a')).rows[0].n),
      );
    });
  });
}
