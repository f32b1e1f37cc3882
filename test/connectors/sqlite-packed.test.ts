import { bound, sql } from '../../lib/connectors/shared/sql/fragment';
import { selected } from '../../lib/connectors/shared/sql/full-scan';
import { type Range, rangeSql } from '../../lib/connectors/shared/sql/range';
import type { SqliteColumn } from '../../lib/connectors/sqlite/columns';
import type { Cell, DriverConnection } from '../../lib/connectors/sqlite/driver';
import { serverOf } from '../../lib/connectors/sqlite/server';
import { SqliteSession } from '../../lib/connectors/sqlite/session';
import type { Row, Value } from '../../lib/core/batch';
import { generator } from '../chaos/random';
import { faultOf } from '../contracts/source-reading';
import { Files } from './sqlite';

const SIZE = { rows: 400, bytes: 512 << 10 };
const FILE = 'packed.db';

describe('rows that SQLite packs', () => {
  const files = new Files();
  const database = files.writer(FILE);
  const server = serverOf({ connection: { path: files.path(FILE) } });
  let session: SqliteSession;
  let plainReads = 0;
  let prepared: string[] = [];
  let packed = (cells: Cell[][]) => cells;
  beforeAll(async () => {
    session = await SqliteSession.over(counted(await server.file.open()), 1000);
  });
  afterAll(() => {
    session.destroy();
    files.remove();
  });

  function counted(connection: DriverConnection): DriverConnection {
    return {
      ...connection,
      prepare(text) {
        prepared.push(text);
        const run = connection.prepare(text);
        return (values) => packed(run(values));
      },
      read(text, values) {
        plainReads++;
        return connection.read(text, values);
      },
    };
  }

  const rangeOf = async (table: string, from = session): Promise<Range<SqliteColumn>> => {
    const { source, columns, order } = await server.relation(from, table);
    const read = [...columns, ...order.filter((column) => !columns.includes(column))];
    return { from: source, columns: read, order, lower: undefined, upper: undefined, last: undefined };
  };
  const all = async (batches: AsyncIterable<Row[]>): Promise<Row[]> => {
    const rows: Row[] = [];
    for await (const batch of batches) rows.push(...batch);
    return rows;
  };
  const plainly = (range: Range<SqliteColumn>) =>
    session.rows(rangeSql(range, selected(range.columns), true), range.columns, SIZE);

  /** Reads a table in both ways; tells by how many statements it was read that pack nothing, or a row at a time. */
  const both = async (table: string, size = SIZE): Promise<{ rows: Row[]; reads: number }> => {
    const range = await rangeOf(table);
    const expected = await all(plainly(range));
    plainReads = 0;
    const rows = await all(session.range(range, size));
    const reads = plainReads;
    expect(rows.map((row) => row.map(exactly))).toEqual(expected.map((row) => row.map(exactly)));
    return { rows, reads };
  };
  const expectSameFault = async (range: Range<SqliteColumn>): Promise<void> => {
    const { kind, code, message } = await faultOf(() => all(plainly(range)));
    expect(await faultOf(() => all(session.range(range, SIZE)))).toMatchObject({ kind, code, message });
  };
  const fill = (table: string, columns: string, rows: readonly (readonly unknown[])[]) => {
    database.exec(`create table ${table} (${columns})`);
    const insert = database.prepare(`insert into ${table} values (${(rows[0] ?? []).map(() => '?').join(', ')})`);
    database.exec('begin');
    for (const row of rows) insert.run(row);
    database.exec('commit');
  };

  it('are reals to the last bit, in any column', async () => {
    const random = generator(1);
    const sizes = Array.from({ length: 90 }, (_, index) => 2 ** (index - 30));
    const edges = sizes.flatMap((size) => [size, below(size), above(size)]);
    const packed = [...edges.slice(2), 2 ** 60, ...Array.from({ length: 2000 }, () => anyReal(random, -30, 59))];
    const signed = [0, ...packed.flatMap((real) => [real, -real])];
    for (const [table, type] of [
      ['reals', 'real'],
      ['untyped', ''],
      ['decimals', 'numeric'],
      ['wholes', 'integer'],
    ]) {
      fill(
        `${table}`,
        `id integer primary key, r ${type}`,
        [...signed, -0].map((real, id) => [id, real]),
      );
      const { rows, reads } = await both(`${table}`);
      expect(rows).toHaveLength(signed.length + 1);
      expect([table, reads]).toEqual([table, 0]);
    }
    const { rows } = await both('untyped');
    expect(Object.is(rows.at(-1)?.[1], -0)).toBe(true);
  });

  it('are reals of any size, where some cannot be packed', async () => {
    const random = generator(2);
    const reals = Array.from({ length: 1000 }, () => anyReal(random, -1074, 1023));
    const outside = [5e-324, below(2 ** -30), 2 ** -30, above(2 ** 60), 1.7976931348623157e308, Infinity, -Infinity];
    const inside = [above(2 ** -30), 2 ** 60, 1];
    const numbered = (all: readonly number[]) => all.map((real, id) => [id, real, -real]);
    fill('any_size', 'id integer primary key, r real, other', numbered(reals));
    // 400 rows, and the rest.
    expect((await both('any_size')).reads).toBe(2);
    fill('limits', 'id integer primary key, r real, other', numbered(outside.flatMap((real) => [real, ...inside])));
    expect((await both('limits', { rows: 1, bytes: 1 })).reads).toBe(outside.length);
  });

  it('have values of each form', async () => {
    const integers = [
      -(2n ** 63n),
      2n ** 63n - 1n,
      2n ** 53n + 1n,
      0n,
      -1n,
      999999999999999n,
      -1000000000000000n,
      null,
    ];
    const texts = [
      '',
      null,
      'a\0b',
      '\ufeffx',
      '\ufffd',
      'é🙂',
      '\u00ff\u00fe',
      '\u{10ffff}',
      '-1',
      'x'.repeat(65_536),
    ];
    const blobs = [Buffer.of(), null, Buffer.of(0xff, 0xfe, 0xf5), Buffer.alloc(32_768, 7)];
    const some = Array.from({ length: 120 }, (_, id) => {
      const [integer, text, blob] = [integers[id % 8], texts[id % 10], blobs[id % 4]];
      const loose = [integer, text, blob, id / 7, -id][id % 5];
      return [id, integer, text, blob, id % 3 ? integer : id / 7, loose, id % 2 ? null : loose];
    });
    fill('forms', 'id integer primary key, i int, t text, b blob, n numeric, o, l int', some);
    expect((await rangeOf('forms')).columns.map(({ form }) => form)).toEqual([
      'int64',
      'int64',
      'text',
      'bytes',
      'decimal',
      'any',
      'any',
    ]);
    expect((await both('forms', { rows: 20, bytes: 1 << 30 })).reads).toBe(0);
    database.exec('create table keyless (t, rowid2); insert into keyless select t, i from forms');
    expect((await both('keyless')).rows).toHaveLength(120);
    database.exec(`create table keyed (t text, i int, x blob, primary key (t, i)) without rowid;
      insert into keyed select coalesce(t, 'none'), id, b from forms where id < 100`);
    expect((await both('keyed')).reads).toBe(1);
  });

  it('are read as they are where something is not packed, and packed again after it', async () => {
    const rows = Array.from({ length: 3000 }, (_, id) => [
      id * 3,
      id % 1000 === 999 ? 'x'.repeat(65_537) : `text ${id}`,
    ]);
    fill('large', 'id integer primary key, t text', rows);
    // What does not fit into one group.
    database.exec(`create table heavy (id integer primary key, t text, u text);
      insert into heavy select id, hex(zeroblob(5000)), hex(zeroblob(id)) from large where id < 2000`);
    expect((await both('large')).reads).toBe(3);
    for (const [table, size] of [
      ['large', 7],
      ['large', 1000],
      ['heavy', 400],
    ] as const) {
      expect((await both(table, { rows: size, bytes: 1 << 20 })).reads).toBeGreaterThan(0);
    }
    database.exec(`create table pairs (a int, b int, t text, primary key (b, a));
      insert into pairs select id, id % 7, t from large`);
    expect((await both('pairs')).reads).toBe(2);
  });

  it('go on behind any row', async () => {
    for (const table of ['large', 'pairs', 'keyless']) {
      const range = await rangeOf(table);
      const whole = await all(plainly(range));
      for (const index of [0, 399, 998, 999, whole.length - 1]) {
        const row = whole[index] ?? [];
        const last = range.order.map((column) => String(row[range.columns.indexOf(column)]));
        if (index < whole.length)
          expect(await all(session.range({ ...range, last }, SIZE))).toEqual(whole.slice(index + 1));
      }
    }
  });

  it('go on at once, not from the beginning of their part', async () => {
    const range = await rangeOf('large');
    const [lower, upper] = [sql`t.id >= ${bound(300n)}`, sql`t.id < ${bound(6000n)}`];
    prepared = [];
    const rows = await all(session.range({ ...range, lower, upper }, SIZE));
    expect([rows.length, rows[0]?.[0], rows.at(-1)?.[0]]).toEqual([1900, 300n, 5997n]);
    expect(prepared.map((text) => text.includes('>='))).toEqual([true, false]);
    await all(session.range({ ...range, lower, upper, last: ['900'] }, SIZE));
    expect(prepared.map((text) => text.includes('>='))).toEqual([true, false, false]);
  });

  it('are read as they are where SQLite would join them in another order', async () => {
    database.exec('create table turned (id integer primary key)');
    database.exec(`insert into turned
      with recursive g(i) as (select 1 union all select i + 1 from g where i < 1000) select i from g`);
    packed = ([row]) => {
      const [count = null, whole = null, bytes] = row ?? [];
      const ids = Buffer.from(bytes as Uint8Array)
        .toString('latin1')
        .split('\xff')
        .slice(0, -1)
        .reverse();
      return [[count, whole, Buffer.from(ids.map((id) => `${id}\xff`).join(''), 'latin1')]];
    };
    const { rows, reads } = await both('turned');
    packed = (cells) => cells;
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 1000 }, (_, index) => BigInt(index + 1)));
    expect(reads).toBeGreaterThan(0);
  });

  it('are refused like others where a value is not what it has to be', async () => {
    const rows = `insert into changed values (1, 1, 'a', 1.5), (2, 2, 'b', 2.5), (3, 3, 'c', 3.5)`;
    database.exec(`create table changed (id integer primary key, i int, t text, r real); ${rows}`);
    const range = await rangeOf('changed');
    const types = [`i = 'two'`, 'i = 2.5', `i = x'07'`, `r = 'two'`, `t = x'07'`];
    const texts = ['ff', 'fe', '41fe42ff', 'c3', 'f5', 'eda080'].map((hex) => `t = cast(x'${hex}' as text)`);
    for (const change of [...types, ...texts]) {
      database.exec(`delete from changed; ${rows}; update changed set ${change} where id = 2`);
      await expectSameFault(range);
    }
    database.exec(`create table key_text (a text, b int, primary key (a, b)); insert into key_text values ('x', 1)`);
    const keyed = await rangeOf('key_text');
    expect(keyed.order).toHaveLength(2);
    database.exec('insert into key_text values (null, 1)');
    await expectSameFault(keyed);
  });

  it('are not taken for others where text has bytes like those that end a value', async () => {
    database.exec(`create table missing (id integer primary key, t text, r real);
      insert into missing values (1, 'a', 1e-300), (2, 'b', 1.5), (3, 'x', 2);
      create table trailing (id integer primary key, t text); insert into trailing values (1, 'a')`);
    const [missing, trailing] = [await rangeOf('missing'), await rangeOf('trailing')];
    // The last of them looks like what the first row, which is not packed, would have had.
    for (const hex of ['ff', 'fe', '61ff62', '61ff31f8', '61ff31f839ff62']) {
      database.exec(`update missing set t = cast(x'${hex}' as text) where id = 2`);
      database.exec(`update trailing set t = cast(x'${hex}' as text)`);
      await expectSameFault(missing);
      await expectSameFault(trailing);
    }
  });

  it('may be wide', async () => {
    for (const width of [499, 600, 1998]) {
      const types = Array.from({ length: width }, (_, index) => ['int', 'real', 'text'][index % 3]);
      const columns = types.map((type, index) => `"column ${index}" ${type}`).join(', ');
      const row = types.map((_, index) => `${index}.5`).join(', ');
      database.exec(`create table wide${width} (id integer primary key, ${columns});
        insert into wide${width} values (1, ${row}), (2, ${row});
        create table keyed${width} (id text primary key, ${columns}) without rowid;
        insert into keyed${width} values ('one', ${row}), ('two', ${row})`);
      expect((await both(`keyed${width}`)).rows).toHaveLength(2);
      expect((await both(`wide${width}`)).reads).toBe(width === 499 ? 0 : 1);
    }
  });

  it('may have collations that are known only to the program that wrote them', async () => {
    fill('collated', 'id integer primary key, a text collate rtrim, r real collate rtrim', [
      [1, 'a', 1.5],
      [2, 2.5, 2.5],
    ]);
    database.exec(`pragma writable_schema = on;
      update sqlite_master set sql = replace(sql, 'rtrim', 'of_its_own') where name = 'collated'; pragma writable_schema = off`);
    database.exec('create table newer (n)');
    const own = await SqliteSession.over(counted(await server.file.open()), 1000);
    try {
      const range = await rangeOf('collated', own);
      expect(range.columns.map(({ form }) => form)).toEqual(['int64', 'text', 'float64']);
      const read = await all(own.range(range, SIZE));
      expect(read).toEqual([
        [1n, 'a', 1.5],
        [2n, '2.5', 2.5],
      ]);
    } finally {
      own.destroy();
    }
  });

  it('are not packed in other encodings', async () => {
    const other = files.writer('utf16.db');
    other.exec(
      `pragma encoding = 'UTF-16le'; create table t (id integer primary key, t text); insert into t values (1, 'é🙂')`,
    );
    const utf16 = serverOf({ connection: { path: files.path('utf16.db') } });
    const reading = await SqliteSession.over(counted(await utf16.file.open()), 1000);
    prepared = [];
    try {
      const { source, columns, order } = await utf16.relation(reading, 't');
      const range = { from: source, columns, order, lower: undefined, upper: undefined, last: undefined };
      expect(await all(reading.range(range, SIZE))).toEqual([[1n, 'é🙂']]);
      expect(prepared).toEqual([]);
    } finally {
      reading.destroy();
    }
  });
});

/** So that -0 is not 0, and a number no other that is written alike. */
function exactly(value: Value): unknown {
  if (typeof value === 'number') return Buffer.from(Float64Array.of(value).buffer).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

const bits = new BigUint64Array(1);
const double = new Float64Array(bits.buffer);

function ofBits(value: bigint): number {
  bits[0] = value;
  return double[0] ?? 0;
}

function bitsOf(value: number): bigint {
  double[0] = value;
  return bits[0] ?? 0n;
}

const below = (value: number) => ofBits(bitsOf(value) - 1n);
const above = (value: number) => ofBits(bitsOf(value) + 1n);

/** Any 52 bits, with an exponent in a range. */
function anyReal(random: () => number, from: number, to: number): number {
  const exponent = BigInt(Math.floor(random() * (to - from + 1)) + from + 1023);
  const mantissa = (BigInt(Math.floor(random() * 2 ** 26)) << 26n) | BigInt(Math.floor(random() * 2 ** 26));
  return ofBits(((exponent < 0n ? 0n : exponent) << 52n) | mantissa);
}
