import type mysql from 'mysql2/promise';
import type { Row, Value } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { connect, makeDatabases, openEndToEnd } from '../e2e/home';
import { mariadb } from '../servers/mariadb';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { MYSQL_TYPES } from '../tables/mysql-types';
import { configOf, textClient } from './mysql';

const HEIGHT = Math.max(...MYSQL_TYPES.map(({ values }) => values.length));

const TABLE = `
  create table every_type (line int primary key, ${MYSQL_TYPES.map(({ sql }, index) => `c${index} ${sql}`).join(', ')});
  insert into every_type values ${Array.from({ length: HEIGHT }, (_, line) => {
    const cells = MYSQL_TYPES.map(({ values }) => values[line]?.[0] ?? 'null');
    return `(${[line, ...cells].join(', ')})`;
  }).join(', ')}`;

function expected(line: number): Value[] {
  return MYSQL_TYPES.map(({ values }) => values[line]?.[1] ?? null);
}

describeWithServer('types of MariaDB', mariadb(), (server) => {
  let client: mysql.Connection;
  beforeAll(async () => {
    client = await textClient(server());
    await client.query(TABLE);
  });
  afterAll(() => client.end());

  const read = async (table: string, options: object = {}): Promise<{ types: string[]; rows: readonly Row[] }> => {
    await using source = await openSource('mysql', { ...configOf(server()), ...options });
    const schema = await source.schema(table);
    const batches = await source.full(schema);
    return {
      types: schema.columns.map(({ type }) => type),
      rows: batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : [])),
    };
  };

  it('are called what they are', async () => {
    await using source = await openSource('mysql', configOf(server()));
    const { columns } = await source.schema('every_type');
    for (const [index, { sql, type, native = sql }] of MYSQL_TYPES.entries()) {
      expect({ sql, ...columns[index + 1] }).toMatchObject({ sql, type, native: `mysql/${native}` });
    }
  });

  it('give every value in its one form', async () => {
    const { rows } = await read('every_type');
    expect(rows).toHaveLength(HEIGHT);
    for (const [line, row] of rows.entries()) {
      const wanted = expected(line);
      for (const [index, { sql }] of MYSQL_TYPES.entries()) expect([sql, row[index + 1]]).toEqual([sql, wanted[index]]);
    }
  });

  it('read tinyint(1) as boolean on request', async () => {
    await client.query('create table flags (id int primary key, flag tinyint(1), small tinyint(2))');
    await client.query('insert into flags values (1, 0, 0), (2, 1, 1), (3, 2, 2), (4, null, null)');
    const { types, rows } = await read('flags', { tinyint1_as_boolean: true });
    expect(types).toEqual(['int32', 'bool', 'int32']);
    expect(rows).toEqual([
      [1, false, 0],
      [2, true, 1],
      [3, true, 2],
      [4, null, null],
    ]);
  });

  it('treat dates that do not exist by policy', async () => {
    await client.query(`set sql_mode = 'allow_invalid_dates';
      create table zero (id int primary key, d date not null, t datetime(3) not null);
      insert into zero values (1, '2024-01-01', '2024-01-01 10:00:00.120'), (2, '0000-00-00', '2024-00-10 00:00:00'), (3, '2023-02-30', '2023-02-28');
      set sql_mode = default`);
    const { rows: empty, types } = await read('zero', { zero_dates: 'null' });
    expect(types).toEqual(['int32', 'date', 'timestamp']);
    expect(empty).toEqual([
      [1, '2024-01-01', '2024-01-01 10:00:00.12'],
      [2, null, null],
      [3, null, '2023-02-28 00:00:00'],
    ]);
    const { rows: texts, types: textTypes } = await read('zero', { zero_dates: 'text' });
    expect(textTypes).toEqual(['int32', 'text', 'text']);
    expect(texts[1]).toEqual([2, '0000-00-00', '2024-00-10 00:00:00.000']);
    await expect(read('zero')).rejects.toMatchObject({
      kind: 'data',
      code: 'zero_date',
      message: expect.stringMatching(/zero.*column d holds 0000-00-00.*id = 2/),
      hint: expect.stringContaining('zero_dates'),
    });
  });

  describeWithServer('in an ExplorerIO database', postgresql({ version: 18 }), (target) => {
    it('are stored value by value', async () => {
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      const destination = await connect(databases.targetUrl);
      try {
        await home.store({ name: 'shop', type: 'mysql', ...configOf(server()), tables: ['every_type'] });
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: HEIGHT });
        await destination.query(`set timezone = 'UTC'; set datestyle = 'ISO'; set bytea_output = 'hex'`);
        const { rows } = await destination.query<Record<string, string | null>>(
          'select * from shop.every_type order by line',
        );
        for (const [line, row] of rows.entries()) {
          for (const [index, value] of expected(line).entries()) {
            expect([MYSQL_TYPES[index]?.sql, stored(row[`c${index}`], value)]).toEqual([
              MYSQL_TYPES[index]?.sql,
              value,
            ]);
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
