import type { Value } from '../../lib/core/batch';
import type { ColumnType } from '../../lib/core/schema';

/** One type of MySQL and MariaDB: how it is read, and values with the form they must have. */
export interface MysqlTypeCase {
  /** As it is written in CREATE TABLE. */
  readonly sql: string;
  readonly type: ColumnType;
  /** Without the dialect; the type itself where it is absent. */
  readonly native?: string;
  /** Expressions, and what they are read as. */
  readonly values: readonly (readonly [expression: string, read: Value])[];
}

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const quoted = (text: string) => `'${text}'`;
const same = (...texts: string[]) => texts.map((text) => [quoted(text), text] as const);
const numbers = (...values: number[]) => values.map((value) => [String(value), value] as const);
const POINT = '0101000000000000000000f03f0000000000000040';
const LONG = 'é🙂'.repeat(30_000);

/** Every type, extremes included. */
export const MYSQL_TYPES: readonly MysqlTypeCase[] = [
  { sql: 'tinyint(4)', type: 'int32', values: numbers(-128, 0, 127) },
  { sql: 'tinyint(1)', type: 'int32', values: numbers(0, 1, 7) },
  { sql: 'tinyint(3) unsigned', type: 'int32', values: numbers(0, 255) },
  { sql: 'smallint(6)', type: 'int32', values: numbers(-32768, 32767) },
  { sql: 'mediumint(8) unsigned', type: 'int32', values: numbers(0, 16777215) },
  { sql: 'int(11)', type: 'int32', values: numbers(-2147483648, 2147483647) },
  { sql: 'int(10) unsigned', type: 'int64', values: [['4294967295', 4294967295n]] },
  { sql: 'int(6) unsigned zerofill', type: 'int64', values: [['42', 42n]] },
  {
    sql: 'bigint(20)',
    type: 'int64',
    values: [
      ['-9223372036854775808', -9223372036854775808n],
      ['9223372036854775807', 9223372036854775807n],
      ['-1', -1n],
    ],
  },
  { sql: 'bigint(20) unsigned', type: 'decimal', values: [['18446744073709551615', '18446744073709551615']] },
  {
    sql: 'bigint(20) unsigned zerofill',
    type: 'decimal',
    values: [
      ['5', '5'],
      ['0', '0'],
    ],
  },
  {
    sql: 'decimal(65,30)',
    type: 'decimal',
    values: same(`${'9'.repeat(35)}.${'1234567890'.repeat(3)}`, `-0.${'0'.repeat(29)}1`, `0.${'0'.repeat(30)}`),
  },
  { sql: 'decimal(10,0)', type: 'decimal', values: same('-9999999999', '0') },
  {
    sql: 'decimal(8,2) unsigned zerofill',
    type: 'decimal',
    values: [
      ['1.5', '1.50'],
      ['0.25', '0.25'],
    ],
  },
  {
    sql: 'float',
    type: 'float64',
    values: [
      ['1.1', 1.1],
      ['3.402823e38', 3.402823e38],
      ['16777217', 16777216],
      ['-1e-38', -1e-38],
      ['0.333333343267', 0.33333334],
    ],
  },
  {
    sql: 'double',
    type: 'float64',
    values: [
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['2.2250738585072014e-308', 2.2250738585072014e-308],
      ['1/3e0', 1 / 3],
      ['0.1e0 + 0.2e0', 0.1 + 0.2],
    ],
  },
  {
    sql: 'bit(1)',
    type: 'int64',
    values: [
      ["b'1'", 1n],
      ["b'0'", 0n],
    ],
  },
  { sql: 'bit(10)', type: 'int64', values: [["b'1000000001'", 513n]] },
  { sql: 'bit(64)', type: 'decimal', values: [['~0', '18446744073709551615']] },
  { sql: 'year(4)', type: 'int32', values: numbers(1901, 2155, 0) },
  { sql: 'date', type: 'date', values: same('1000-01-01', '9999-12-31', '2024-02-29') },
  { sql: 'time', type: 'text', values: same('838:59:59', '-838:59:59', '00:00:00') },
  { sql: 'time(6)', type: 'text', values: same('-26:10:05.000001', '12:00:00.500000') },
  { sql: 'datetime', type: 'timestamp', values: same('1000-01-01 00:00:00', '9999-12-31 23:59:59') },
  {
    sql: 'datetime(6)',
    type: 'timestamp',
    values: [
      ["'2024-03-31 02:30:00.123456'", '2024-03-31 02:30:00.123456'],
      ["'2024-10-27 02:30:00.100000'", '2024-10-27 02:30:00.1'],
      ["'0000-03-01 00:00:00'", '0001-03-01 00:00:00 BC'],
    ],
  },
  {
    sql: 'timestamp(6) null',
    native: 'timestamp(6)',
    type: 'timestamptz',
    values: [
      ["'1970-01-01 00:00:01'", '1970-01-01 00:00:01+00'],
      ["'2038-01-19 03:14:07.999999'", '2038-01-19 03:14:07.999999+00'],
      ["convert_tz('2024-07-01 12:00:00.5', '+02:00', '+00:00')", '2024-07-01 10:00:00.5+00'],
    ],
  },
  {
    sql: 'char(5)',
    type: 'text',
    values: [
      ["'ab  '", 'ab'],
      ["''", ''],
    ],
  },
  {
    sql: 'varchar(40)',
    type: 'text',
    values: [
      ["'ab  '", 'ab  '],
      ["'\\\\ \\'\" \\t \\n'", '\\ \'" \t \n'],
    ],
  },
  { sql: 'varchar(20) character set latin1', native: 'varchar(20)', type: 'text', values: same('é ü ß') },
  { sql: 'varchar(20) character set utf16', native: 'varchar(20)', type: 'text', values: same('日本 🙂') },
  { sql: 'varchar(20) collate utf8mb4_bin', native: 'varchar(20)', type: 'text', values: same('Straße 🙂') },
  { sql: 'tinytext', type: 'text', values: same('x') },
  { sql: 'mediumtext', type: 'text', values: [[quoted(LONG), LONG]] },
  { sql: 'longtext', type: 'text', values: same('{"not": "json"}') },
  {
    sql: 'json',
    native: 'longtext',
    type: 'json',
    values: same('{"a": [1], "n": 12345678901234567890.12345}', 'null'),
  },
  { sql: 'binary(4)', type: 'bytes', values: [["x'0001'", bytes('00010000')]] },
  {
    sql: 'varbinary(20)',
    type: 'bytes',
    values: [
      ["x'00ff5c27'", bytes('00ff5c27')],
      ["''", bytes('')],
    ],
  },
  { sql: 'longblob', type: 'bytes', values: [["repeat(x'80', 70000)", Buffer.alloc(70_000, 0x80)]] },
  {
    sql: `enum('a','b,c','d''e')`,
    native: 'enum',
    type: 'text',
    values: [
      ["'b,c'", 'b,c'],
      ["'d''e'", "d'e"],
    ],
  },
  {
    sql: `set('x','y')`,
    native: 'set',
    type: 'text',
    values: [
      ["'y,x'", 'x,y'],
      ["''", ''],
    ],
  },
  {
    sql: 'geometry',
    type: 'bytes',
    values: [
      ['point(1, 2)', bytes(POINT)],
      ["st_geomfromtext('POINT(1 2)', 4326)", bytes(`0101000020e6100000${POINT.slice(10)}`)],
    ],
  },
  {
    sql: 'linestring',
    type: 'bytes',
    values: [["st_geomfromtext('LINESTRING(1 2, 1 2)')", bytes(`010200000002000000${POINT.slice(10).repeat(2)}`)]],
  },
  {
    sql: 'uuid',
    type: 'uuid',
    values: [["'0B0E8400-E29B-41D4-A716-446655440000'", '0b0e8400-e29b-41d4-a716-446655440000']],
  },
  { sql: 'inet4', type: 'text', values: same('192.0.2.1') },
  { sql: 'inet6', type: 'text', values: same('2001:db8::1') },
];
