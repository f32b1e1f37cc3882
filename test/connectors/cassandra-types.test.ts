import type pg from 'pg';
import type { Row, Value } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { connect, makeDatabases, openEndToEnd } from '../e2e/home';
import { cassandra } from '../servers/cassandra';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CASSANDRA_TYPES, CASSANDRA_UDT, type CassandraType } from '../tables/cassandra-types';
import { configOf, makeKeyspace } from './cassandra';

type Values = (of: CassandraType) => CassandraType['values'];

const kept: Values = ({ values }) => values;
const beyond: Values = ({ beyond: values = [] }) => values;
const height = (values: Values) => Math.max(...CASSANDRA_TYPES.map((of) => values(of).length));
// One line more than there are values: all null.
const expected = (values: Values, line: number): Value[] => CASSANDRA_TYPES.map((of) => values(of)[line]?.[1] ?? null);

function statements(table: string, values: Values): string[] {
  const columns = CASSANDRA_TYPES.map(({ cql }, index) => `c${index} ${cql}`).join(', ');
  const names = ['line', ...CASSANDRA_TYPES.map((_, index) => `c${index}`)].join(', ');
  const rows = Array.from({ length: height(values) + 1 }, (_, line) => {
    const terms = CASSANDRA_TYPES.map((of) => values(of)[line]?.[0] ?? 'null');
    return `insert into shop.${table} (${names}) values (${[line, ...terms].join(', ')})`;
  });
  return [`create table shop.${table} (line int primary key, ${columns})`, ...rows];
}

describeWithServer('types of Cassandra 5.0', cassandra(), (server) => {
  const run = async (...cql: string[]) => {
    for (const one of cql) await server().client.execute(one);
  };
  const read = async (table: string): Promise<readonly Row[]> => {
    await using source = await openSource('cassandra', configOf(server()));
    const batches = await source.full(await source.schema(table));
    const rows = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    return rows.sort((left, right) => Number(left[0]) - Number(right[0]));
  };

  beforeAll(async () => {
    await makeKeyspace(server());
    await run(CASSANDRA_UDT, ...statements('every_type', kept), ...statements('beyond', beyond));
  }, 60_000);

  it('are called what they are', async () => {
    await using source = await openSource('cassandra', configOf(server()));
    const { columns } = await source.schema('every_type');
    for (const [index, { cql, type, native = cql }] of CASSANDRA_TYPES.entries()) {
      const column = columns.find(({ name }) => name === `c${index}`);
      expect({ cql, ...column }).toMatchObject({ cql, type, native: `cassandra/${native}` });
    }
  });

  it.each([
    ['every_type', kept],
    ['beyond', beyond],
  ] as const)('give every value of %s in its one form', async (table, values) => {
    await using source = await openSource('cassandra', configOf(server()));
    const { columns } = await source.schema(table);
    const rows = await read(table);
    expect(rows).toHaveLength(height(values) + 1);
    for (const [line, row] of rows.entries()) {
      const wanted = expected(values, line);
      for (const [index, { cql }] of CASSANDRA_TYPES.entries()) {
        const place = columns.findIndex(({ name }) => name === `c${index}`);
        expect([cql, line, row[place]]).toEqual([cql, line, wanted[index]]);
      }
    }
  });

  it('give counters, also negative and huge ones', async () => {
    await run(
      'create table shop.counts (id text primary key, hits counter)',
      `update shop.counts set hits = hits + 9223372036854775807 where id = '1'`,
      `update shop.counts set hits = hits - 9223372036854775807 where id = '2'`,
    );
    expect(await read('counts')).toEqual([
      ['1', 2n ** 63n - 1n],
      ['2', -(2n ** 63n) + 1n],
    ]);
  });

  it('treat bytes of no length as null where the type is no text', async () => {
    await run(
      'create table shop.empties (id int primary key, n int, d decimal, t timestamp, s text, b blob)',
      `insert into shop.empties (id, n, d, t, s, b) values (1, blob_as_int(0x), blob_as_decimal(0x), blob_as_timestamp(0x), '', 0x)`,
    );
    expect(await read('empties')).toEqual([[1, Buffer.alloc(0), null, null, '', null]]);
  });

  it('refuse a decimal of absurd length by table, column and key', async () => {
    await run(
      'create table shop.absurd (id int primary key, amount decimal)',
      'insert into shop.absurd (id, amount) values (7, blob_as_decimal(0x88ca6c0001))',
    );
    await expect(read('absurd')).rejects.toMatchObject({
      kind: 'data',
      code: 'value_too_large',
      message: expect.stringMatching(/absurd, column amount, key 7/),
      hint: expect.any(String),
    });
  });

  describeWithServer('in an ExplorerIO database', postgresql({ version: 18 }), (target) => {
    it('are stored value by value', async () => {
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      const destination = await connect(databases.targetUrl);
      try {
        await home.store({ name: 'shop', type: 'cassandra', ...configOf(server()), tables: ['every_type'] });
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: height(kept) + 1 });
        await destination.query(`set timezone = 'UTC'; set datestyle = 'ISO'; set bytea_output = 'hex'`);
        const { rows } = await destination.query<Record<string, string | null>>(
          'select * from shop.every_type order by line',
        );
        expect(rows).toHaveLength(height(kept) + 1);
        for (const [line, row] of rows.entries()) {
          for (const [index, value] of expected(kept, line).entries()) {
            const { cql, type } = CASSANDRA_TYPES[index] ?? {};
            const wanted = type === 'json' ? await normalized(destination, value) : value;
            expect([cql, line, stored(row[`c${index}`], value)]).toEqual([cql, line, wanted]);
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

/** JSON as PostgreSQL writes it, which keeps all digits. */
async function normalized(destination: pg.Client, json: Value): Promise<Value> {
  const { rows } = await destination.query<{ json: string }>('select $1::jsonb::text as json', [json]);
  return rows[0]?.json ?? null;
}

/** PostgreSQL's text as the value of the same kind. */
function stored(text: string | null | undefined, like: Value): Value {
  if (text === null || text === undefined) return null;
  if (typeof like === 'number') return Number(text);
  if (typeof like === 'bigint') return BigInt(text);
  if (typeof like === 'boolean') return text === 't';
  return like instanceof Uint8Array ? Buffer.from(text.slice(2), 'hex') : text;
}
