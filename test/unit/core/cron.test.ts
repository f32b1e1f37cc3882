import fc from 'fast-check';
import { scheduleExpressions } from '../../../lib/adapters/aws/schedule-expression';
import { parseCron } from '../../../lib/core/cron';
import { awsTicks } from '../adapters/aws-cron';

const parse = (cron: string, timeZone = 'UTC') => parseCron({ integration: 'orders', cron, timeZone });

describe('a schedule', () => {
  it.each([
    ['@daily', '2026-01-02T00:00'],
    ['@HOURLY', '2026-01-01T01:00'],
    ['0 6 * * 7', '2026-01-04T06:00'],
    ['0 6 * * fri-sun', '2026-01-02T06:00'],
    ['0 0 */1 * 1', '2026-01-05T00:00'],
    ['0 0 1-31 * 1', '2026-01-02T00:00'],
    ['0 0 1 */3 *', '2026-04-01T00:00'],
    ['  07 06\t* * * ', '2026-01-01T06:07'],
  ])('%j ticks first at %s', (cron, first) => {
    expect(parse(cron).nextRun(new Date('2026-01-01T00:00Z'))?.toISOString().slice(0, 16)).toBe(first);
  });

  it.each([
    ['0 0 L * *', 'the day of month "L" has "L", "W" or "#", which five-field cron does not have', 'List the days'],
    ['0 0 15W * *', 'the day of month "15W" has "L", "W" or "#"', 'List the days'],
    ['0 0 * * 5#2', 'the weekday "5#2" has "L", "W" or "#"', 'List the days'],
    ['0 0 ? * 1', 'the day of month "?"', 'Write "*"'],
    ['0 0 */2 * 1', 'wants day of month and weekday at once', 'Write "*" in one of the two fields'],
    ['0 0 31 4,6,9,11 *', 'never comes due', 'No such month'],
    ['*/30 * * * * *', 'has 6 fields; five are needed', 'seconds'],
    [`${Array.from({ length: 100 }, () => '10').join(',')} * * * *`, 'is too long', 'Use ranges'],
  ])('refuses %j, in every home', (cron, problem, remedy) => {
    expect(() => parse(cron)).toThrow(
      expect.objectContaining({
        kind: 'config',
        code: 'invalid_cron',
        issues: [{ path: 'sync_settings.schedule', message: expect.stringContaining(problem) }],
        hint: expect.stringContaining(remedy),
      }),
    );
  });

  it.each(['', 'Mars/Olympus', '+01:00', '5'])('refuses the time zone %j', (timeZone) => {
    expect(() => parse('0 6 * * *', timeZone)).toThrow(
      expect.objectContaining({
        code: 'invalid_cron',
        issues: [{ path: 'sync_settings.time_zone', message: expect.stringContaining('no IANA time zone') }],
      }),
    );
  });
});

describe('both homes', () => {
  const between = (min: number, max: number) => fc.integer({ min, max });
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    between(1, 12).map((step) => `*/${step}`),
    between(0, 60).map(String),
    fc.tuple(between(0, 31), between(0, 31), between(0, 9)).map(([a, b, step]) => `${a}-${b}/${step}`),
    fc.array(between(0, 24), { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
    fc.constantFrom('L', '15W', '5#2', '?', 'MON', 'jan', '5/10', '@daily', ''),
  );
  const expression = fc.tuple(part, part, part, part, part).map((parts) => parts.join(' '));
  const from = Date.UTC(2026, 0, 1);

  it('refuse the same expressions, and tick at the same minutes by the others', () => {
    let understood = 0;
    const check = (cron: string) => {
      const expressions = outcome(() => scheduleExpressions({ integration: 'orders', cron }));
      const ticks = outcome(() => parse(cron).nextRuns(20, new Date(from)));
      if (expressions.error !== undefined || ticks.error !== undefined) {
        expect(ticks.error).toBe(expressions.error);
        return;
      }
      understood++;
      const all = new Set(expressions.value?.flatMap((one) => awsTicks(one, from, 20)));
      const inCloud = [...all].sort((a, b) => a - b).slice(0, 20);
      expect(ticks.value?.map(Number).slice(0, inCloud.length)).toEqual(inCloud);
      expect(inCloud.length).toBeGreaterThan(0);
    };
    fc.assert(fc.property(expression, check), { numRuns: 1500 });
    expect(understood).toBeGreaterThan(100);
  });

  function outcome<T>(work: () => T): { readonly value?: T; readonly error?: string } {
    try {
      return { value: work() };
    } catch (error) {
      return { error: String(error) };
    }
  }
});
