import { Cron } from 'croner';
import fc from 'fast-check';
import { scheduleExpressions } from '../../../lib/adapters/aws/schedule-expression';
import { Fault } from '../../../lib/core/fault';
import { awsTicks } from './aws-cron';

const translate = (cron: string) => scheduleExpressions({ integration: 'orders', cron });

describe('five-field cron becomes', () => {
  it.each([
    ['0 */6 * * *', 'cron(0 0/6 * * ? *)'],
    ['0 2 * * *', 'cron(0 2 * * ? *)'],
    ['* * * * *', 'cron(* * * * ? *)'],
    ['*/5 * * * *', 'cron(0/5 * * * ? *)'],
    ['*/7 * * * *', 'cron(0/7 * * * ? *)'],
    ['*/90 * * * *', 'cron(0 * * * ? *)'],
    ['5-59/10 * * * *', 'cron(5/10 * * * ? *)'],
    ['0 8-18/2 * * *', 'cron(0 8,10,12,14,16,18 * * ? *)'],
    ['0 0 * * 0', 'cron(0 0 ? * 1 *)'],
    ['0 0 * * 7', 'cron(0 0 ? * 1 *)'],
    ['30 4 * * 1-5', 'cron(30 4 ? * 2-6 *)'],
    ['30 4 * * MON-FRI', 'cron(30 4 ? * 2-6 *)'],
    ['0 9 * * 5-7', 'cron(0 9 ? * 1,6,7 *)'],
    ['0 0 * * */2', 'cron(0 0 ? * 1,3,5,7 *)'],
    ['0 0 * * 1-5/2', 'cron(0 0 ? * 2,4,6 *)'],
    ['0 0 * * 0-6', 'cron(0 0 * * ? *)'],
    ['15 10 1 * *', 'cron(15 10 1 * ? *)'],
    ['0 0 1,15 * *', 'cron(0 0 1,15 * ? *)'],
    ['0 0 1,15 * 1', 'cron(0 0 1,15 * ? *)', 'cron(0 0 ? * 2 *)'],
    ['0 0 13 * 5', 'cron(0 0 13 * ? *)', 'cron(0 0 ? * 6 *)'],
    ['0 0 1-31 * 1', 'cron(0 0 * * ? *)'],
    ['0 0 */2 * *', 'cron(0 0 1/2 * ? *)'],
    ['0 0 */1 * 1', 'cron(0 0 ? * 2 *)'],
    ['0 0 1 */3 *', 'cron(0 0 1 1/3 ? *)'],
    ['0 0 1 JAN,jul *', 'cron(0 0 1 1,7 ? *)'],
    ['0 0 29 2 *', 'cron(0 0 29 2 ? *)'],
    ['@daily', 'cron(0 0 * * ? *)'],
    ['@hourly', 'cron(0 * * * ? *)'],
    ['@weekly', 'cron(0 0 ? * 1 *)'],
    // Beyond the table: the days that no month has are left out of one that ticks on weekdays anyway.
    ['0 0 30 2 1', 'cron(0 0 ? 2 2 *)'],
    ['0 9 * * fri-sun', 'cron(0 9 ? * 1,6,7 *)'],
    ['  07 06\t* * * ', 'cron(7 6 * * ? *)'],
    ['0,1,3-5 * * * *', 'cron(0,1,3,4,5 * * * ? *)'],
  ])('%j: %s %s', (cron, ...expressions) => {
    expect(translate(cron)).toEqual(expressions);
  });
});

describe('refused is', () => {
  it.each([
    ['0 0 */2 * 1', 'day of month', 'Write "*" in one of the two fields'],
    ['0 0 1 * */2', 'weekday begins with "*"', 'Write "*" in one of the two fields'],
    ['0 0 31 2 *', '"0 0 31 2 *" never comes due', 'No such month has that day of month.'],
    ['0 0 30,31 2 *', 'never comes due', 'No such month has that day of month.'],
    ['0 0 31 4,6,9,11 *', 'never comes due', 'No such month has that day of month.'],
    ['0 0 L * *', 'the day of month "L"', 'List the days'],
    ['0 0 15W * *', 'the day of month "15W"', 'List the days'],
    ['0 0 * * 5#2', 'the weekday "5#2"', 'List the days'],
    ['0 0 * * FRI#2', 'the weekday "FRI#2"', 'List the days'],
    ['0 0 * * 5L', 'the weekday "5L"', 'List the days'],
    ['0 0 ? * 1', 'the day of month "?"', 'Write "*"'],
    ['60 * * * *', 'the minute "60" is not between 0 and 59', 'Give a value in that range.'],
    ['* 24 * * *', 'the hour "24" is not between 0 and 23', 'Give a value in that range.'],
    ['0 0 0 * *', 'the day of month "0" is not between 1 and 31', 'Give a value in that range.'],
    ['0 0 1 13 *', 'the month "13" is not between 1 and 12', 'Give a value in that range.'],
    ['0 0 * * 8', 'the weekday "8" is not between 0 and 7', 'Give a value in that range.'],
    ['0 22-2 * * *', 'the hour "22-2" has a range that goes backwards', '"22-23,0-2"'],
    ['0 0 * * 6-1', 'the weekday "6-1" has a range that goes backwards', '"6,0-1"'],
    ['5/10 * * * *', 'the minute "5/10" has a step after a single value', '"5-59/10"'],
    ['*/0 * * * *', 'the minute "*/0" has a step of 0', 'Give a step of 1 or more.'],
    ['*/-5 * * * *', 'the minute "*/-5" is not understood', 'Give numbers from 0 to 59'],
    ['-5 * * * *', 'the minute "-5" is not understood', 'Give numbers from 0 to 59'],
    ['1, * * * *', 'the minute "1," is not understood', 'Give numbers from 0 to 59'],
    ['1.5 * * * *', 'the minute "1.5" is not understood', 'Give numbers from 0 to 59'],
    ['0 0 * mon *', 'the month "mon" is not understood', 'names such as JAN'],
    ['0 0 * * *-5', 'the weekday "*-5" is not understood', 'names such as SUN'],
    ['0 0 * * jan', 'the weekday "jan" is not understood', 'names such as SUN'],
    ['0 0 * *', 'has 4 fields; five are needed', 'Give five fields'],
    ['*/30 * * * * *', 'has 6 fields; five are needed', 'Leave out a field for seconds'],
    ['', 'has 0 fields; five are needed', 'Give five fields'],
    ['@reboot', '"@reboot" is no time', '@daily'],
  ])('%j: %s', (cron, problem, remedy) => {
    const refused = expect.objectContaining({
      kind: 'config',
      code: 'invalid_cron',
      message: expect.stringMatching(/^scheduling integration orders: /),
      issues: [{ path: 'sync_settings.schedule', message: expect.stringContaining(problem) }],
      hint: expect.stringContaining(remedy),
    });
    expect(() => translate(cron)).toThrow(Fault);
    expect(() => translate(cron)).toThrow(refused);
  });
});

describe('a translation', () => {
  const between = (first: number, last: number) => fc.integer({ min: first, max: last });
  /** Values, ranges, steps and lists of one field. */
  function field(first: number, last: number): fc.Arbitrary<string> {
    const value = between(first, last);
    const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const step = between(1, Math.min(last, 20));
    const item = fc.oneof(
      value.map(String),
      range,
      fc.tuple(range, step).map(([text, by]) => `${text}/${by}`),
    );
    const list = fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(','));
    return fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      step.map((by) => `*/${by}`),
      list,
    );
  }

  const fields = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7));
  // Where a day field that begins with * is no bare *, croner ticks on either while unix cron wants both.
  const alike = fields.filter(([, , day, , weekday]) => {
    const starred = [day, weekday].filter((text) => text.startsWith('*'));
    return starred.length === 0 || starred.includes('*');
  });
  const time = between(Date.UTC(2024, 0, 1) / 60_000, Date.UTC(2034, 0, 1) / 60_000).map((minute) => minute * 60_000);

  function ticksOf(expressions: readonly string[], from: number, count: number): number[] {
    const all = new Set(expressions.flatMap((expression) => awsTicks(expression, from, count)));
    return [...all].sort((a, b) => a - b).slice(0, count);
  }

  const iso = (times: readonly number[]) => times.map((at) => new Date(at).toISOString());

  it('ticks in AWS when cron does', () => {
    let compared = 0;
    fc.assert(
      fc.property(alike, time, (parts, from) => {
        const cron = parts.join(' ');
        const expected = new Cron(cron, { paused: true, mode: '5-part', timezone: 'UTC' }).nextRuns(40, new Date(from));
        if (expected.length === 0) {
          expect(() => translate(cron)).toThrow('never comes due');
          return;
        }
        // Rare ones, such as each 29 February, come less often in the years that are looked at.
        const found = ticksOf(translate(cron), from, 40);
        expect(found.length).toBeGreaterThan(0);
        expect(iso(found)).toEqual(iso(expected.map((date) => date.getTime()).slice(0, found.length)));
        if (found.length === 40) compared++;
      }),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it('wants both days where unix cron does: a field that begins with *', () => {
    const starred = fc.tuple(field(0, 59), field(0, 23), fc.constantFrom('*/1', '*'), field(1, 12), field(0, 7));
    fc.assert(
      fc.property(starred, time, ([minute, hour, day, month, weekday], from) => {
        const found = ticksOf(translate([minute, hour, day, month, weekday].join(' ')), from, 30);
        // With a bare * croner and unix cron agree.
        const plain = new Cron([minute, hour, '*', month, weekday].join(' '), {
          paused: true,
          mode: '5-part',
          timezone: 'UTC',
        });
        expect(iso(found)).toEqual(iso(plain.nextRuns(30, new Date(from)).map((date) => date.getTime())));
      }),
      { numRuns: 300 },
    );
  });

  it('is never longer than AWS allows, or is refused', () => {
    const every = (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((value) => value % 3 !== 2);
    const longest = [every(0, 59), every(0, 23), every(1, 31), every(1, 12)].map((values) => values.join(','));
    expect(translate(`${longest.join(' ')} *`)[0]?.length).toBeLessThanOrEqual(256);
    const most = [
      [0, 58],
      [0, 22],
      [1, 30],
      [1, 11],
    ].map(([first = 0, last = 0]) =>
      [...Array.from({ length: last - first }, (_, index) => first + index), last + 1].join(','),
    );
    expect(() => translate(`${most.join(' ')} *`)).toThrow('is too long');
  });
});
