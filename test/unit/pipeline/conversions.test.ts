import fc from 'fast-check';
import { UNCHANGED, type Value } from '../../../lib/core/batch';
import type { ColumnType } from '../../../lib/core/schema';
import type { Conversion, ConversionName } from '../../../lib/core/transformations';
import { inUtc, plainUtc, readIso } from '../../../lib/pipeline/convert/iso-time';
import { plainDecimal } from '../../../lib/pipeline/convert/plain-decimal';
import { converted, pipe, pipelineOf, stream } from './pipe';

const FAILS = Symbol('fails');
type Given = ConversionName | Conversion;
type Case = readonly [from: ColumnType, value: Value, to: Given, wanted: Value | typeof FAILS];

const step = (to: Given) => ({ type: 'data_type_conversion' as const, conversions: { value: to } });
const iso = (more: Omit<Conversion, 'type'>): Conversion => ({ type: 'datetime', ...more });

const CASES: readonly Case[] = [
  ['text', '42', 'integer', 42],
  ['text', ' +42 ', 'integer', 42],
  ['text', '-2147483648', 'integer', -2_147_483_648],
  ['text', '2147483648', 'integer', FAILS],
  ['text', '42.000', 'integer', 42],
  ['text', '4.2e1', 'integer', 42],
  ['text', '42.5', 'integer', FAILS],
  ['text', '0x10', 'integer', FAILS],
  ['text', '1_000', 'integer', FAILS],
  ['text', 'abc', 'integer', FAILS],
  ['text', '', 'integer', null],
  ['text', '  ', 'integer', null],
  ['text', '', { type: 'integer', empty: 'fail' }, FAILS],
  ['text', '1,234,567', { type: 'integer', decimal_separator: '.' }, 1_234_567],
  ['text', '1.234.567,00', { type: 'integer', decimal_separator: ',' }, 1_234_567],
  ['int64', 2_147_483_648n, 'integer', FAILS],
  ['int64', 5n, 'integer', 5],
  ['float64', 5, 'integer', 5],
  ['float64', 5.5, 'integer', FAILS],
  ['float64', Number.NaN, 'integer', FAILS],
  ['bool', true, 'integer', 1],
  ['json', '"42"', 'integer', 42],
  ['json', '42', 'integer', 42],
  ['json', '{"a":1}', 'integer', FAILS],
  ['json', 'null', 'integer', null],
  ['text', '9223372036854775807', 'bigint', 9_223_372_036_854_775_807n],
  ['text', '9223372036854775808', 'bigint', FAILS],
  ['text', '-9223372036854775808', 'bigint', -9_223_372_036_854_775_808n],
  ['int32', 7, 'bigint', 7n],
  ['decimal', '12345678901234567.0', 'bigint', 12_345_678_901_234_567n],
  ['text', '00012.3400', 'decimal', '12.3400'],
  ['text', '-0.0', 'decimal', '0.0'],
  ['text', '1e-5', 'decimal', '0.00001'],
  ['text', '1.5E+3', 'decimal', '1500'],
  ['text', '.5', 'decimal', '0.5'],
  ['text', '5.', 'decimal', '5'],
  ['text', '.', 'decimal', FAILS],
  ['text', '1e99999', 'decimal', FAILS],
  ['text', 'NaN', 'decimal', 'NaN'],
  ['text', '1.234,56', { type: 'decimal', decimal_separator: ',' }, '1234.56'],
  ['text', '12345678901234567890.123456789012345678901', 'decimal', '12345678901234567890.123456789012345678901'],
  ['float64', 1e21, 'decimal', '1000000000000000000000'],
  ['float64', 1e-7, 'decimal', '0.0000001'],
  ['int64', -3n, 'decimal', '-3'],
  ['text', '0.1', 'float', 0.1],
  ['text', '1e400', 'float', FAILS],
  ['text', '-Infinity', 'float', Number.NEGATIVE_INFINITY],
  ['decimal', '0.30', 'float', 0.3],
  ['text', 'Yes', 'boolean', true],
  ['text', ' off ', 'boolean', false],
  ['text', 'perhaps', 'boolean', FAILS],
  ['int32', 1, 'boolean', true],
  ['int64', 0n, 'boolean', false],
  ['int32', 2, 'boolean', FAILS],
  ['text', 'ja', { type: 'boolean', true_values: ['Ja'], false_values: ['Nein'] }, true],
  ['text', 'yes', { type: 'boolean', true_values: ['Ja'], false_values: ['Nein'] }, FAILS],
  ['int64', 12n, 'string', '12'],
  ['bool', false, 'string', 'false'],
  ['json', '"a\\nb"', 'string', 'a\nb'],
  ['json', '{"a":1.50}', 'string', '{"a":1.50}'],
  ['json', 'null', 'string', null],
  ['bytes', Buffer.from('grün'), 'string', 'grün'],
  ['bytes', Uint8Array.of(0xff), 'string', FAILS],
  ['bytes', Uint8Array.of(0xff), { type: 'string', encoding: 'hex' }, 'ff'],
  ['timestamptz', '2024-01-31 10:00:00+00', 'string', '2024-01-31 10:00:00+00'],
  ['text', '{"a":[1,2.50]}', 'json', '{"a":[1,2.50]}'],
  ['text', '{a:1}', 'json', FAILS],
  ['text', '', 'json', null],
  ['decimal', '1.50', 'json', '1.50'],
  ['decimal', 'NaN', 'json', FAILS],
  ['date', '2024-01-31', 'json', '"2024-01-31"'],
  ['text', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['text', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['text', 'a0eebc99-9c0b', 'uuid', FAILS],
  ['text', 'grün', 'bytes', Buffer.from('grün')],
  ['text', '\\xDEad', { type: 'bytes', encoding: 'hex' }, Buffer.from('dead', 'hex')],
  ['text', 'abc', { type: 'bytes', encoding: 'hex' }, FAILS],
  ['text', '3q0=', { type: 'bytes', encoding: 'base64' }, Buffer.from('dead', 'hex')],
  ['text', '3q0!', { type: 'bytes', encoding: 'base64' }, FAILS],
  ['text', '2024-02-29', 'date', '2024-02-29'],
  ['text', '2023-02-29', 'date', FAILS],
  ['text', '2024-02-29T23:30:00-05:00', 'date', '2024-03-01'],
  ['text', '29.02.2024', { type: 'date', format: 'dd.MM.yyyy' }, '2024-02-29'],
  ['timestamptz', '2024-01-31 23:30:00+00', { type: 'date', time_zone: 'Europe/Berlin' }, '2024-02-01'],
  ['timestamp', '2024-01-31 23:30:00', 'date', '2024-01-31'],
  ['timestamp', '0044-03-15 12:00:00 BC', 'date', '0044-03-15 BC'],
  ['text', '2024-01-31T10:11:12.123456Z', 'datetime', '2024-01-31 10:11:12.123456+00'],
  ['text', '2024-01-31T10:11:12.100000Z', 'datetime', '2024-01-31 10:11:12.1+00'],
  ['text', '2024-01-31T10:11:12.1234567Z', 'datetime', FAILS],
  ['text', '2024-01-31T10:11:12.123456000Z', 'datetime', '2024-01-31 10:11:12.123456+00'],
  ['text', '2024-01-31 10:11:12+02', 'datetime', '2024-01-31 08:11:12+00'],
  ['text', '2024-01-01T00:30:00.5+05:45', 'datetime', '2023-12-31 18:45:00.5+00'],
  ['text', '2024-01-31', 'datetime', '2024-01-31 00:00:00+00'],
  ['text', '2024-01-31 10:11', 'datetime', '2024-01-31 10:11:00+00'],
  ['text', '2024-01-31 10:11:12', iso({ time_zone: 'Europe/Berlin' }), '2024-01-31 09:11:12+00'],
  ['text', '2024-07-31 10:11:12.000001', iso({ time_zone: 'Europe/Berlin' }), '2024-07-31 08:11:12.000001+00'],
  ['text', '2024-01-31T24:00:00Z', 'datetime', FAILS],
  ['text', '2024-13-01T00:00:00Z', 'datetime', FAILS],
  ['text', '0001-01-01T00:00:00+01:00', 'datetime', FAILS],
  ['text', '0050-01-01T01:00:00+01:00', 'datetime', '0050-01-01 00:00:00+00'],
  ['text', 'yesterday', 'datetime', FAILS],
  [
    'text',
    '31/01/2024 10:11',
    iso({ format: 'dd/MM/yyyy HH:mm', time_zone: 'America/New_York' }),
    '2024-01-31 15:11:00+00',
  ],
  ['text', '31 janv. 2024', iso({ format: 'd MMM yyyy', locale: 'fr' }), '2024-01-31 00:00:00+00'],
  ['text', '2024-01-31', iso({ format: ['dd/MM/yyyy', 'iso'] }), '2024-01-31 00:00:00+00'],
  ['int64', 1_706_695_872n, iso({ format: 'epoch_seconds' }), '2024-01-31 10:11:12+00'],
  ['float64', 1_706_695_872.5, iso({ format: 'epoch_seconds' }), '2024-01-31 10:11:12.5+00'],
  ['text', '1706695872123', iso({ format: 'epoch_milliseconds' }), '2024-01-31 10:11:12.123+00'],
  ['text', '-1.25', iso({ format: 'epoch_seconds' }), '1969-12-31 23:59:58.75+00'],
  ['decimal', '1706695872.1234567', iso({ format: 'epoch_seconds' }), FAILS],
  ['timestamp', '2024-01-31 10:11:12.5', 'datetime', '2024-01-31 10:11:12.5+00'],
  ['timestamp', 'infinity', 'datetime', 'infinity'],
  ['date', '2024-07-01', iso({ time_zone: 'Europe/Berlin' }), '2024-06-30 22:00:00+00'],
];

describe('data_type_conversion', () => {
  it.each(CASES)('makes of %s %p, %j: %p', async (from, value, to, wanted) => {
    const result = await converted(from, value, step(to));
    if (wanted === FAILS) expect(result).toEqual({ failed: expect.stringMatching(/^is (not|neither) /) });
    else expect(result).toEqual(wanted);
  });

  it('leaves NULL and what was not sent as it is', async () => {
    const schema = stream({ id: 'int32', value: 'text' });
    const { batch } = await pipe({ steps: [step('integer')] }, schema, [
      [1, null],
      [2, UNCHANGED],
    ]);
    expect(batch.rows).toEqual([
      [1, null],
      [2, UNCHANGED],
    ]);
    expect(batch.schema.columns[1]).toMatchObject({ name: 'value', type: 'int32', nullable: true });
  });

  it('keeps what was of the type already, and its native type', async () => {
    const schema = stream({ id: 'int32', value: 'timestamptz' });
    const { batch } = await pipe({ steps: [step('datetime')] }, schema, [[1, '2024-01-31 10:00:00+00']]);
    expect(batch.schema.columns[1]).toMatchObject({ type: 'timestamptz', native: 'test/timestamptz' });
  });

  it.each<[ColumnType, Given, RegExp]>([
    ['bytes', 'integer', /"value" holds bytes, which cannot become integer/],
    ['date', 'boolean', /holds date, which cannot become boolean/],
    ['int64', 'datetime', /"value" holds numbers: say what they count with "format"/],
    ['text', iso({ time_zone: 'Mars/Olympus' }), /"Mars\/Olympus" is no IANA time zone/],
    ['text', iso({ format: 'HH:mm' }), /"HH:mm" is no format of a whole date/],
    ['text', { type: 'boolean', true_values: ['x'], false_values: ['X'] }, /"X" is in true_values and in false_values/],
  ])('refuses %s to %j when it is bound', async (from, to, message) => {
    const pipeline = await pipelineOf({ steps: [step(to)] });
    expect(() => pipeline.bind(stream({ id: 'int32', value: from }))).toThrow(message);
  });

  it('converts the key of a deletion, and nothing else of it', async () => {
    const schema = stream({ id: 'text', value: 'text' });
    const steps = [
      { type: 'data_type_conversion' as const, conversions: { id: 'integer' as const, value: 'integer' as const } },
    ];
    const { batch, rejected } = await pipe({ steps }, schema, [['7', 'anything']], { ops: [2], load: false });
    expect(rejected).toEqual([]);
    expect(batch.rows[0]?.[0]).toBe(7);
    expect(batch.schema.key).toEqual(['id']);
  });

  it('never makes a key empty', async () => {
    const schema = stream({ id: 'text', value: 'text' });
    const steps = [{ type: 'data_type_conversion' as const, conversions: { id: 'integer' as const } }];
    for (const strategy of ['quarantine', 'null_field'] as const) {
      const { batch, rejected } = await pipe({ steps, handling: { strategy } }, schema, [
        ['', 'a'],
        ['x', 'b'],
      ]);
      expect(batch.rows).toEqual([]);
      expect(rejected).toHaveLength(2);
    }
  });

  it('gives a decimal the same value that it had, whatever its exponent', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: -40, max: 40 }),
        (digits, power) => {
          const plain = plainDecimal(`${digits}e${power}`) ?? '';
          const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
          const scaled = BigInt(whole + fraction.padEnd(40, '0'));
          const size = digits < 0n ? -digits : digits;
          expect(scaled).toBe(size * 10n ** BigInt(40 + power));
          expect(plain.startsWith('-')).toBe(digits < 0n);
        },
      ),
    );
  });

  it('reads a time the short way only as the long way does', () => {
    const digits = (size: number, most: number) =>
      fc.integer({ min: 0, max: most }).map((number) => String(number).padStart(size, '0'));
    const clock = [digits(2, 25), digits(2, 61), digits(2, 61)] as const;
    const time = fc.tuple(digits(4, 9999), digits(2, 13), digits(2, 32), fc.constantFrom('T', ' ', 'x'), ...clock);
    const end = fc.constantFrom('Z', '.Z', '.5Z', '.123450Z', '.000000Z', '.1234567Z', '.12x4Z', '', '+00');
    fc.assert(
      fc.property(time, end, ([year, month, day, between, hour, minute, second], rest) => {
        const text = `${year}-${month}-${day}${between}${hour}:${minute}:${second}${rest}`;
        const long = readIso(text);
        const short = plainUtc(text);
        if (short !== undefined) expect(short).toBe(long && inUtc(long, 0));
        else if (rest === 'Z' || rest === '.123450Z') expect(long).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
