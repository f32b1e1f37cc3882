import { momentOf } from '../../../../lib/connectors/dynamodb/times';

const NOON = Date.UTC(2026, 0, 2, 12);
const HOUR = 3_600_000;

describe('the moment that an attribute tells', () => {
  it.each<[string, number, number]>([
    ['2026-01-02T12:00:00.000Z', NOON, 1],
    ['2026-01-02T12:00:00.123456Z', NOON + 123, 1],
    ['2026-01-02T12:00:00.1Z', NOON + 100, 100],
    ['2026-01-02T12:00:00Z', NOON, 1000],
    ['2026-01-02T13:00:00+01:00', NOON, 1000],
    ['2026-01-02 06:30:00-0530', NOON, 1000],
    ['2026-01-02T12:00Z', NOON, 60_000],
    ['2026-01-02T12:00:00', NOON - 14 * HOUR, 28 * HOUR + 1000],
    ['2026-01-02', NOON - 26 * HOUR, 52 * HOUR],
  ])('%s', (S, from, length) => {
    expect(momentOf({ S })).toEqual({ from, until: from + length });
  });

  it.each<[string, number, number]>([
    [String(NOON / 1000), NOON, 1000],
    [`${NOON / 1000}.25`, NOON + 250, 1],
    [String(NOON), NOON, 1],
    [`${NOON}123`, NOON, 1],
    [`${NOON}123456`, NOON, 1],
  ])('the number %s', (N, from, length) => {
    expect(momentOf({ N })).toEqual({ from, until: from + length });
  });

  it.each([
    { S: '' },
    { S: 'yesterday' },
    { S: '2026-1-2' },
    { S: '12:00:00' },
    { N: '7' },
    { N: '-1767355200' },
    { N: '1e30' },
    { BOOL: true },
    { NULL: true as const },
  ])('is none in %j', (value) => {
    expect(momentOf(value)).toBeUndefined();
  });
});
