import type mysql from 'mysql2/promise';
import type { Batch, Row } from '../../lib/core/batch';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { type OpenSource, openSource } from '../contracts/open-source';
import { mariadb } from '../servers/mariadb';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './mysql';

// For four parts, though the server's statistics say a fifth less.
const ROWS = 39_000;
const SMALL = { rows: 5, bytes: 1 << 20 };
const WORDS = ['', ' ', 'a', 'A', 'á', 'a ', 'a\t', 'B', 'b', 'Ss', 'ss', 'ß', 'z', 'ÿ', '0', '_', 'zebra', 'Äpfel'];
const WIDE = [...WORDS, '日本', '🙂', '🙃', '🙂a', '\uffff', 'é', 'é'];
const TYPES: readonly (readonly [type: string, words: readonly string[]])[] = [
  ['varchar(20) collate utf8mb4_general_ci', WIDE],
  ['varchar(20) collate utf8mb4_unicode_520_ci', WIDE],
  ['varchar(20) collate utf8mb4_uca1400_ai_ci', WIDE],
  ['varchar(20) collate utf8mb4_uca1400_nopad_as_cs', WIDE],
  ['varchar(20) collate utf8mb4_bin', WIDE],
  ['varchar(20) collate utf8mb4_nopad_bin', WIDE],
  ['char(9) collate utf8mb4_general_ci', WIDE],
  ['varchar(20) character set utf8mb3', WORDS],
  ['varchar(20) character set utf16', WIDE],
  ['varchar(20) collate latin1_swedish_ci', WORDS],
  ['varchar(20) collate latin1_german2_ci', WORDS],
  ['varchar(20) collate latin1_general_cs', WORDS],
  ['varchar(20) collate latin2_bin', WORDS.filter((word) => word !== 'ÿ')],
];
const UUIDS = [
  '00000000-0000-0000-0000-000000000000',
  '6ccd780c-baba-1026-9564-5b8c656024db',
  '6ccd780c-baba-1026-9564-000000000000',
  'ffffffff-baba-4026-8000-5b8c656024db',
  '018bd075-0371-77e2-a770-9c23200d5e11',
  '018bd075-0371-77e2-a770-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];
const MD5_OF_4 = `concat(left(md5(seq), 12), '4', substr(md5(seq), 14, 3), 'a', substr(md5(seq), 18, 15))`;

describeWithServer('parts of MariaDB by keys that are no numbers', mariadb(), (server) => {
  let client: mysql.Connection;
  beforeAll(async () => {
    client = await textClient(server());
  });
  afterAll(() => client.end());

  const open = () => openSource('mysql', configOf(server()));

  /** Makes a table of a key `k` and a number `n`, and has the server count it. */
  const filled = async (table: string, type: string, key: string, select: string) => {
    await client.query(`drop table if exists ${table}; create table ${table} (k ${type} not null, n int, primary key (${key}));
      insert into ${table} ${select}; analyze table ${table}`);
  };
  const planned = async (source: OpenSource, table: string, want = 4) => {
    const schema = await source.schema(table);
    return { schema, parts: (await source.partitions(schema, { want })).parts };
  };

  const valuesOf = (keys: readonly string[]) => keys.map((key, index) => `select ${key}, ${index}`).join(' union all ');

  it.each(TYPES)('leave out no row and read none twice, wherever %s is cut', async (type, words) => {
    await filled('cut', type, 'k, n', valuesOf(words.map((word) => client.escape(word))));
    await expectCuts(words.filter((_, index) => index % 2 === 0).concat('aa', 'a \n'), words.length);
  });

  it.each([
    ['binary(3)', ['00', '000000', '61', '612020', 'ff', 'ffffff', '616200']],
    ['varbinary(9)', ['', '00', '0000', '61', '6120', '6100', 'ff', 'ffff']],
  ])('leave out no row and read none twice, wherever %s is cut', async (type, keys) => {
    await filled('cut', type, 'k, n', valuesOf(keys.map((key) => `x'${key}'`)));
    await expectCuts([...keys, '6121'], keys.length);
  });

  it('leave out no row and read none twice, wherever uuids are cut', async () => {
    await filled('cut', 'uuid', 'k, n', valuesOf(UUIDS.map((uuid) => `'${uuid}'`)));
    await expectCuts([...UUIDS, '5ccd780c-baba-1026-9564-000000000001'], UUIDS.length);
  });

  it.each([
    [
      'addresses',
      'varchar(90) collate utf8mb4_general_ci',
      `concat('https://x.org/', elt(1 + seq % 3, 'a', 'B', 'é'), '/', seq)`,
    ],
    ['letters of both cases', 'varchar(40) collate latin1_general_cs', `concat(if(seq % 2, 'K', 'k'), md5(seq))`],
    ['latin1 text', 'varchar(40) character set latin1', `concat('ÿ€', md5(seq))`],
    ['Chinese text', 'varchar(20) collate utf8mb4_bin', `concat(char(0x4e00 + seq % 8000 using ucs2), seq)`],
    ['bytes', 'binary(16)', 'unhex(md5(seq))'],
    ['random uuids', 'uuid', MD5_OF_4],
    ['uuids by time', 'uuid', `concat(hex(0x18bcfe568000 + seq * 977), '7', substr(${MD5_OF_4}, 14))`],
    ['uuids as text', 'char(36)', MD5_OF_4.replaceAll(`, '4'`, `, '-4'`)],
  ])('are about as large for %s', async (_name, type, value) => {
    await filled('fair', type, 'k', `select ${value}, seq from seq_1_to_${ROWS}`);
    await using source = await open();
    const { schema, parts } = await planned(source, 'fair');
    const sizes = await sizesOf(source, schema, parts, ROWS);
    expect(sizes).toHaveLength(4);
    for (const size of sizes) expect([size, size > ROWS / 8 && size < ROWS / 2.5]).toEqual([size, true]);
  });

  it('are planned by few keys of 200,000', async () => {
    await filled(
      'many',
      'varchar(60) collate utf8mb4_unicode_ci',
      'k',
      `select concat('Customer ', md5(seq)), seq from seq_1_to_200000`,
    );
    await using source = await open();
    await planned(source, 'many', 1);
    const before = await rowsRead();
    const { schema, parts } = await planned(source, 'many', 8);
    expect((await rowsRead()) - before).toBeLessThan(1000);
    const sizes = await sizesOf(source, schema, parts, 200_000);
    expect(sizes).toHaveLength(8);
    for (const size of sizes) expect([size, size > 12_000 && size < 50_000]).toEqual([size, true]);
  });

  it('are as many as the first column of the key has values for', async () => {
    await filled(
      'countries',
      'char(2)',
      'k, n',
      `select elt(1 + seq % 3, 'de', if(seq % 2, 'FR', 'fr'), 'us'), seq from seq_1_to_${ROWS}`,
    );
    await filled('tenant', 'char(2)', 'k, n', `select 'de', seq from seq_1_to_${ROWS}`);
    await using source = await open();
    const { schema, parts } = await planned(source, 'countries');
    expect(await sizesOf(source, schema, parts, ROWS)).toEqual([ROWS / 3, ROWS / 3, ROWS / 3]);
    expect((await planned(source, 'tenant')).parts).toHaveLength(1);
  });

  it('are one where the index of the key is hidden from statements', async () => {
    await client.query(`create table hidden (k varchar(40) not null, n int not null, m int not null default 0,
      unique (n, m), unique by_k (k)); insert into hidden (k, n) select md5(seq), seq from seq_1_to_${ROWS};
      alter table hidden alter index by_k ignored; analyze table hidden`);
    await using source = await open();
    const { schema, parts } = await planned(source, 'hidden');
    expect(schema.key).toEqual(['k']);
    expect(await sizesOf(source, schema, parts, ROWS)).toEqual([ROWS]);
  });

  it('read what was there when they were planned, and at a later moment what is there then', async () => {
    await filled('moved', 'varchar(40) collate utf8mb4_general_ci', 'k', `select md5(seq), seq from seq_1_to_${ROWS}`);
    await using source = await open();
    const { schema, parts } = await planned(source, 'moved');
    expect(parts).toHaveLength(4);
    const bounds = parts.flatMap((part) => (part as { from: string | null }).from ?? []);
    await client.query('delete from moved where n % 2 = 0');
    await client.query(`delete from moved where k in (?)`, [bounds]);
    const added = ['!', 'zzz', '🙂', ...bounds.flatMap((bound) => [bound.toUpperCase(), `${bound}\t`, `${bound}x`])];
    await client.query('insert into moved values ?', [added.map((key, index) => [key, 40_000 + index])]);
    await sizesOf(source, schema, parts, ROWS);
    const [[count] = []] = await client.query<mysql.RowDataPacket[]>('select count(*) from moved');
    await using later = await open();
    const rows = await Promise.all(parts.map((part) => readAll(later, schema, part, { repairable: true })));
    expect(new Set(rows.flat().map(([, n]) => n)).size).toBe(Number(count?.[0]));
    expect(rows.flat()).toHaveLength(Number(count?.[0]));
    expect(rows.flat().map(([key]) => key)).toEqual(expect.arrayContaining(added));
  });

  /** Each bound alone: what is before and from it is all, in its order, also when it is read in many goes. */
  async function expectCuts(bounds: readonly string[], rows: number): Promise<void> {
    await using source = await open();
    const { schema, parts } = await planned(source, 'cut');
    const [whole = null] = parts;
    const serial = await readAll(source, schema, whole);
    expect(serial).toHaveLength(rows);
    expect(await readInGoes(source, schema, whole)).toEqual(serial);
    for (const [index, bound] of bounds.entries()) {
      const read = index % 4 === 0 ? readInGoes : readAll;
      const before = await read(source, schema, { ...(whole as object), before: bound });
      const from = await read(source, schema, { ...(whole as object), from: bound });
      expect([bound, [...before, ...from]]).toEqual([bound, serial]);
    }
  }

  async function rowsRead(): Promise<number> {
    const [rows] = await client.query<mysql.RowDataPacket[]>(`select sum(variable_value)
      from information_schema.global_status where variable_name regexp '^handler_read_(first|key|last|next|prev)$'`);
    return Number(rows[0]?.[0]);
  }
});

/** How many rows each part has, after all of them gave the numbers from one on. */
async function sizesOf(source: OpenSource, schema: StreamSchema, parts: readonly Json[], rows: number) {
  const all = await Promise.all(parts.map((part) => readAll(source, schema, part)));
  const numbers = all.flat().map(([, n]) => Number(n));
  expect(new Set(numbers).size).toBe(rows);
  expect(numbers).toHaveLength(rows);
  return all.map(({ length }) => length);
}

async function readAll(source: OpenSource, schema: StreamSchema, part: Json, options: object = {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of source.part(schema, part, options)) rows.push(...rowsOf(batch));
  return rows;
}

/** Reads batch by batch, each by a reading of its own that goes on from the one before. */
async function readInGoes(source: OpenSource, schema: StreamSchema, part: Json): Promise<Row[]> {
  const rows: Row[] = [];
  let from: Position | undefined;
  for (let more = true; more; ) {
    more = false;
    for await (const batch of source.part(schema, part, { size: SMALL, ...(from && { from }) })) {
      more = JSON.stringify(from) !== JSON.stringify(batch.after);
      from = JSON.parse(JSON.stringify(batch.after)) as Position;
      rows.push(...rowsOf(batch));
      break;
    }
  }
  return rows;
}

function rowsOf(batch: Batch): readonly Row[] {
  return batch.kind === 'rows' ? batch.rows : [];
}
