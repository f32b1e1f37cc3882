import type { Scheduler } from '../../lib/core/ports';

/** One scheduler without schedules. */
export interface SchedulerFixture {
  readonly scheduler: Scheduler;
  close(): Promise<void>;
}

/** Where homes may differ. */
export interface SchedulerTraits {
  /** What becomes of a time that the change to summer time skips: it ticks when the gap ends, or not on that day. */
  readonly skippedTime: 'late' | 'never';
}

/** The sentences of the scheduler port about keeping schedules; how each home runs them is tested with its adapter. */
export function describeScheduler(
  name: string,
  open: () => Promise<SchedulerFixture>,
  traits: SchedulerTraits = { skippedTime: 'late' },
): void {
  describe(`scheduler: ${name}`, () => {
    let fixture: SchedulerFixture;
    let scheduler: Scheduler;

    beforeEach(async () => {
      fixture = await open();
      scheduler = fixture.scheduler;
    });
    afterEach(async () => fixture?.close());

    const at = (time: string) => Date.parse(time);
    async function ticks(cron: string, timeZone: string, from: string, count: number): Promise<string[]> {
      await scheduler.set({ integration: 'i', cron, timeZone });
      const times: string[] = [];
      for (let time = at(from); times.length < count; ) {
        time = (await scheduler.next('i', time)) ?? Number.NaN;
        times.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
      }
      return times;
    }

    it('adds, replaces, lists and removes', async () => {
      const daily = { integration: 'a', cron: '0 6 * * *', timeZone: 'UTC' };
      const hourly = { integration: 'b', cron: '0 * * * *', timeZone: 'Asia/Tokyo' };
      await scheduler.set(daily);
      await scheduler.set(hourly);
      expect(await scheduler.list()).toEqual(expect.arrayContaining([daily, hourly]));
      await scheduler.set({ ...daily, cron: '30 7 * * 1-5' });
      await scheduler.remove('b');
      await scheduler.remove('unknown');
      expect(await scheduler.list()).toEqual([{ ...daily, cron: '30 7 * * 1-5' }]);
    });

    it('has no next tick without a schedule', async () => {
      expect(await scheduler.next('nobody', 0)).toBeUndefined();
    });

    it('gives the tick after a time, not the one at it', async () => {
      expect(await ticks('0 */6 * * *', 'UTC', '2026-01-01T06:00Z', 2)).toEqual([
        '2026-01-01T12:00Z',
        '2026-01-01T18:00Z',
      ]);
    });

    it('reads a time zone, names and lists', async () => {
      expect(await ticks('15,45 9 * JAN MON', 'America/New_York', '2026-01-01T00:00Z', 3)).toEqual([
        '2026-01-05T14:15Z',
        '2026-01-05T14:45Z',
        '2026-01-12T14:15Z',
      ]);
    });

    it('ticks on either of a day of the month and a weekday, as cron does', async () => {
      expect(await ticks('0 0 13 * 5', 'UTC', '2026-01-01T00:00Z', 4)).toEqual([
        '2026-01-02T00:00Z',
        '2026-01-09T00:00Z',
        '2026-01-13T00:00Z',
        '2026-01-16T00:00Z',
      ]);
    });

    it.each([
      ['0 0 */1 * 1', ['2026-01-05T00:00Z', '2026-01-12T00:00Z']],
      ['0 0 1-31 * 1', ['2026-01-01T00:00Z', '2026-01-02T00:00Z']],
      ['0 0 30 2 1', ['2026-02-02T00:00Z', '2026-02-09T00:00Z']],
      ['@weekly', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
    ])('reads %j as unix cron does', async (cron, expected) => {
      expect(await ticks(cron, 'UTC', '2025-12-31T12:00Z', 2)).toEqual(expected);
    });

    it(`ticks ${traits.skippedTime} on the day whose hour is skipped`, async () => {
      const late = traits.skippedTime === 'late' ? [expect.stringMatching(/^2026-03-29T01:[03]0Z$/)] : [];
      expect(await ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', 2 + late.length)).toEqual([
        '2026-03-28T01:30Z',
        ...late,
        '2026-03-30T00:30Z',
      ]);
    });

    it('ticks once on the day whose hour is repeated', async () => {
      expect(await ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2)).toEqual([
        expect.stringMatching(/^2026-10-25T0[01]:30Z$/),
        '2026-10-26T01:30Z',
      ]);
    });

    it.each([
      ['0 0 12 * * *', 'UTC', 'six fields'],
      ['0 12 * * ? *', 'UTC', 'the six fields of AWS'],
      ['0 12 * *', 'UTC', 'four fields'],
      ['', 'UTC', 'no field'],
      ['@reboot', 'UTC', 'a nickname that is no time'],
      ['0 0 L * *', 'UTC', 'the last day'],
      ['0 0 15W * *', 'UTC', 'the nearest working day'],
      ['0 0 * * 5#2', 'UTC', 'the second Friday'],
      ['0 0 */2 * 1', 'UTC', 'a day of the month and a weekday at once'],
      ['5/10 * * * *', 'UTC', 'a step after a single value'],
      ['0 22-2 * * *', 'UTC', 'a range that goes backwards'],
      ['61 * * * *', 'UTC', 'a minute over 59'],
      ['nonsense * * * *', 'UTC', 'no cron at all'],
      ['0 0 31 2 *', 'UTC', 'a day that never comes'],
      ['0 12 * * *', 'Mars/Olympus', 'an unknown time zone'],
      ['0 12 * * *', '', 'no time zone'],
      ['0 12 * * *', '+01:00', 'an offset in place of a time zone'],
    ])('refuses %j in %j: %s', async (cron, timeZone) => {
      await expect(scheduler.set({ integration: 'bad', cron, timeZone })).rejects.toMatchObject({
        kind: 'config',
        code: 'invalid_cron',
        hint: expect.stringContaining('0 */6 * * *'),
      });
      expect(await scheduler.list()).toEqual([]);
    });
  });
}
