import { nextTick } from '../../../lib/adapters/aws/schedule-ticks';

function ticks(cron: string, timeZone: string, from: string, count: number): string[] {
  const times: string[] = [];
  for (let time = Date.parse(from); times.length < count; ) {
    time = nextTick({ integration: 'i', cron, timeZone }, time) ?? Number.NaN;
    times.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
  }
  return times;
}

describe('ticks of AWS', () => {
  it.each([
    // The clock goes from 02:00 to 03:00.
    ['*/30 2-3 * * *', 'Europe/Berlin', '2026-03-29T00:00Z', ['29T01:00', '29T01:30', '30T00:00']],
    ['30 2 * * *', 'America/New_York', '2026-03-07T12:00Z', ['09T06:30', '10T06:30']],
    // The clock goes from 03:00 back to 02:00: the second 02:00 and 02:30 do not tick.
    ['*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00Z', ['25T00:30', '25T02:00', '25T02:30']],
    ['0 * * * *', 'America/New_York', '2026-11-01T04:30Z', ['01T05:00', '01T07:00', '01T08:00']],
    // By half an hour only: from 02:00 to 02:30, and back.
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-02T20:00Z', ['04T15:15', '05T15:15']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00Z', ['04T14:45', '05T15:15']],
    ['0 9 * * *', 'Asia/Kathmandu', '2026-01-01T03:15Z', ['02T03:15', '03T03:15']],
    ['0 0 * * 1', 'Pacific/Kiritimati', '2026-01-01T00:00Z', ['04T10:00', '11T10:00']],
  ])('of %j in %s after %s', (cron, timeZone, from, times) => {
    expect(ticks(cron, timeZone, from, times.length).map((time) => time.slice(8, 16))).toEqual(times);
  });

  it('take a day field that begins with * as unrestricted, as unix cron does', () => {
    expect(ticks('0 0 */1 * 1', 'UTC', '2026-01-01T00:00Z', 2)).toEqual(['2026-01-05T00:00Z', '2026-01-12T00:00Z']);
  });

  it('never come a second time from the repeated hour itself', () => {
    const second = Date.parse('2026-10-25T01:10:00Z');
    const next = nextTick({ integration: 'i', cron: '*/20 2 * * *', timeZone: 'Europe/Berlin' }, second);
    expect(new Date(next ?? 0).toISOString()).toBe('2026-10-26T01:00:00.000Z');
  });
});
