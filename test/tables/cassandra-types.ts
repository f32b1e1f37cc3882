import type { Value } from '../../lib/core/batch';
import type { ColumnType } from '../../lib/core/schema';

/** A type of CQL with values that matter, each as a term of CQL and as it has to be read. */
export interface CassandraType {
  readonly cql: string;
  readonly type: ColumnType;
  /** As the catalog writes it; `cql` where it is absent. */
  readonly native?: string;
  readonly values: readonly (readonly [term: string, value: Value])[];
  /** Values that no destination has room for: they are only read. */
  readonly beyond?: readonly (readonly [term: string, value: Value])[];
}

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const text: CassandraType['values'] = [
  [`''`, ''],
  [`'it''s "é" 🙂'`, 'it\'s "é" 🙂'],
  [`'null'`, 'null'],
];

/** Made before the tables. */
export const CASSANDRA_UDT =
  'create type if not exists shop.address (street text, number int, "Zip" frozen<list<bigint>>)';

/** Every type but counters, which no other column stands beside. */
export const CASSANDRA_TYPES: readonly CassandraType[] = [
  {
    cql: 'ascii',
    type: 'text',
    values: [
      [`''`, ''],
      [`'a\tb'`, 'a\tb'],
      [`'~'`, '~'],
    ],
  },
  { cql: 'text', type: 'text', values: text },
  {
    cql: 'boolean',
    type: 'bool',
    values: [
      ['true', true],
      ['false', false],
    ],
  },
  {
    cql: 'tinyint',
    type: 'int32',
    values: [
      ['-128', -128],
      ['127', 127],
      ['0', 0],
    ],
  },
  {
    cql: 'smallint',
    type: 'int32',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  {
    cql: 'int',
    type: 'int32',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
    ],
  },
  {
    cql: 'bigint',
    type: 'int64',
    values: [
      ['-9223372036854775808', -(2n ** 63n)],
      ['9223372036854775807', 2n ** 63n - 1n],
      ['9007199254740993', 9007199254740993n],
    ],
  },
  {
    cql: 'varint',
    type: 'decimal',
    values: [
      ['-340282366920938463463374607431768211457', '-340282366920938463463374607431768211457'],
      [`${'9'.repeat(300)}`, '9'.repeat(300)],
      ['-1', '-1'],
      ['0', '0'],
      ['128', '128'],
    ],
  },
  {
    cql: 'decimal',
    type: 'decimal',
    values: [
      ['123456789012345678901234567890.12345678901234567890', '123456789012345678901234567890.12345678901234567890'],
      ['-0.00', '0.00'],
      ['1.50', '1.50'],
      ['-1e-30', `-0.${'0'.repeat(29)}1`],
      ['12e20', '1200000000000000000000'],
    ],
  },
  {
    cql: 'float',
    type: 'float64',
    values: [
      ['3.4028235E38', Math.fround(3.4028235e38)],
      ['1.4E-45', Math.fround(1.4e-45)],
      ['NaN', Number.NaN],
      ['-Infinity', -Infinity],
      ['0.1', Math.fround(0.1)],
    ],
  },
  {
    cql: 'double',
    type: 'float64',
    values: [
      ['1.7976931348623157E308', Number.MAX_VALUE],
      ['4.9E-324', 5e-324],
      ['NaN', Number.NaN],
      ['Infinity', Infinity],
      ['0.1', 0.1],
    ],
  },
  {
    cql: 'blob',
    type: 'bytes',
    values: [
      ['0x', bytes('')],
      ['0x00ff10', bytes('00ff10')],
    ],
  },
  {
    cql: 'date',
    type: 'date',
    values: [
      [`'1970-01-01'`, '1970-01-01'],
      [`'2024-02-29'`, '2024-02-29'],
      [`'0001-01-01'`, '0001-01-01'],
      [`'9999-12-31'`, '9999-12-31'],
      ['2147483647', '1969-12-31'],
    ],
    beyond: [
      ['0', '5877642-06-23 BC'],
      ['4294967295', '5881580-07-11'],
    ],
  },
  {
    cql: 'time',
    type: 'text',
    values: [
      [`'00:00:00'`, '00:00:00.000000000'],
      [`'23:59:59.999999999'`, '23:59:59.999999999'],
      [`'10:11:12.1'`, '10:11:12.100000000'],
    ],
  },
  {
    cql: 'timestamp',
    type: 'timestamptz',
    values: [
      ['0', '1970-01-01 00:00:00+00'],
      [`'2024-02-29 23:59:59.999+0200'`, '2024-02-29 21:59:59.999+00'],
      ['-1', '1969-12-31 23:59:59.999+00'],
      ['-62135596800001', '0001-12-31 23:59:59.999+00 BC'],
      ['253402300800000', '10000-01-01 00:00:00+00'],
    ],
    beyond: [
      ['9223372036854775807', '292278994-08-17 07:12:55.807+00'],
      ['-9223372036854775808', '292275056-05-16 16:47:04.192+00 BC'],
    ],
  },
  {
    cql: 'uuid',
    type: 'uuid',
    values: [
      ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'],
      ['FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF', 'ffffffff-ffff-4fff-bfff-ffffffffffff'],
    ],
  },
  {
    cql: 'timeuuid',
    type: 'uuid',
    values: [['50554d6e-29bb-11e5-b345-feff819cdc9f', '50554d6e-29bb-11e5-b345-feff819cdc9f']],
  },
  {
    cql: 'inet',
    type: 'text',
    values: [
      [`'127.0.0.1'`, '127.0.0.1'],
      [`'2001:db8::ff00:42:8329'`, '2001:db8::ff00:42:8329'],
      [`'::1'`, '::1'],
      [`'255.255.255.255'`, '255.255.255.255'],
    ],
  },
  {
    cql: 'duration',
    type: 'text',
    values: [
      ['1y2mo3w4d5h6m7s8ms9us10ns', '1y2mo25d5h6m7s8ms9us10ns'],
      ['-1mo2d3ns', '-1mo2d3ns'],
      ['0s', '0s'],
    ],
  },
  {
    cql: 'list<bigint>',
    type: 'json',
    values: [
      ['[9223372036854775807, -1, 9223372036854775807]', '[9223372036854775807, -1, 9223372036854775807]'],
      ['[]', null],
    ],
  },
  { cql: 'set<text>', type: 'json', values: [[`{'b', 'a"', ''}`, '["", "a\\"", "b"]']] },
  {
    cql: 'map<int, decimal>',
    type: 'json',
    values: [['{2: 1.10, 1: 12345678901234567890.5}', '{"1": 12345678901234567890.5, "2": 1.10}']],
  },
  {
    cql: 'map<text, frozen<map<text, blob>>>',
    type: 'json',
    values: [[`{'k': {'__proto__': 0x00ff}}`, '{"k": {"__proto__": "0x00ff"}}']],
  },
  {
    cql: 'frozen<list<int>>',
    type: 'json',
    values: [
      ['[]', '[]'],
      ['[3, 1]', '[3, 1]'],
    ],
  },
  {
    cql: 'tuple<int, text, uuid>',
    native: 'frozen<tuple<int, text, uuid>>',
    type: 'json',
    values: [[`(1, 'x', null)`, '[1, "x", null]']],
  },
  {
    cql: 'address',
    type: 'json',
    values: [
      [
        `{street: 'é', number: 1, "Zip": [9007199254740993]}`,
        '{"street": "é", "number": 1, "\\"Zip\\"": [9007199254740993]}',
      ],
    ],
  },
  {
    cql: 'frozen<address>',
    type: 'json',
    values: [[`{street: null, number: 7}`, '{"street": null, "number": 7, "\\"Zip\\"": null}']],
  },
  { cql: 'vector<float, 3>', type: 'json', values: [['[0.5, 1, -2]', '[0.5, 1.0, -2.0]']] },
];
