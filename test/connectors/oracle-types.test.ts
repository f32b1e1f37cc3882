import { BaseBuffer } from 'oracledb/lib/impl/datahandlers/buffer.js';
import resultSet from 'oracledb/lib/impl/resultset.js';
import type { CatalogColumn } from '../../lib/connectors/oracle/catalog';
import { asDecimal } from '../../lib/connectors/oracle/decode';
import { fetchAs, oracledb } from '../../lib/connectors/oracle/driver';
import { type OracleColumn, readColumn } from '../../lib/connectors/oracle/types';
import { textOf } from '../../lib/connectors/shared/sql/relation';

// What Oracle answers is taken from its documentation: nothing here was seen at a real server.
type Numbers = Pick<CatalogColumn, 'precision' | 'scale'>;
const read = (type: string, numbers: Numbers = {}, nanoseconds: 'text' | 'fail' = 'text'): OracleColumn => {
  const source: CatalogColumn = { name: 'a b', type, native: type, nullable: true, ...numbers };
  const column = readColumn(source, { nanoseconds }, false);
  if (column === undefined) throw new Error(`${type} is not read`);
  return column;
};
const NAME = 't."a b"';
const DIGITS = '9'.repeat(40);

describe('types', () => {
  it.each([
    ['NUMBER', { precision: 9, scale: 0 }, '-999999999', 'int32', -999999999],
    ['NUMBER', { precision: 18, scale: 0 }, '999999999999999999', 'int64', 999999999999999999n],
    ['NUMBER', { precision: 8, scale: -2 }, '9999999900', 'int64', 9999999900n],
    ['NUMBER', { precision: 19, scale: 0 }, '9999999999999999999', 'decimal', '9999999999999999999'],
    ['NUMBER', { scale: 0 }, DIGITS, 'decimal', DIGITS],
    ['NUMBER', {}, `.${'0'.repeat(129)}1`, 'decimal', `0.${'0'.repeat(129)}1`],
    ['NUMBER', { precision: 38, scale: 127 }, '-.5', 'decimal', '-0.5'],
    ['NUMBER', { precision: 12, scale: 2 }, '2.5', 'decimal', '2.5'],
    ['FLOAT', { precision: 126 }, '.1', 'decimal', '0.1'],
    ['BINARY_DOUBLE', {}, 1.7976931348623157e308, 'float64', 1.7976931348623157e308],
    ['BINARY_FLOAT', {}, Number.NaN, 'float64', Number.NaN],
    ['BOOLEAN', {}, false, 'bool', false],
    ['CHAR', {}, 'é🙂 ', 'text', 'é🙂 '],
    ['RAW', {}, Buffer.from([0, 255]), 'bytes', Buffer.from([0, 255])],
    ['DATE', {}, ' 9999-12-31 23:59:59', 'timestamp', '9999-12-31 23:59:59'],
    ['DATE', {}, '-4712-01-01 00:00:00', 'timestamp', '4712-01-01 00:00:00 BC'],
    ['TIMESTAMP', { scale: 6 }, ' 0001-01-01 00:00:00.000001000', 'timestamp', '0001-01-01 00:00:00.000001'],
    ['TIMESTAMP', { scale: 0 }, ' 2026-01-01 10:00:00.000000000', 'timestamp', '2026-01-01 10:00:00'],
    ['TIMESTAMP', { scale: 9 }, ' 2026-01-01 10:00:00.123456789', 'text', '2026-01-01 10:00:00.123456789'],
    [
      'TIMESTAMP WITH TIME ZONE',
      { scale: 3 },
      ' 2026-01-01 09:00:00.500000000',
      'timestamptz',
      '2026-01-01 09:00:00.5+00',
    ],
    [
      'TIMESTAMP WITH LOCAL TIME ZONE',
      { scale: 6 },
      '-0001-01-01 00:00:00.000000000',
      'timestamptz',
      '0001-01-01 00:00:00+00 BC',
    ],
    ['INTERVAL DAY TO SECOND', { scale: 6 }, '+000000005 04:05:06.000007', 'text', '+000000005 04:05:06.000007'],
    ['JSON', {}, '{"a":0.10000000000000000001}', 'json', '{"a":0.10000000000000000001}'],
    ['VECTOR', {}, '[1.5E+000,2.0E+000]', 'json', '[1.5E+000,2.0E+000]'],
    ['XMLTYPE', {}, '<a/>', 'text', '<a/>'],
  ] as const)('%s %j as it is', (type, numbers, cell, kind, value) => {
    const { column, decode } = read(type, numbers);
    expect(column).toEqual({ name: 'a b', type: kind, nullable: true, native: `oracle/${type}` });
    expect(decode(cell)).toEqual(value);
  });

  it('are selected so that nothing is rounded', () => {
    expect(read('DATE').expression).toBe(`to_char(${NAME}, 'SYYYY-MM-DD HH24:MI:SS')`);
    expect(read('TIMESTAMP').expression).toBe(`to_char(${NAME}, 'SYYYY-MM-DD HH24:MI:SS.FF9')`);
    expect(read('TIMESTAMP WITH TIME ZONE').expression).toContain(`sys_extract_utc(${NAME})`);
    expect(read('JSON').expression).toBe(`json_serialize(${NAME} returning clob)`);
    expect(read('NUMBER').expression).toBe(NAME);
  });

  it('that nothing can be made of are not read', () => {
    for (const type of ['BFILE', 'SDO_GEOMETRY', 'toString']) {
      expect(
        readColumn({ name: 'x', type, native: type, nullable: true }, { nanoseconds: 'text' }, false),
      ).toBeUndefined();
    }
  });

  it('are compared as the column, with bound values', () => {
    const format = 'SYYYY-MM-DD HH24:MI:SS.FF9';
    const bindings = [
      [read('NUMBER', { precision: 9, scale: 0 }), '-12', 'to_number(\u0000)', '-12'],
      [read('RAW'), '00ff', 'hextoraw(\u0000)', '00ff'],
      [read('DATE'), '4712-01-01 00:00:00 BC', `to_date(\u0000, 'SYYYY-MM-DD HH24:MI:SS')`, '-4712-01-01 00:00:00'],
      [
        read('TIMESTAMP'),
        '2026-01-01 10:00:00.5',
        `to_timestamp(\u0000, '${format}')`,
        '2026-01-01 10:00:00.500000000',
      ],
      [
        read('TIMESTAMP WITH TIME ZONE'),
        '2026-01-01 10:00:00+00',
        `from_tz(to_timestamp(\u0000, '${format}'), '+00:00')`,
        '2026-01-01 10:00:00.000000000',
      ],
      [read('NVARCHAR2'), 'a\\ω🙂', 'unistr(\u0000)', 'a\\005c\\03c9\\d83d\\de42'],
      [read('VARCHAR2'), `'; drop`, '\u0000', `'; drop`],
    ] as const;
    for (const [column, text, sql, value] of bindings)
      expect(column.bind(text)).toEqual({ text: sql, values: [value] });
  });

  it('come back as they were read', () => {
    for (const cell of [' 2026-01-01 10:00:00.123456000', '-0044-03-15 12:00:00.000000000']) {
      const { decode, bind } = read('TIMESTAMP');
      expect(bind(textOf(decode(cell))).values).toEqual([cell.trimStart()]);
    }
  });

  it('with more than six digits of a second are kept as text, or refused', () => {
    const { column, decode } = read('TIMESTAMP', { scale: 9 }, 'fail');
    expect(column.type).toBe('timestamp');
    expect(decode(' 2026-01-01 00:00:00.123456000')).toBe('2026-01-01 00:00:00.123456');
    expect(() => decode(' 2026-01-01 00:00:00.123456001')).toThrow('more than six digits');
  });
});

describe('the driver', () => {
  const number = (hex: string) => asDecimal(BaseBuffer.prototype.parseOracleNumber(Buffer.from(hex, 'hex')));

  it('has every digit of a NUMBER, as Oracle sends it', () => {
    expect(['80', 'c102', 'c202182e', '3e6466', 'c033', '3f3366', 'c3020102'].map(number)).toEqual([
      '0',
      '1',
      '123.45',
      '-1',
      '0.5',
      '-0.5',
      '10001',
    ]);
    expect(number(`d4${'64'.repeat(20)}`)).toBe('9'.repeat(40));
    expect(number(`c1${'64'.repeat(20)}`)).toBe(`99.${'9'.repeat(38)}`);
    expect(number('8002')).toBe(`0.${'0'.repeat(129)}1`);
    expect([number('ff65'), number('00')]).toEqual(['Infinity', '-Infinity']);
  });

  it('gives text for numbers and large texts, and bytes for large bytes', () => {
    const fetched = (type: string) => {
      const column = { name: 'C', dbType: (oracledb as unknown as Record<string, never>)[`DB_TYPE_${type}`] as never };
      const determined: { name: string; dbType: never; fetchType?: { name: string }; converter?: unknown } = column;
      resultSet.prototype._determineFetchType(determined as never, { fetchTypeHandler: fetchAs }, []);
      return [determined.fetchType?.name, determined.converter];
    };
    const types = [
      'NUMBER',
      'CLOB',
      'NCLOB',
      'BLOB',
      'VARCHAR',
      'NVARCHAR',
      'LONG',
      'RAW',
      'LONG_RAW',
      'BINARY_DOUBLE',
      'BOOLEAN',
    ];
    expect(types.map(fetched)).toEqual(
      [
        'DB_TYPE_VARCHAR',
        'DB_TYPE_LONG',
        'DB_TYPE_LONG_NVARCHAR',
        'DB_TYPE_LONG_RAW',
        'DB_TYPE_VARCHAR',
        'DB_TYPE_NVARCHAR',
        'DB_TYPE_LONG',
        'DB_TYPE_RAW',
        'DB_TYPE_LONG_RAW',
        'DB_TYPE_BINARY_DOUBLE',
        'DB_TYPE_BOOLEAN',
      ].map((name) => [name, undefined]),
    );
  });
});
