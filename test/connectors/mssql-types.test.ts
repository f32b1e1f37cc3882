import type { CatalogColumn } from '../../lib/connectors/mssql/catalog';
import { type MssqlColumn, readColumn } from '../../lib/connectors/mssql/types';

// What SQL Server answers is taken from its documentation: nothing here was seen at a real server.
const read = (type: string, native = type, scale = 0, sevenDigits: 'text' | 'fail' = 'text'): MssqlColumn => {
  const source: CatalogColumn = { name: 'a]b', type, native, nullable: true, scale, collation: '', readable: true };
  return readColumn(source, { sevenDigits }, false);
};
const NAME = 't.[a]]b]';

describe('types', () => {
  it.each([
    ['bit', 'bit', 0, true, 'bool', true],
    ['tinyint', 'tinyint', 0, 255, 'int32', 255],
    ['int', 'int', 0, -2147483648, 'int32', -2147483648],
    ['bigint', 'bigint', 0, '-9223372036854775808', 'int64', -9223372036854775808n],
    ['float', 'float', 0, 5e-324, 'float64', 5e-324],
    [
      'decimal',
      'decimal(38,10)',
      10,
      '9999999999999999999999999999.0123456789',
      'decimal',
      '9999999999999999999999999999.0123456789',
    ],
    ['money', 'money', 4, '-922337203685477.5808', 'decimal', '-922337203685477.5808'],
    ['nchar', 'nchar(4)', 0, 'é🙂 ', 'text', 'é🙂 '],
    [
      'uniqueidentifier',
      'uniqueidentifier',
      0,
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
      'uuid',
      '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    ],
    ['date', 'date', 0, '9999-12-31', 'date', '9999-12-31'],
    ['time', 'time(3)', 3, '23:59:59.120', 'time', '23:59:59.12'],
    ['time', 'time(7)', 7, '23:59:59.1234567', 'text', '23:59:59.1234567'],
    ['datetime', 'datetime', 3, '1753-01-01 00:00:00.000', 'timestamp', '1753-01-01 00:00:00'],
    ['smalldatetime', 'smalldatetime', 0, '2079-06-06 23:59:00', 'timestamp', '2079-06-06 23:59:00'],
    ['datetime2', 'datetime2(6)', 6, '0001-01-01 00:00:00.000001', 'timestamp', '0001-01-01 00:00:00.000001'],
    ['datetime2', 'datetime2(7)', 7, '9999-12-31 23:59:59.9999999', 'text', '9999-12-31 23:59:59.9999999'],
    ['datetimeoffset', 'datetimeoffset(6)', 6, '2026-01-01 10:00:00.500000', 'timestamptz', '2026-01-01 10:00:00.5+00'],
    ['hierarchyid', 'hierarchyid', 0, '/1/2/', 'text', '/1/2/'],
    ['xml', 'xml', 0, '<a/>', 'text', '<a/>'],
  ] as const)('%s as %s', (type, native, scale, cell, kind, value) => {
    const { column, decode } = read(type, native, scale);
    expect(column).toEqual({ name: 'a]b', type: kind, nullable: true, native: `mssql/${native}` });
    expect(decode(cell)).toEqual(value);
  });

  it('are selected so that nothing is rounded', () => {
    expect(read('money').expression).toBe(`convert(varchar(30), ${NAME}, 2)`);
    expect(read('decimal', 'decimal(38,0)').expression).toBe(`convert(varchar(41), ${NAME})`);
    expect(read('datetime2', 'datetime2(7)', 7).expression).toBe(`convert(varchar(27), ${NAME}, 121)`);
    expect(read('datetimeoffset', 'datetimeoffset(7)', 7).expression).toContain(
      `convert(datetime2(7), switchoffset(${NAME}, '+00:00'))`,
    );
    expect(read('geography').expression).toContain('STSrid');
    expect(read('sql_variant').expression).toContain('sql_variant_property');
  });

  it('are compared as the column, with bound values', () => {
    expect(read('timestamp').bind('00000000000007d1')).toEqual({
      text: 'convert(binary(8), \u0000, 2)',
      values: ['00000000000007d1'],
    });
    expect(read('datetimeoffset', 'datetimeoffset(7)', 7).bind('2026-01-01 10:00:00.5+00')).toEqual({
      text: 'convert(datetimeoffset(7), \u0000, 121)',
      values: ['2026-01-01 10:00:00.5 +00:00'],
    });
    const source: CatalogColumn = {
      name: 'n',
      type: 'varchar',
      native: 'varchar(10)',
      nullable: false,
      scale: 0,
      collation: 'Greek_CI_AS',
      readable: true,
    };
    expect(readColumn(source, { sevenDigits: 'text' }, true).bind('ω').text).toBe(
      'convert(varchar(10), \u0000 collate Greek_CI_AS)',
    );
  });

  it('with a seventh digit are kept as text, or refused', () => {
    const { column, decode } = read('datetime2', 'datetime2(7)', 7, 'fail');
    expect(column.type).toBe('timestamp');
    expect(decode('2026-01-01 00:00:00.1234560')).toBe('2026-01-01 00:00:00.123456');
    expect(() => decode('2026-01-01 00:00:00.1234567')).toThrow('seventh digit');
  });
});
