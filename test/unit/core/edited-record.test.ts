import { Op, type Row, UNCHANGED, type Value } from '../../../lib/core/batch';
import { editedRow } from '../../../lib/core/edited-record';
import type { Json } from '../../../lib/core/json';
import type { ColumnType } from '../../../lib/core/schema';

const column = (name: string, type: ColumnType, nullable = true) => ({ name, type, nullable, native: `test/${type}` });

function edit(type: ColumnType, given: Json): Value | undefined {
  const schema = { stream: 's', columns: [column('id', 'int64', false), column('value', type)], key: ['id'] };
  return editedRow({ row: [1n, null], schema, op: Op.Insert }, { value: given })[1];
}

describe('an edited field', () => {
  it.each<[ColumnType, Json, Value]>([
    ['bool', true, true],
    ['bool', 'false', false],
    ['int32', 42, 42],
    ['int32', '-2147483648', -2147483648],
    ['int64', '9223372036854775807', 9223372036854775807n],
    ['int64', 5, 5n],
    ['float64', 'NaN', Number.NaN],
    ['float64', '1.5e3', 1500],
    ['decimal', '12345678901234567890.50', '12345678901234567890.50'],
    ['decimal', 12.5, '12.5'],
    ['text', '42', '42'],
    ['bytes', '\\x00fF', new Uint8Array([0, 255])],
    ['date', '2026-01-31', '2026-01-31'],
    ['date', 'infinity', 'infinity'],
    ['time', '24:00:00', '24:00:00'],
    ['timestamp', '0044-03-15 12:00:00.5 BC', '0044-03-15 12:00:00.5 BC'],
    ['timestamptz', '2026-01-31 10:00:00+00', '2026-01-31 10:00:00+00'],
    ['uuid', '00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000'],
    ['json', { a: [1] }, '{"a":[1]}'],
    ['json', '{"a": 1.00}', '{"a": 1.00}'],
    ['json', 5, '5'],
    ['text', null, null],
  ])('of %s takes %j', (type, given, expected) => expect(edit(type, given)).toEqual(expected));

  it.each<[ColumnType, Json]>([
    ['bool', 1],
    ['int32', 2147483648],
    ['int32', 1.5],
    ['int64', '9223372036854775808'],
    ['int64', 2 ** 60],
    ['float64', 'many'],
    ['decimal', '1,5'],
    ['text', 42],
    ['text', { a: 1 }],
    ['bytes', '00ff'],
    ['date', '31.01.2026'],
    ['timestamp', '2026-01-31T10:00:00'],
    ['timestamptz', '2026-01-31 10:00:00+02'],
    ['uuid', 'ABCDEFAB-0000-4000-8000-000000000000'],
    ['json', '{"a":'],
  ])('of %s refuses %j', (type, given) => {
    expect(() => edit(type, given)).toThrow(
      expect.objectContaining({
        kind: 'config',
        code: 'invalid_record',
        issues: [{ path: 'value', message: expect.any(String) }],
      }),
    );
  });
});

describe('an edited record', () => {
  const columns = [column('id', 'int64', false), column('name', 'text', false), column('big', 'text')];
  const schema = { stream: 's', columns, key: ['id'] };

  it('keeps what is not named, also what the source left out', () => {
    const row: Row = [1n, 'a', UNCHANGED];
    expect(editedRow({ row, schema, op: Op.Update }, { name: 'b' })).toEqual([1n, 'b', UNCHANGED]);
    expect(row).toEqual([1n, 'a', UNCHANGED]);
  });

  it('gets a key only where it has none', () => {
    expect(editedRow({ row: [null, 'a', null], schema, op: Op.Insert }, { id: '7' })).toEqual([7n, 'a', null]);
    expect(() => editedRow({ row: [1n, 'a', null], schema, op: Op.Insert }, { id: '7' })).toThrow(/id: is the key/);
  });

  it('names every field that is wrong, and what it may have been', () => {
    const wrong = () => editedRow({ row: [1n, 'a', null], schema, op: Op.Insert }, { name: null, bgi: 'x', other: 1 });
    expect(wrong).toThrow(
      /name: expected text; bgi: unknown field; did you mean "big"\?; other: unknown field; there are/,
    );
  });
});
