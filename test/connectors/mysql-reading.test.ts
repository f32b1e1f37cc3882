import type mysql from 'mysql2/promise';
import type { Batch, Row } from '../../lib/core/batch';
import type { Position } from '../../lib/core/position';
import { RECORD_ID } from '../../lib/core/schema';
import { type OpenSource, openSource } from '../contracts/open-source';
import { sorted } from '../contracts/source-reading';
import { type MariadbServer, mariadb } from '../servers/mariadb';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './mysql';

const SMALL = { rows: 7, bytes: 1 << 20 };
const rowsOf = (batches: readonly Batch[]) => batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));

describeWithServer('reading MariaDB', mariadb(), (server) => {
  let client: mysql.Connection;
  beforeAll(async () => {
    client = await textClient(server());
  });
  afterAll(() => client.end());

  const open = (options: object = {}, as: Partial<MariadbServer> = {}): Promise<OpenSource> =>
    openSource('mysql', { ...configOf({ ...server(), ...as }), ...options });

  const resumedEverywhere = async (table: string): Promise<Row[]> => {
    await using source = await open();
    const schema = await source.schema(table);
    const [partition = null] = (await source.partitions(schema)).parts;
    const read = async (from?: Position) => {
      const batches: Batch[] = [];
      for await (const batch of source.part(schema, partition, { size: SMALL, ...(from && { from }) }))
        batches.push(batch);
      return batches;
    };
    const batches = await read();
    for (const [index, { after }] of batches.entries()) {
      const rest = rowsOf(await read(JSON.parse(JSON.stringify(after)) as Position));
      expect(sorted(rest)).toEqual(sorted(rowsOf(batches.slice(index + 1))));
    }
    return rowsOf(batches);
  };

  it('cuts a table into ranges that are read at one moment, at once', async () => {
    await client.query(`create table parted (id bigint unsigned primary key, n int);
      insert into parted select seq * 600000000000000, seq from seq_1_to_30000; analyze table parted`);
    await using source = await open();
    const schema = await source.schema('parted');
    const { parts } = await source.partitions(schema, { want: 3 });
    expect(parts).toHaveLength(3);
    await client.query('delete from parted where n % 2 = 0; insert into parted values (18446744073709551615, -1)');
    const read = parts.map(async (part) => {
      const batches: Batch[] = [];
      for await (const batch of source.part(schema, part)) batches.push(batch);
      return rowsOf(batches);
    });
    const rows = (await Promise.all(read)).flat();
    expect(new Set(rows.map(([id]) => id)).size).toBe(30_000);
    expect(rows).toHaveLength(30_000);
    // Nobody waits for the snapshot to alter a table that is not being read.
    await client.query(
      'set lock_wait_timeout = 1; alter table parted add column m int; set lock_wait_timeout = default',
    );
    expect((await source.partitions(await source.schema('parted'))).parts).toHaveLength(1);
  });

  it.each([
    ['bigint', 'a bigint, b int, primary key (a, b)', '9007199254740993 + seq div 3, seq'],
    ['letters of any case', 'a varchar(20) primary key', `concat(if(seq % 2, 'K', 'k'), lpad(seq, 3, '0'))`],
    ['latin1', 'a varchar(20) character set latin1 primary key', `concat('é', seq)`],
    [
      'decimals',
      'a decimal(30,10), b tinyint, primary key (a, b)',
      '12345678901234567890.0000000001 + seq div 2, seq % 2',
    ],
    ['floats', 'a float primary key', 'seq / 7'],
    ['bytes', 'a binary(16) primary key', 'unhex(md5(seq))'],
    ['times', 'a timestamp(6) primary key', `'2024-03-31 01:59:59' + interval seq * 333333 microsecond`],
    ['durations', 'a time(6) primary key', `sec_to_time(seq * 1.7 - 20)`],
    ['lists', `a enum('z','b','a'), b int, primary key (a, b)`, `elt(1 + seq % 3, 'z', 'b', 'a'), seq`],
    [
      'a unique index',
      'a int, b varchar(9) not null, unique (b), unique (a)',
      `nullif(seq % 4, 0) * 100 + seq, concat('u', seq)`,
    ],
  ])('goes on after every batch by a key of %s', async (name, columns, values) => {
    const table = `key of ${name}`;
    await client.query(`create table \`${table}\` (${columns}) collate utf8mb4_general_ci;
      insert into \`${table}\` select ${values} from seq_1_to_40`);
    const rows = await resumedEverywhere(table);
    expect(rows).toHaveLength(40);
    expect(new Set(rows.map(String)).size).toBe(40);
  });

  it('takes any name', async () => {
    const name = 'a`b"c\'d.e ? \\ é';
    const quoted = `\`${name.replaceAll('`', '``')}\``;
    await client.query(`create table ${quoted} (${quoted} int primary key, \`?\` varchar(20));
      insert into ${quoted} values (1, '?'), (2, 'x')`);
    await using source = await open();
    const schema = await source.schema(name);
    expect(rowsOf(await source.full(schema))).toEqual([
      [1, '?'],
      [2, 'x'],
    ]);
  });

  it('reads an empty table, a view and a table without a key in one piece, and not from its middle', async () => {
    await client.query(`create table empty_one (id int primary key);
      create table keyless (v int); insert into keyless select seq % 5 from seq_1_to_20;
      create view looked as select v + 1 as w from keyless`);
    await using source = await open();
    expect(rowsOf(await source.full(await source.schema('empty_one')))).toEqual([]);
    expect(rowsOf(await source.full(await source.schema('looked')))).toHaveLength(20);
    const schema = await source.schema('keyless');
    const [partition = null] = (await source.partitions(schema)).parts;
    const batches: Batch[] = [];
    for await (const batch of source.part(schema, partition, { size: SMALL })) batches.push(batch);
    expect(rowsOf(batches)).toHaveLength(20);
    const from = batches[0]?.after as Position;
    const again = async () => {
      for await (const batch of source.part(schema, partition, { from })) batches.push(batch);
    };
    await expect(again()).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
  });

  it('reads nine of ten tables, and reports the one without rights', async () => {
    await client.query(`create database rights; ${Array.from({ length: 10 }, (_, index) => `create table rights.t${index} (id int primary key);`).join('')}
      create user nine@'%' identified by 'nine'`);
    for (let index = 0; index < 9; index++) await client.query(`grant select on rights.t${index} to nine@'%'`);
    const as = { user: 'nine', password: 'nine', database: 'rights' };
    await client.query(`grant insert on rights.t9 to nine@'%'`);
    await using source = await open({}, as);
    const infos = await source.source.discover(AbortSignal.timeout(patient(5000)));
    expect(
      infos.filter(({ unreadable }) => unreadable).map(({ schema, unreadable }) => [schema.stream, unreadable?.code]),
    ).toEqual([['t9', 'permission_denied']]);
    await client.query(`revoke insert on rights.t9 from nine@'%'`);
    await using naming = await open({ tables: ['t1', 't9'] }, as);
    const named = await naming.source.discover(AbortSignal.timeout(patient(5000)));
    expect(named.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['t1', undefined],
      ['t9', 'table_missing'],
    ]);
    const { steps } = await source.source.check(AbortSignal.timeout(patient(5000)));
    expect(steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      hint: expect.stringContaining('PROCESS'),
    });
  });

  it('tells of a table dropped in mid-read, and reads one altered since the snapshot at a newer one', async () => {
    await client.query('create table altered (id int primary key, v int); insert into altered values (1, 1)');
    await client.query('create table dropped (id int primary key); insert into dropped values (1)');
    await using source = await open();
    const gone = await source.schema('dropped');
    const [partition = null] = (await source.partitions(gone)).parts;
    await client.query('drop table dropped; alter table altered modify v bigint');
    const read = async () => {
      for await (const batch of source.part(gone, partition)) expect(batch).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'config', code: 'table_missing' });
    expect(rowsOf(await source.full(await source.schema('altered')))).toEqual([[1, 1n]]);
  });

  it('begins anew where a table is altered between plan and reading', async () => {
    await client.query('create table moved (id int primary key); insert into moved values (1)');
    await using source = await open();
    const schema = await source.schema('moved');
    const [partition = null] = (await source.partitions(schema)).parts;
    await client.query('alter table moved modify id bigint');
    const read = async () => {
      for await (const batch of source.part(schema, partition, { repairable: true })) expect(batch).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'lost', code: 'table_changed' });
    expect(rowsOf(await source.full(await source.schema('moved')))).toEqual([[1n]]);
  });

  it('goes on after a lost connection where increments follow, and else says that the snapshot is lost', async () => {
    await client.query(
      'create table broken (id int primary key, v text); insert into broken select seq, repeat(md5(seq), 500) from seq_1_to_3000',
    );
    await using source = await open({ connection: { ...configOf(server()).connection, max_connections: 1 } });
    const schema = await source.schema('broken');
    const [partition = null] = (await source.partitions(schema)).parts;
    const read: Batch[] = [];
    const cut = async () => {
      for await (const batch of source.part(schema, partition, { size: { rows: 100, bytes: 1 << 20 } })) {
        read.push(batch);
        if (read.length === 2) await killOthers(client);
      }
    };
    await expect(cut()).rejects.toMatchObject({ kind: 'transient', code: 'connection_lost' });
    expect(read.length).toBeGreaterThan(1);
    const from = read.at(-1)?.after as Position;
    const lost = async () => {
      for await (const batch of source.part(schema, partition, { from })) read.push(batch);
    };
    await expect(lost()).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
    for await (const batch of source.part(schema, partition, { from, repairable: true })) read.push(batch);
    expect(rowsOf(read).map(([id]) => id)).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
  });

  it('reads on in the order of the key without a snapshot, where it is asked to', async () => {
    await using source = await open();
    const schema = await source.schema('broken');
    const { parts, resumable } = await source.partitions(schema, { resumable: true });
    expect(resumable).toBe(true);
    await using another = await open();
    const rows: Row[] = [];
    let from: Position | undefined;
    for await (const batch of source.part(schema, parts[0] ?? null, { size: { rows: 1000, bytes: 1 << 30 } })) {
      rows.push(...rowsOf([batch]));
      from = batch.after;
      break;
    }
    for await (const batch of another.part(schema, parts[0] ?? null, from ? { from } : {}))
      rows.push(...rowsOf([batch]));
    expect(rows).toHaveLength(3000);
  });

  it('keeps the snapshot when a reader leaves early', async () => {
    await using source = await open({ connection: { ...configOf(server()).connection, max_connections: 1 } });
    const schema = await source.schema('broken');
    const [partition = null] = (await source.partitions(schema)).parts;
    for (let round = 0; round < 5; round++) {
      for await (const batch of source.part(schema, partition, { size: SMALL })) {
        expect(rowsOf([batch])).toHaveLength(7);
        break;
      }
    }
    const all: Batch[] = [];
    for await (const batch of source.part(schema, partition)) all.push(batch);
    expect(rowsOf(all)).toHaveLength(3000);
  });

  it('carries a value of 20 MB', async () => {
    await client.query(
      `create table large (id int primary key, v longtext); insert into large values (1, repeat('0123456789abcdef', 1310720))`,
    );
    await using source = await open();
    const [row] = rowsOf(await source.full(await source.schema('large')));
    expect(String(row?.[1])).toHaveLength(20 << 20);
  });

  it('gives equal rows without a key ids that stay the same', async () => {
    await client.query(`create table logged (v varchar(9), at datetime(3));
      insert into logged select seq % 3, '2024-01-01' + interval (seq div 6) second from seq_1_to_30;
      insert into logged values ('n', null), ('n', null)`);
    await using source = await open();
    const schema = await source.schema('logged');
    const cursor = { column: 'at', lookbackMs: 0 };
    const full = await source.full(schema, { cursor, size: SMALL });
    const idsOf = (batches: readonly Batch[]) => rowsOf(batches).map(([id]) => String(id));
    expect(full[0]?.schema.key).toEqual([RECORD_ID]);
    expect(new Set(idsOf(full)).size).toBe(32);
    const { batches } = await source.increment(schema, 'at', undefined, { size: SMALL });
    expect(new Set(idsOf(batches))).toEqual(new Set(idsOf(full)));
  });
});

async function killOthers(client: mysql.Connection): Promise<void> {
  const [rows] = await client.query<mysql.RowDataPacket[]>(
    `select id from information_schema.processlist where id <> connection_id() and user = 'admin'`,
  );
  for (const [id] of rows as unknown as string[][]) await client.query(`kill ${id}`).catch(() => undefined);
}
