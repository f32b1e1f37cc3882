import type { Value } from '../../lib/core/batch';
import type { ColumnType } from '../../lib/core/schema';

/** A declared type, how it is read, and values as SQL with what they have to become. */
export interface SqliteType {
  readonly sql: string;
  readonly type: ColumnType;
  readonly values: readonly (readonly [literal: string, value: Value])[];
}

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const LONG = 'é🙂'.repeat(5000);

/** Every way in which SQLite keeps values, with extremes. */
export const SQLITE_TYPES: readonly SqliteType[] = [
  {
    sql: 'INTEGER',
    type: 'int64',
    values: [
      ['-9223372036854775808', -9223372036854775808n],
      ['9223372036854775807', 9223372036854775807n],
      ['9007199254740993', 9007199254740993n],
      ['0', 0n],
      [`'12'`, 12n],
    ],
  },
  { sql: 'UNSIGNED BIG INT', type: 'int64', values: [['1', 1n]] },
  { sql: 'tinyint(1)', type: 'int64', values: [['-1', -1n]] },
  {
    sql: 'BOOLEAN',
    type: 'int64',
    values: [
      ['true', 1n],
      ['false', 0n],
    ],
  },
  {
    sql: 'REAL',
    type: 'float64',
    values: [
      ['1.5', 1.5],
      ['9', 9],
      ['1e308', 1e308],
      ['4.9e-324', 5e-324],
      ['9e999', Number.POSITIVE_INFINITY],
      ['-9e999', Number.NEGATIVE_INFINITY],
      ['0.1', 0.1],
    ],
  },
  { sql: 'DOUBLE PRECISION', type: 'float64', values: [['-0.25', -0.25]] },
  {
    sql: 'DECIMAL(20,5)',
    type: 'decimal',
    values: [
      ['12.5', '12.5'],
      ['9223372036854775807', '9223372036854775807'],
      ['1e300', `1${'0'.repeat(300)}`],
      ['-1.5e-7', '-0.00000015'],
      ['123456789.125', '123456789.125'],
      ['9e999', 'Infinity'],
      [`'7.50'`, '7.5'],
    ],
  },
  { sql: 'NUMERIC', type: 'decimal', values: [['1.0', '1']] },
  {
    sql: 'TEXT',
    type: 'text',
    values: [
      [`''`, ''],
      [`'it''s "quoted" \\ tab' || char(9) || 'end'`, `it's "quoted" \\ tab\tend`],
      [`'${LONG}'`, LONG],
      ['5', '5'],
      ['2.5', '2.5'],
      [`char(65279) || 'x'`, '\ufeffx'],
    ],
  },
  { sql: 'VARCHAR(3)', type: 'text', values: [[`'longer than three'`, 'longer than three']] },
  { sql: 'CLOB', type: 'text', values: [[`'{"a": 1.000000000000000000001}'`, '{"a": 1.000000000000000000001}']] },
  { sql: 'JSON', type: 'text', values: [[`'{"a": 10000000000000000000000}'`, '{"a": 10000000000000000000000}']] },
  {
    sql: 'BLOB',
    type: 'bytes',
    values: [
      [`x''`, bytes('')],
      [`x'00ff80'`, bytes('00ff80')],
    ],
  },
  { sql: 'DATE', type: 'text', values: [[`'2024-02-29'`, '2024-02-29']] },
  { sql: 'DATETIME', type: 'text', values: [[`'2024-02-29T23:59:59.999999Z'`, '2024-02-29T23:59:59.999999Z']] },
  { sql: 'TIMESTAMP', type: 'int64', values: [['1709251199', 1709251199n]] },
  { sql: 'TIME', type: 'float64', values: [['2460369.5', 2460369.5]] },
  { sql: '', type: 'int64', values: [['7', 7n]] },
  { sql: '', type: 'text', values: [[`'seven'`, 'seven']] },
  {
    sql: '',
    type: 'decimal',
    values: [
      ['7', '7'],
      ['7.5', '7.5'],
    ],
  },
  { sql: '', type: 'bytes', values: [[`x'07'`, bytes('07')]] },
  {
    sql: 'INTEGER',
    type: 'text',
    values: [
      ['7', '7'],
      [`'seven'`, 'seven'],
      ['7.5', '7.5'],
      [`x'07'`, `X'07'`],
    ],
  },
  {
    sql: 'REAL',
    type: 'text',
    values: [
      ['7', '7.0'],
      [`'seven'`, 'seven'],
      ['1e100', '1e+100'],
    ],
  },
  {
    sql: 'TEXT',
    type: 'text',
    values: [
      [`'text'`, 'text'],
      [`x'00ff'`, `X'00FF'`],
    ],
  },
  {
    sql: '',
    type: 'text',
    values: [
      ['1', '1'],
      [`'one'`, 'one'],
    ],
  },
];
