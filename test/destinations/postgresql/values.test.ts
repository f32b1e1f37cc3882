import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Row, Value } from '../../../lib/core/batch';
import type { ColumnType } from '../../../lib/core/schema';
import { openDestination } from '../../../lib/destinations';
import { tableName } from '../../../lib/destinations/postgresql/names';
import { column, options, orders, rowBatch } from '../../contracts/destination-harness';
import { type PostgresqlServer, postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';

const signal = new AbortController().signal;

/** Type, native type, value, and SQL that gives the same in the database. */
const VALUES: readonly (readonly [ColumnType, string, Value, string])[] = [
  ['bool', '', true, 'true'],
  ['bool', '', false, 'false'],
  ['int32', '', -2147483648, '-2147483648'],
  ['int32', 'postgresql/smallint', 32767, '32767::smallint'],
  ['int64', '', 9223372036854775807n, '9223372036854775807'],
  ['int64', '', -9223372036854775808n, '(-9223372036854775808)'],
  ['float64', '', Number.NaN, `'NaN'`],
  ['float64', '', Number.NEGATIVE_INFINITY, `'-Infinity'`],
  ['float64', '', -0, `'-0'`],
  ['float64', '', 5e-324, '5e-324'],
  ['float64', '', 1.7976931348623157e308, '1.7976931348623157e308'],
  ['float64', '', 0.1, '0.1'],
  ['float64', 'postgresql/real', 0.10000000149011612, '0.1::real'],
  ['decimal', '', `${'9'.repeat(1000)}.${'1'.repeat(500)}`, `${'9'.repeat(1000)}.${'1'.repeat(500)}`],
  ['decimal', '', '1.500', '1.500'],
  ['decimal', '', 'NaN', `'NaN'`],
  ['decimal', '', '-Infinity', `'-Infinity'`],
  ['decimal', 'postgresql/numeric(10,2)', '12345678.90', '12345678.90::numeric(10,2)'],
  ['text', '', '', `''`],
  ['text', '', '\\N', `'\\N'`],
  ['text', '', '\\.', `'\\.'`],
  [
    'text',
    '',
    'tab\t nl\n cr\r quote" \'\b\f\v\u0001 \\ end\\',
    `E'tab\\t nl\\n cr\\r quote" \\'\\b\\f\\x0B\\x01 \\\\ end\\\\'`,
  ],
  ['text', '', '\u{1f600}ü漢\ufeff\u2028', `'\u{1f600}ü漢\ufeff\u2028'`],
  ['text', '', 'x'.repeat(70_000), `repeat('x', 70000)`],
  ['text', '', '\\\n\u{1f600}'.repeat(40_000), `repeat(E'\\\\\\n\u{1f600}', 40000)`],
  ['text', 'postgresql/character varying(20)', 'abc', `'abc'::varchar(20)`],
  ['text', 'postgresql/character(5)', 'ab   ', `'ab'::char(5)`],
  ['text', 'postgresql/int4range', '[1,5)', `'[1,5)'::int4range`],
  ['text', 'postgresql/text[]', '{"a,b",NULL,"{}"}', `ARRAY['a,b', NULL, '{}']`],
  ['text', 'postgresql/numeric(5,1)[]', '{1.5,NULL}', 'ARRAY[1.5, NULL]::numeric(5,1)[]'],
  ['text', 'postgresql/interval', 'P1Y2M-3DT4H', `'1 year 2 months -3 days 4 hours'::interval`],
  ['text', 'postgresql/inet', '10.0.0.1/8', `'10.0.0.1/8'::inet`],
  ['text', 'postgresql/bit varying(9)', '10101', `'10101'::varbit(9)`],
  ['text', 'postgresql/tsvector', `'a':1 'b c':2`, `'a:1 ''b c'':2'::tsvector`],
  ['text', 'postgresql/xml', '<a>&amp;</a>', `'<a>&amp;</a>'::xml`],
  ['text', 'postgresql/"char"', 'q', `'q'::"char"`],
  ['text', 'postgresql/citext', 'Kept', `'Kept'::text`],
  ['bytes', '', new Uint8Array(0), `'\\x'::bytea`],
  ['bytes', '', Buffer.from([0, 1, 92, 255]), `'\\x00015cff'::bytea`],
  ['bytes', '', Buffer.alloc(200_000, 7), `decode(repeat('07', 200000), 'hex')`],
  ['date', '', '0044-03-15 BC', `'0044-03-15 BC'::date`],
  ['date', '', '5874897-12-31', `'5874897-12-31'::date`],
  ['date', '', '-infinity', `'-infinity'::date`],
  ['time', '', '24:00:00', `'24:00:00'::time`],
  ['time', 'postgresql/time(3) without time zone', '01:02:03.004', `'01:02:03.004'::time(3)`],
  ['timestamp', '', '294276-12-31 23:59:59.999999', `'294276-12-31 23:59:59.999999'::timestamp`],
  ['timestamp', '', 'infinity', `'infinity'::timestamp`],
  ['timestamptz', '', '2024-02-29 12:00:00.000001+00', `'2024-02-29 12:00:00.000001+00'::timestamptz`],
  ['timestamptz', '', '4714-11-24 00:00:00+00 BC', `'4714-11-24 00:00:00+00 BC'::timestamptz`],
  ['uuid', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', `'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid`],
  [
    'json',
    '',
    '{"n":123456789012345678901234567890.1234567890,"s":"\\u00fc\\\\u0000"}',
    `'{"n":123456789012345678901234567890.1234567890,"s":"\\u00fc\\\\u0000"}'::jsonb`,
  ],
  ['json', 'postgresql/json', '{ "b":1,  "b":2, "nul":"\\u0000"}', `'{ "b":1,  "b":2, "nul":"\\u0000"}'::json`],
];

async function open(server: PostgresqlServer, namespace: string) {
  const context = { integration: 'shop', namespace, deletes: 'hard' } as const;
  const destination = await openDestination('postgresql', { url: server.url }, context, { log: silent });
  const slice = { integration: 'shop', stream: 'orders', partition: 'increment' };
  return { destination, slice };
}

for (const version of [15, 18] as const) {
  describeWithServer(`values on PostgreSQL ${version}`, postgresql({ version }), (server) => {
    const sql = (text: string) => query(server(), text);
    const wide = orders(
      [
        column('id', 'int64'),
        ...VALUES.map(([type, native], place) => column(`c${place}`, type, native === '' ? undefined : native)),
      ],
      ['id'],
    );
    const types = `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = 'REL'::regclass AND attnum > 0`;

    async function compare(table: string) {
      const differing: string[] = [];
      for (const [place, [, , , expression]] of VALUES.entries()) {
        const [type] = await sql(`${types.replace('REL', table)} AND attname = 'c${place}'`);
        const [row] = await sql(
          `SELECT c${place}::text = (${expression})::${type?.type}::text AND c${place} IS NOT NULL AS same FROM ${table} WHERE id = 1`,
        );
        if (row?.same !== 't') differing.push(`c${place} ${type?.type} ${expression.slice(0, 60)}`);
      }
      return differing;
    }

    it('are the same in the database by rows (upserted and loaded), and by binary and text COPY', async () => {
      const { destination, slice } = await open(server(), 'extremes');
      await destination.prepare(slice, wide);
      await destination.claim(slice, 1);
      const row: Row = [1n, ...VALUES.map(([, , value]) => value)];
      const nulls: Row = [2n, ...VALUES.map(() => null)];
      expect(await destination.write(rowBatch(wide, [row, nulls]), slice, options())).toMatchObject({ quarantined: 0 });
      expect(await compare('extremes.orders')).toEqual([]);

      const names = wide.columns.map(({ name }) => name).join(', ');
      for (const format of ['pgcopy-binary', 'pgcopy-text'] as const) {
        const load = { ...slice, load: format };
        // citext is not here, so its binary form would be another one
        const columns =
          format === 'pgcopy-binary' ? wide.columns.filter(({ native }) => !/citext/.test(native)) : wide.columns;
        const schema = { ...wide, columns };
        const list = columns.map(({ name }) => name).join(', ');
        await destination.prepare(load, schema);
        await destination.claim(load, 1);
        const client = new Client({ connectionString: server().url });
        await client.connect();
        const body = client.query(
          copyTo(
            `COPY (SELECT ${list} FROM extremes.orders) TO STDOUT${format === 'pgcopy-binary' ? ' (FORMAT binary)' : ''}`,
          ),
        );
        const batch = { kind: 'bytes', schema, after: { format: 1, value: 1 }, format, body } as const;
        expect((await destination.write(batch, load, options())).rows).toBe(2);
        await client.end();
        const [shadow] = await sql(
          `SELECT 'extremes.' || relname AS name FROM pg_class WHERE relname ~ '^_explorerio_load_' AND relkind = 'r'`,
        );
        const [difference] = await sql(
          `SELECT count(*) FROM (SELECT row(${list})::text FROM extremes.orders EXCEPT SELECT row(${list})::text FROM ${shadow?.name}) d`,
        );
        expect(difference).toEqual({ count: '0' });
        await destination.discard('orders', format);
      }
      expect(names).toContain('c0');
      const load = { ...slice, load: 'rows' };
      await destination.prepare(load, wide);
      await destination.claim(load, 1);
      await destination.write(rowBatch(wide, [row]), load, options());
      await destination.publish(wide, 'rows', { signal });
      expect(await compare('extremes.orders')).toEqual([]);
      await destination.close();
    });

    it('refuses binary bytes of a type that is another one here', async () => {
      const { destination, slice } = await open(server(), 'binary');
      const schema = orders([column('id', 'int64'), column('name', 'text', 'postgresql/regclass')]);
      await destination.prepare(slice, schema);
      await destination.claim(slice, 1);
      async function* body() {
        yield Buffer.from('never read');
      }
      const batch = {
        kind: 'bytes',
        schema,
        after: { format: 1, value: 1 },
        format: 'pgcopy-binary',
        body: body(),
      } as const;
      await expect(destination.write(batch, slice, options())).rejects.toMatchObject({ code: 'bytes_rejected' });
      await destination.close();
    });

    it('that the server refuses undo a group of batches; those that we refuse go to quarantine with it', async () => {
      const { destination, slice } = await open(server(), 'groups');
      const schema = orders([column('id', 'int64'), column('name', 'text', 'postgresql/inet')]);
      const part = { ...slice, partition: 'part-1', load: 'one' };
      await destination.prepare(part, schema);
      await destination.claim(part, 1);
      const append = (...rows: readonly Row[]) => {
        async function* additions() {
          for (const [place, row] of rows.entries()) {
            yield { batch: rowBatch(schema, [row], place), rejected: [] };
          }
        }
        return destination.append?.(additions(), part, options());
      };
      await expect(append([1n, '10.0.0.1'], [2n, 'no address'], [3n, '10.0.0.3'])).rejects.toMatchObject({
        kind: 'data',
        code: 'rows_rejected',
      });
      expect(await destination.claim(part, 1)).toBeUndefined();
      expect(await append([1n, '10.0.0.1'], [2n, '\0'], [3n, '10.0.0.3'])).toMatchObject({ rows: 2, quarantined: 1 });
      expect(await destination.quarantined({ limit: 10 })).toMatchObject([{ field: 'name', record: { id: '2' } }]);
      expect(await destination.publish(schema, 'one', { signal: options().signal })).toMatchObject({ rows: 2 });
      await destination.close();
    });

    it('keep their names, however odd, apart from each other', async () => {
      const { destination } = await open(server(), 'Odd "names" \u{1f600}');
      const long = `${'ä'.repeat(31)}x`;
      const odd = [
        'a"b',
        'sp ace',
        '\u{1f600}',
        'semi;--',
        "quo'te",
        'a.b',
        long,
        `${long}1`,
        `${long}2`,
        '_explorerio_synced_at',
        'Case',
        'case',
        'select',
        'back\\slash',
        '$1',
      ];
      const schema = {
        stream: 'x',
        key: ['a"b'],
        columns: odd.map((name) => column(name, name === 'a"b' ? 'int64' : 'text')),
      };
      const streams = [
        'public.orders',
        'public__orders',
        'public._orders',
        'public_.orders',
        'Orders',
        'orders',
        'or"ders',
        "or'ders",
        'or ders',
        '\u{1f600}',
        long,
        `${long}1`,
        `${long}2`,
        '_explorerio_positions',
        '_explorerio_loads',
        'select',
      ];
      for (const stream of streams) {
        const slice = { integration: 'shop', stream, partition: 'increment' };
        const own = { ...schema, stream };
        expect((await destination.prepare(slice, own)).changes).toHaveLength(1);
        await destination.claim(slice, 1);
        await destination.write(rowBatch(own, [odd.map((name) => (name === 'a"b' ? 1n : name))]), slice, options());
        const load = { ...slice, load: stream };
        await destination.prepare(load, own);
        await destination.claim(load, 1);
        await destination.write(
          rowBatch(own, [odd.map((name) => (name === 'a"b' ? 1n : `${stream} ${name}`))]),
          load,
          options(),
        );
        await destination.publish(own, stream, { signal });
        const [row] = await query(
          server(),
          `SELECT * FROM "Odd ""names"" \u{1f600}"."${tableName(stream).replaceAll('"', '""')}"`,
        );
        expect(row?.case).toBe(`${stream} case`);
        expect(Object.keys(row ?? {})).toHaveLength(odd.length + 1);
      }
      expect(new Set(streams.map(tableName)).size).toBe(streams.length);
      await destination.drop();
      await destination.close();
    });

    it('may be 1,597 columns wide and no wider, and the message says what to do', async () => {
      const { destination, slice } = await open(server(), 'wide');
      const columns = (count: number) => Array.from({ length: count }, (_, place) => column(`c${place}`, 'int32'));
      const most = orders(columns(1597), ['c0']);
      await destination.prepare(slice, most);
      await destination.claim(slice, 1);
      await destination.write(rowBatch(most, [most.columns.map((_, place) => place)]), slice, options());
      expect(await sql('SELECT c1596 FROM wide.orders')).toEqual([{ c1596: '1596' }]);
      await expect(destination.prepare(slice, orders(columns(1600), ['c0']))).rejects.toMatchObject({
        kind: 'config',
        code: 'too_many_columns',
        message: expect.stringContaining('orders'),
        hint: expect.stringContaining('1597'),
      });
      await destination.close();
    });
  });
}
