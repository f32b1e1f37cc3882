import type { Value } from '../../lib/core/batch';
import type { ColumnType } from '../../lib/core/schema';

/** One type of PostgreSQL: how it is read, and values with the form they must have. */
export interface TypeCase {
  /** As it is written in CREATE TABLE. */
  readonly sql: string;
  readonly type: ColumnType;
  /** Without the dialect. */
  readonly native: string;
  /** Literals, and what they are read as; `undefined` is the literal itself. */
  readonly values: readonly (readonly [literal: string, read?: Value])[];
}

const same = (sql: string, ...literals: string[]): TypeCase => ({
  sql,
  type: 'text',
  native: sql,
  values: literals.map((literal) => [literal]),
});
const asText = (sql: string, ...values: TypeCase['values']): TypeCase => ({
  sql,
  type: 'text',
  native: 'text',
  values,
});

const LONG_NUMBER = `${'9'.repeat(130)}.${'123456789'.repeat(8)}`;

/** What must exist before the table. */
export const TYPE_SETUP = `
  create extension if not exists citext; create extension if not exists hstore;
  create schema odd;
  create type odd."Mood 'x'" as enum ('sad', 'o"k', 'ha,ppy');
  create type odd.point3 as (x int, "y z" text);
  create domain odd.cents as numeric(12,2) check (value >= 0);
  create domain odd.price as odd.cents;
  create domain odd.label as varchar(5);
  create type odd.span as range (subtype = float8);`;

/** Every type, with its extremes. */
export const TYPE_TABLE: readonly TypeCase[] = [
  {
    sql: 'boolean',
    type: 'bool',
    native: 'boolean',
    values: [
      ['t', true],
      ['f', false],
    ],
  },
  {
    sql: 'smallint',
    type: 'int32',
    native: 'smallint',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  {
    sql: 'integer',
    type: 'int32',
    native: 'integer',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
    ],
  },
  {
    sql: 'bigint',
    type: 'int64',
    native: 'bigint',
    values: [
      ['-9223372036854775808', -9223372036854775808n],
      ['9223372036854775807', 9223372036854775807n],
      ['0', 0n],
    ],
  },
  { sql: 'oid', type: 'int64', native: 'bigint', values: [['4294967295', 4294967295n]] },
  {
    sql: 'real',
    type: 'float64',
    native: 'real',
    values: [
      ['1.1', 1.1],
      ['NaN', Number.NaN],
      ['-Infinity', Number.NEGATIVE_INFINITY],
      ['3.4028235e38', 3.4028235e38],
      ['-0', -0],
    ],
  },
  {
    sql: 'double precision',
    type: 'float64',
    native: 'double precision',
    values: [
      ['0.1', 0.1],
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['5e-324', Number.MIN_VALUE],
      ['NaN', Number.NaN],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['-0', -0],
    ],
  },
  {
    sql: 'numeric',
    type: 'decimal',
    native: 'numeric',
    values: [
      ['NaN'],
      ['Infinity'],
      ['-Infinity'],
      [LONG_NUMBER],
      ['-0.000000000000000000000000000001'],
      ['1e30', `1${'0'.repeat(30)}`],
    ],
  },
  {
    sql: 'numeric(10,2)',
    type: 'decimal',
    native: 'numeric(10,2)',
    values: [['99999999.99'], ['-0.01'], ['5', '5.00']],
  },
  { sql: 'money', type: 'decimal', native: 'numeric', values: [['12.34'], ['-92233720368547758.08']] },
  {
    sql: 'text',
    type: 'text',
    native: 'text',
    values: [
      [''],
      ['\\N'],
      ['\\.'],
      ['tab\there\nline\r\vend\b\f'],
      ['back\\slash \\t \\x41'],
      ['é 漢字 🙂 \u{10ffff}'],
      ['{"a":1}'],
      [' '],
    ],
  },
  { sql: 'character varying(20)', type: 'text', native: 'character varying(20)', values: [['twenty characters ok']] },
  { sql: 'varchar', type: 'text', native: 'character varying', values: [['any']] },
  { sql: 'character(5)', type: 'text', native: 'character(5)', values: [['ab', 'ab   ']] },
  { sql: '"char"', type: 'text', native: 'text', values: [['x']] },
  { sql: 'name', type: 'text', native: 'text', values: [['pg_class']] },
  {
    sql: 'bytea',
    type: 'bytes',
    native: 'bytea',
    values: [
      ['\\x', Buffer.alloc(0)],
      ['\\x00ff5c0a09', Buffer.from([0, 255, 92, 10, 9])],
    ],
  },
  {
    sql: 'date',
    type: 'date',
    native: 'date',
    values: [['2024-02-29'], ['infinity'], ['-infinity'], ['0044-03-15 BC'], ['12024-01-01']],
  },
  {
    sql: 'time',
    type: 'time',
    native: 'time without time zone',
    values: [['00:00:00'], ['24:00:00'], ['23:59:59.999999']],
  },
  {
    sql: 'timestamp',
    type: 'timestamp',
    native: 'timestamp without time zone',
    values: [
      ['2024-01-01 00:00:00'],
      ['2024-12-31 23:59:59.999999'],
      ['infinity'],
      ['0001-01-01 00:00:00 BC'],
      ['294276-12-31 23:59:59.999999'],
      ['4713-01-01 00:00:00 BC'],
    ],
  },
  {
    sql: 'timestamp(3)',
    type: 'timestamp',
    native: 'timestamp(3) without time zone',
    values: [['2024-01-01 00:00:00.123']],
  },
  {
    sql: 'timestamptz',
    type: 'timestamptz',
    native: 'timestamp with time zone',
    values: [
      ['2024-01-01 12:00:00.000001+05:30', '2024-01-01 06:30:00.000001+00'],
      ['-infinity'],
      ['0044-03-15 12:00:00+00 BC'],
      ['12024-06-01 00:00:00+00'],
    ],
  },
  { ...same('timetz', '12:00:00+05:30', '24:00:00-15:59'), native: 'time with time zone' },
  same('interval', '1 year 2 mons -3 days +04:05:06.789', '-178000000 years', '00:00:00.000001'),
  { ...same('interval day to second(3)', '3 days 04:05:06.789'), native: 'interval day to second(3)' },
  {
    sql: 'uuid',
    type: 'uuid',
    native: 'uuid',
    values: [['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  },
  {
    sql: 'json',
    type: 'json',
    native: 'json',
    values: [['{"a": 1.10,  "a":12345678901234567890123456789012}'], ['null']],
  },
  {
    sql: 'jsonb',
    type: 'json',
    native: 'jsonb',
    values: [['{"n": 123456789012345678901234567890.12345678901234567890}'], ['"a\\u00e9\\n"', '"aé\\n"'], ['[]']],
  },
  same('inet', '192.168.0.1/24', '::1', '2001:db8::/32'),
  same('cidr', '10.0.0.0/8'),
  same('macaddr', '08:00:2b:01:02:03'),
  same('macaddr8', '08:00:2b:01:02:03:04:05'),
  same('bit(3)', '101'),
  { ...same('bit varying(8)', '', '10101'), native: 'bit varying(8)' },
  { ...same('varbit', '1'.repeat(70)), native: 'bit varying' },
  same('xml', '<a b="c">&amp;<!-- é --></a>'),
  same('tsvector', "'a':1A 'fat':2,4 'it''s':3"),
  same('tsquery', "'fat' & !'rat' | 'cat':*"),
  { ...same('jsonpath', '$."a"?(@ > 1)'), values: [['$.a ? (@ > 1)', '$."a"?(@ > 1)']] },
  same('pg_lsn', '16/B374D848'),
  same('point', '(1.5,-2)'),
  same('line', '{1,-1,0.1}'),
  same('lseg', '[(0,0),(1,1)]'),
  same('box', '(2,2),(0,0)'),
  same('path', '((0,0),(1,1),(2,0))', '[(0,0),(1,1)]'),
  same('polygon', '((0,0),(1,1),(2,0))'),
  same('circle', '<(1,1),2.5>'),
  same('int4range', '[1,10)', 'empty', '(,)'),
  same('numrange', '[1.5,)'),
  same('tstzrange', '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")'),
  same('daterange', '[2024-01-01,2024-02-01)'),
  same('int8multirange', '{[1,3),[5,9)}', '{}'),
  same('integer[]', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={5,6}', '{}'),
  same('text[]', '{a,"b \\"q\\" \\\\",NULL,"NULL","",é}'),
  { ...same('timestamptz[]', '{"2024-01-01 00:00:00+00"}'), native: 'timestamp with time zone[]' },
  same('numeric(6,2)[]', '{1.10,NaN}'),
  same('jsonb[]', '{"{\\"a\\": 1}"}'),
  { ...same('bytea[]', '{"\\\\x00ff"}') },
  { ...same('oid[]', '{4294967295}'), native: 'bigint[]' },
  { ...same('money[]', '{1.20}'), native: 'numeric[]' },
  { ...same('name[]', '{a}'), native: 'text' },
  asText(`odd."Mood 'x'"`, ['o"k'], ['ha,ppy']),
  asText(`odd."Mood 'x'"[]`, ['{sad,"o\\"k"}']),
  asText('odd.point3', ['(1,"a b")']),
  { sql: 'odd.price', type: 'decimal', native: 'numeric(12,2)', values: [['1234567890.50']] },
  { sql: 'odd.label', type: 'text', native: 'character varying(5)', values: [['abcde']] },
  asText('odd.cents[]', ['{1.50}']),
  asText('odd.span', ['[1.5,2)']),
  asText('citext', ['Case']),
  asText('hstore', ['"a"=>"1", "b"=>NULL']),
  asText('regclass', ['pg_class']),
  asText('xid', ['4294967295']),
  asText('xid8', ['18446744073709551615']),
];
