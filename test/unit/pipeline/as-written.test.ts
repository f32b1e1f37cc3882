import type { Row, RowBatch, Value } from '../../../lib/core/batch';
import type { Conversion } from '../../../lib/core/transformations';
import { textBatch } from '../text-batch';
import { batchOf, type Parts, pipelineOf, stream } from './pipe';

const schema = stream({ id: 'int32', made: 'text', age: 'text', active: 'text', balance: 'text' });

const PLAIN: Row[] = [
  [1, '2024-01-31T12:00:00Z', '45', 'yes', '12'],
  [2, null, null, null, null],
  [3, '0001-02-03 04:05:06.120000Z', '-7', 'off', '-12345678'],
];

const CONVERSIONS = { made: 'datetime', age: 'integer', active: 'boolean', balance: 'bigint' } as const;

/** What becomes of rows that came as text. */
async function piped(parts: Parts, rows: Row[] = PLAIN): Promise<RowBatch> {
  const text = textBatch(schema, rows);
  if (text === undefined) throw new Error('these rows have a text');
  const pipeline = await pipelineOf(parts);
  const [{ batch }, decoded] = await Promise.all([
    pipeline.bind(schema).run(text, { load: true }),
    (await pipelineOf(parts)).bind(schema).run(batchOf(schema, rows), { load: true }),
  ]);
  expect(batch.rows).toEqual(decoded.batch.rows);
  return batch;
}

const converting = (conversions: { readonly [name: string]: Conversion | Conversion['type'] } = CONVERSIONS) => ({
  type: 'data_type_conversion' as const,
  conversions,
});

/** The names of the fields whose cells are still text. */
const stillText = ({ schema: { columns }, mixed }: RowBatch) =>
  columns.filter((_, place) => 'text' in (mixed?.columns[place] ?? {})).map(({ name }) => name);

it('leaves converted fields as they were written where all values of a batch are plain', async () => {
  const batch = await piped({ steps: [converting()] });
  expect(stillText(batch)).toEqual(['id', 'made', 'age', 'active', 'balance']);
  expect(batch.rows[2]).toEqual([3, '0001-02-03 04:05:06.12+00', -7, false, -12345678n]);
  expect(batch.rows[1]).toEqual([2, null, null, null, null]);
});

it.each<[string, number, Value]>([
  ['made', 1, '2024-01-31T12:00:00+01:00'],
  ['made', 1, ' 2024-01-31T12:00:00Z'],
  ['made', 1, '2024-01-31'],
  ['made', 1, ''],
  ['made', 1, 'none'],
  ['age', 2, '+45'],
  ['age', 2, '045'],
  ['age', 2, '-0'],
  ['age', 2, '45.0'],
  ['age', 2, '-'],
  ['age', 2, '1234567890'],
  ['active', 3, 'YES'],
  ['active', 3, 'yes '],
  ['balance', 4, '9223372036854775807'],
  ['balance', 4, '1e3'],
])('takes the values of %s where one in the batch is written in another way (%#)', async (name, place, value) => {
  const rows = PLAIN.map((row) => [...row]);
  (rows[2] as Row)[place] = value;
  const batch = await piped({ steps: [converting()] }, rows);
  expect(stillText(batch)).toEqual(['id', 'made', 'age', 'active', 'balance'].filter((other) => other !== name));
});

it('does not mind how records are written that leave the pipeline', async () => {
  const rows: Row[] = [...PLAIN, [4, '2024-01-31', '045', 'YES', '1e3']];
  const filter = { type: 'filter', expression: 'id < 4' } as const;
  expect(stillText(await piped({ steps: [filter, converting()] }, rows))).toContain('made');
});

it('gives later steps the values', async () => {
  const rules = [{ type: 'expression' as const, expression: 'age == null || age > 0' }];
  const batch = await piped({ steps: [converting()], rules });
  expect(stillText(batch)).toContain('age');
  expect(batch.rows.map(([id]) => id)).toEqual([1, 2]);
});

it.each<[string, Parts]>([
  ['is converted again', { steps: [converting(), converting({ made: 'date', age: 'string', active: 'string' })] }],
  ['was changed before', { steps: [{ type: 'constant', field: 'age', value: '46' }, converting()] }],
  [
    'may be emptied by a rule',
    { steps: [converting()], rules: [{ type: 'range', field: 'age', min: 0 }], handling: { strategy: 'null_field' } },
  ],
])('takes the values of a field that %s', async (_, parts) => {
  expect(stillText(await piped(parts))).not.toContain('age');
});

it.each<[string, Conversion]>([
  ['made', { type: 'datetime', format: ["yyyy-MM-dd'T'HH:mm:ss'Z'", 'iso'], time_zone: 'Asia/Tokyo' }],
  ['active', { type: 'boolean', true_values: ['off', 'no'], false_values: ['on', 'yes'] }],
])('takes the values of %s where the words mean something else', async (name, conversion) => {
  expect(stillText(await piped({ steps: [converting({ [name]: conversion })] }))).not.toContain(name);
});
