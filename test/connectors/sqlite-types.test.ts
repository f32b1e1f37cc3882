import type { Row, Value } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { connect, makeDatabases, openEndToEnd } from '../e2e/home';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { SQLITE_TYPES } from '../tables/sqlite-types';
import { Files } from './sqlite';

const HEIGHT = Math.max(...SQLITE_TYPES.map(({ values }) => values.length)) + 1;
const LINES = Array.from({ length: HEIGHT }, (_, line) => line);
const EVERY_TYPE = `
  create table every_type (line integer primary key, ${SQLITE_TYPES.map(({ sql }, index) => `c${index} ${sql}`).join(', ')});
  insert into every_type values ${LINES.map((line) => {
    return `(${[line, ...SQLITE_TYPES.map(({ values }) => values[line]?.[0] ?? 'null')].join(', ')})`;
  }).join(', ')};`;

function expected(line: number): Value[] {
  return SQLITE_TYPES.map(({ values }) => values[line]?.[1] ?? null);
}

describe('types of SQLite', () => {
  const files = new Files();
  const database = files.writer('types.db');
  const config = { connection: { path: files.path('types.db') } };
  beforeAll(() => database.exec(EVERY_TYPE));
  afterAll(() => files.remove());

  const read = async (table: string, options: object = {}): Promise<{ types: string[]; rows: readonly Row[] }> => {
    await using source = await openSource('sqlite', { ...config, ...options });
    const schema = await source.schema(table);
    const batches = await source.full(schema);
    return {
      types: schema.columns.map(({ type }) => type),
      rows: batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : [])),
    };
  };

  it('are those of the declaration, or of the values', async () => {
    const { types, rows } = await read('every_type');
    expect(types.slice(1)).toEqual(SQLITE_TYPES.map(({ type }) => type));
    expect(rows).toHaveLength(HEIGHT);
    for (const [line, row] of rows.entries()) {
      for (const [index, value] of expected(line).entries()) {
        expect([SQLITE_TYPES[index]?.sql, line, row[index + 1]]).toEqual([SQLITE_TYPES[index]?.sql, line, value]);
      }
    }
  });

  it('are those of the declaration where nothing is stored', async () => {
    database.exec('create table bare (id integer primary key, i int, r real, n numeric, t text, b blob, d date, o)');
    expect((await read('bare')).types).toEqual([
      'int64',
      'int64',
      'float64',
      'decimal',
      'text',
      'bytes',
      'text',
      'text',
    ]);
  });

  it('keep NUL in text, and text in other encodings', async () => {
    database.exec(
      `create table nul (t text primary key) without rowid; insert into nul values ('a' || char(0) || 'b')`,
    );
    expect((await read('nul')).rows).toEqual([['a\0b']]);
    for (const encoding of ['UTF-16le', 'UTF-16be']) {
      const other = files.writer(`${encoding}.db`);
      other.exec(`pragma encoding = '${encoding}'; create table "grün" ("schlüssel" text primary key, "wert" integer);
        insert into "grün" values ('é🙂', 1), ('ä', x'00ff'), ('b', 'text')`);
      const options = { connection: { path: files.path(`${encoding}.db`) } };
      expect((await read('grün', options)).rows).toEqual([
        ['b', 'text'],
        ['ä', "X'00FF'"],
        ['é🙂', '1'],
      ]);
    }
  });

  it('say which value is not of its type, by policy', async () => {
    database.exec(`create table loose (id text not null primary key, amount integer);
      insert into loose values ('a', 1), ('b', 2), ('c', 'three')`);
    expect(await read('loose', { tables: ['loose'] })).toEqual({
      types: ['text', 'text'],
      rows: [
        ['a', '1'],
        ['b', '2'],
        ['c', 'three'],
      ],
    });
    await expect(read('loose', { tables: ['loose'], type_mismatch: 'fail' })).rejects.toMatchObject({
      kind: 'data',
      code: 'type_mismatch',
      message: expect.stringMatching(/loose.*column amount of the row id = c .*text.* declared INTEGER/i),
      hint: expect.stringContaining('type_mismatch'),
    });
  });

  it('are looked at again when a value of another type came since', async () => {
    database.exec('create table later (id integer primary key, amount integer); insert into later values (1, 10)');
    await using source = await openSource('sqlite', { ...config, tables: ['later'] });
    const schema = await source.schema('later');
    expect(schema.columns[1]?.type).toBe('int64');
    database.exec(`insert into later values (2, 'ten')`);
    await expect(source.full(schema)).rejects.toMatchObject({
      kind: 'transient',
      code: 'value_type_changed',
      message: expect.stringContaining('id = 2'),
    });
    const [batch] = await source.full(schema);
    expect(batch).toMatchObject({
      rows: [
        [1n, '10'],
        [2n, 'ten'],
      ],
      schema: { columns: [{}, { type: 'text' }] },
    });
  });

  it('refuse text that is none, without an end of the process', async () => {
    database.exec(
      `create table broken (id integer primary key, t text); insert into broken values (1, 'fine'), (2, cast(x'ff41' as text))`,
    );
    for (const type_mismatch of ['text', 'fail']) {
      await expect(read('broken', { type_mismatch, tables: ['broken'] })).rejects.toMatchObject({
        kind: 'data',
        code: 'invalid_text',
        message: expect.stringMatching(/broken: column t of the row id = 2/),
      });
    }
  });

  describeWithServer('in an ExplorerIO database', postgresql({ version: 18 }), (target) => {
    it('are stored value by value', async () => {
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      const destination = await connect(databases.targetUrl);
      try {
        await home.store({ name: 'shop', type: 'sqlite', ...config, tables: ['every_type'] });
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: HEIGHT });
        await destination.query(`set bytea_output = 'hex'`);
        const { rows } = await destination.query<Record<string, string | null>>(
          'select * from shop.every_type order by line',
        );
        expect(rows).toHaveLength(HEIGHT);
        for (const [line, row] of rows.entries()) {
          for (const [index, value] of expected(line).entries()) {
            const { sql } = SQLITE_TYPES[index] ?? {};
            expect([sql, line, stored(row[`c${index}`], value)]).toEqual([sql, line, value]);
          }
        }
      } finally {
        await destination.end();
        await home.close();
        await databases.close();
      }
    }, 60_000);
  });
});

/** PostgreSQL's text as the value of the same kind. */
function stored(text: string | null | undefined, like: Value): Value {
  if (text === null || text === undefined) return null;
  if (typeof like === 'number') return Number(text);
  if (typeof like === 'bigint') return BigInt(text);
  return like instanceof Uint8Array ? Buffer.from(text.slice(2), 'hex') : text;
}
