import type pg from 'pg';
import type { Batch, ByteFormat, Row, Value } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { TYPE_SETUP, TYPE_TABLE } from '../tables/postgresql-types';
import { configOf, loadBytes, textClient } from './postgresql';

const HEIGHT = Math.max(...TYPE_TABLE.map(({ values }) => values.length));
const names = TYPE_TABLE.map((_, index) => `c${index}`);

async function makeTable(client: pg.Client): Promise<void> {
  const columns = TYPE_TABLE.map(({ sql }, index) => `c${index} ${sql}`);
  const literal = (text: string) => client.escapeLiteral(text);
  const rows = Array.from({ length: HEIGHT }, (_, line) => {
    const cells = TYPE_TABLE.map(({ values, sql }) => (values[line] ? `${literal(values[line][0])}::${sql}` : 'null'));
    return `(${[line, ...cells].join(', ')})`;
  });
  await client.query(`${TYPE_SETUP}; set lc_monetary = 'C';
    create table every_type (line int primary key, ${columns.join(', ')});
    insert into every_type values ${rows.join(', ')}`);
}

for (const version of [15, 18] as const) {
  describeWithServer(`types of PostgreSQL ${version}`, postgresql({ version }), (server) => {
    let client: pg.Client;
    beforeAll(async () => {
      client = await textClient(server());
      await makeTable(client);
    });
    afterAll(() => client.end());

    const read = async (accept: readonly ByteFormat[]): Promise<Batch[]> => {
      await using source = await openSource('postgresql', configOf(server()));
      const schema = await source.schema('every_type');
      return await source.full(schema, {
        accept,
        each: async (batch) => {
          if (batch.kind === 'bytes') await loadBytes(client, batch, 'decoded');
        },
      });
    };

    it('gives every value in its one form', async () => {
      const [batch] = await read([]);
      if (batch?.kind !== 'rows') throw new Error('no rows');
      const columns = batch.schema.columns.slice(1);
      const rows = [...batch.rows].sort((left, right) => Number(left[0]) - Number(right[0]));
      for (const [index, { sql, type, native, values }] of TYPE_TABLE.entries()) {
        expect({ sql, ...columns[index] }).toMatchObject({ sql, type, native: `postgresql/${native}` });
        const expected = values.map(([literal, value]): Value => (value === undefined ? literal : value));
        const padded = [...expected, ...Array<Value>(HEIGHT - expected.length).fill(null)];
        expect([sql, ...rows.map((row: Row) => row[index + 1])]).toEqual([sql, ...padded]);
      }
    });

    it.each(['pgcopy-binary', 'pgcopy-text'] as const)('gives by %s exactly the types it names', async (format) => {
      const batches = await read([format]);
      expect(batches.map((batch) => batch.kind)).toEqual(['bytes']);
      for (const [index, { native }] of TYPE_TABLE.entries()) {
        const cell = (row: string) => `${row}.${names[index]}::${native}::text`;
        const { rows } = await client.query<{ line: string }>(`
          select line from every_type s full join decoded d using (line)
          where ${cell('s')} is distinct from ${cell('d')} or s.line is null or d.line is null`);
        expect([native, rows]).toEqual([native, []]);
      }
      const { rows } = await client.query<{ n: string }>('select count(*) as n from decoded');
      expect(Number(rows[0]?.n)).toBe(HEIGHT);
    });
  });
}
