import * as fc from 'fast-check';
import { RECORD_ID, REST } from '../../../../lib/core/schema';
import { columnName, quoted, shadowName, tableName } from '../../../../lib/destinations/postgresql/names';

describe('tableName', () => {
  it.each([
    ['orders', 'orders'],
    ['Orders', 'Orders'],
    ['public.orders', 'public__orders'],
    ['straße.größe', 'straße__größe'],
    ['हिन्दी', 'हिन्दी'],
  ])('keeps %s as %s', (stream, table) => expect(tableName(stream)).toBe(table));

  it.each([
    'a b',
    'a__b',
    'a_.b',
    'a._b',
    'a..b',
    '',
    '\u{1f600}',
    '_explorerio_positions',
    'x'.repeat(64),
    'a_0123abcd',
  ])('adds a hash to %j', (stream) => expect(tableName(stream)).toMatch(/^.*_[0-9a-f]{8}$/u));

  it('fits, and tells streams apart that only differ at their odd places', () => {
    const part = fc.constantFrom('a', '_', '.', ' ', 'ä', '\u{1f600}', '"', '0', '_explorerio_');
    const stream = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(stream, stream, (left, right) => {
        expect(Buffer.byteLength(tableName(left))).toBeLessThanOrEqual(63);
        if (left !== right) expect(tableName(left)).not.toBe(tableName(right));
      }),
    );
  });

  it('never gives the name of a shadow or of our own tables', () => {
    const shadow = shadowName('orders', 'load');
    expect(tableName(shadow)).not.toBe(shadow);
    expect(shadowName('orders', 'other')).not.toBe(shadow);
    expect(tableName('_explorerio_tables')).not.toBe('_explorerio_tables');
  });
});

describe('columnName', () => {
  it.each(['a.b', 'sp ace', '\u{1f600}', 'a__b', RECORD_ID, REST, 'x'.repeat(63)])('keeps %j', (name) =>
    expect(columnName(name)).toBe(name),
  );

  it('changes what is too long, reserved or no name, on whole characters', () => {
    expect(columnName('ä'.repeat(40))).toMatch(/^ä{27}_[0-9a-f]{8}$/);
    expect(columnName('_explorerio_synced_at')).toMatch(/^_explorerio_synced_at_[0-9a-f]{8}$/);
    expect(columnName('')).toMatch(/^_[0-9a-f]{8}$/);
    expect(columnName('a\0b')).toMatch(/^a_b_[0-9a-f]{8}$/);
  });
});

it('quotes identifiers', () => expect(quoted('a"b')).toBe('"a""b"'));
