import { join } from 'node:path';
import { openDatabase } from '../../../lib/adapters/embedded/database';
import { EmbeddedScheduler, type OnDue } from '../../../lib/adapters/embedded/scheduler';
import { SqliteStateStore } from '../../../lib/adapters/embedded/state';
import { Fault } from '../../../lib/core/fault';
import { describeScheduler } from '../../contracts/scheduler';
import { ManualClock } from '../../memory/clock';
import { silentLog } from '../../memory/scheduler';
import { MemoryStateStore } from '../../memory/state';
import { temporaryFolder } from './temporary';

describeScheduler('SQLite', async () => {
  const folder = temporaryFolder();
  const database = openDatabase(join(folder.path, 'state.db'));
  const clock = new ManualClock();
  return {
    scheduler: new EmbeddedScheduler(new SqliteStateStore(database, clock), clock, silentLog),
    close: async () => {
      database.close();
      folder.remove();
    },
  };
});

const HOUR_MS = 3_600_000;
const hourly = { integration: 'i', cron: '0 * * * *', timeZone: 'UTC' };

describe('ticker', () => {
  function setUp(now = '2026-01-01T00:10:00Z') {
    const clock = new ManualClock(Date.parse(now));
    const state = new MemoryStateStore(clock);
    const scheduler = new EmbeddedScheduler(state, clock, silentLog);
    const ticks: string[] = [];
    const start = (onDue: OnDue = async () => undefined, on = scheduler) => {
      const controller = new AbortController();
      const ended = on.start(async (integration, at) => {
        ticks.push(`${integration} ${new Date(at).toISOString().slice(5, 16)}`);
        await onDue(integration, at);
      }, controller.signal);
      const stop = () => {
        controller.abort();
        return ended;
      };
      return { stop };
    };
    return { clock, state, scheduler, ticks, start };
  }

  it('gives each tick at its time', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    const seen: number[] = [];
    const run = start(async (_, at) => void seen.push(clock.now() - at));
    await clock.advance(3 * HOUR_MS);
    await run.stop();
    expect(ticks).toEqual(['i 01-01T01:00', 'i 01-01T02:00', 'i 01-01T03:00']);
    expect(seen).toEqual([0, 0, 0]);
  });

  it('catches up the last of the ticks that were missed, and only that', async () => {
    const { clock, state, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    await clock.jump(9 * HOUR_MS);
    const run = start(undefined, new EmbeddedScheduler(state, clock, silentLog));
    await clock.advance(0);
    expect(ticks).toEqual(['i 01-01T09:00']);
    await clock.advance(HOUR_MS);
    await run.stop();
    expect(ticks).toEqual(['i 01-01T09:00', 'i 01-01T10:00']);
  });

  it('does not give a tick again to the next process', async () => {
    const { clock, state, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    const first = start();
    await clock.advance(HOUR_MS);
    await first.stop();
    const second = start(undefined, new EmbeddedScheduler(state, clock, silentLog));
    await clock.advance(0);
    await second.stop();
    expect(ticks).toEqual(['i 01-01T01:00']);
  });

  it('sees a laptop wake up', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    const run = start();
    await clock.jump(5 * HOUR_MS);
    await run.stop();
    expect(ticks).toEqual(['i 01-01T05:00']);
  });

  it('hears of new, changed and removed schedules while it waits', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    const run = start();
    await clock.advance(1000);
    await scheduler.set({ integration: 'new', cron: '11 * * * *', timeZone: 'UTC' });
    await clock.advance(120_000);
    await scheduler.set({ integration: 'new', cron: '15 * * * *', timeZone: 'UTC' });
    await clock.advance(180_000);
    await scheduler.remove('new');
    await clock.advance(2 * HOUR_MS);
    await run.stop();
    expect(ticks).toEqual(['new 01-01T00:11', 'new 01-01T00:15']);
  });

  it('keeps a due tick when the same schedule is set again, as at each start', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    await clock.jump(2 * HOUR_MS);
    await scheduler.set(hourly);
    const run = start();
    await clock.advance(0);
    await run.stop();
    expect(ticks).toEqual(['i 01-01T02:00']);
  });

  it('tries again after a transient fault, and goes on after another', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    const faults = [new Fault('transient', 'state_busy', 'busy'), new Fault('config', 'run_active', 'runs')];
    const run = start(async () => {
      const fault = faults.shift();
      if (fault) throw fault;
    });
    await clock.advance(HOUR_MS);
    expect(ticks).toEqual(['i 01-01T01:00', 'i 01-01T01:00']);
    await clock.advance(HOUR_MS);
    await run.stop();
    expect(ticks.slice(2)).toEqual(['i 01-01T02:00']);
  });

  it('does not bring back a schedule that was removed or changed while its tick was given', async () => {
    const { clock, scheduler, ticks, start } = setUp();
    await scheduler.set(hourly);
    await scheduler.set({ ...hourly, integration: 'j' });
    const changed = { ...hourly, integration: 'j', cron: '30 * * * *' };
    const run = start(async (integration) => {
      if (integration === 'i') await scheduler.remove('i');
      else await scheduler.set(changed);
    });
    await clock.advance(HOUR_MS + HOUR_MS / 2);
    await run.stop();
    expect(await scheduler.list()).toEqual([changed]);
    expect(ticks).toEqual(['i 01-01T01:00', 'j 01-01T01:00', 'j 01-01T01:30']);
  });

  it('gives every hour of the day with 23 and of the day with 25', async () => {
    const { clock, scheduler, ticks, start } = setUp('2026-03-28T23:30:00Z');
    await scheduler.set({ integration: 'i', cron: '0 * * * *', timeZone: 'Europe/Berlin' });
    await scheduler.set({ integration: 'daily', cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    const spring = start();
    await clock.advance(23 * HOUR_MS);
    await spring.stop();
    expect(ticks.filter((tick) => tick.startsWith('i '))).toHaveLength(23);
    expect(ticks.filter((tick) => tick.startsWith('daily'))).toHaveLength(1);
    await clock.jump(Date.parse('2026-10-24T22:30:00Z') - clock.now());
    ticks.length = 0;
    const autumn = start();
    await clock.advance(0);
    ticks.length = 0; // what was missed in between
    await clock.advance(25 * HOUR_MS);
    await autumn.stop();
    expect(ticks.filter((tick) => tick.startsWith('i '))).toHaveLength(25);
    expect(ticks.filter((tick) => tick.startsWith('daily'))).toHaveLength(1);
  });

  it('goes on with the others when one schedule, of an older version, is not understood any more', async () => {
    const { clock, state, scheduler, ticks, start } = setUp();
    const last = { cron: '0 0 L * *', timeZone: 'UTC', seen: clock.now() };
    await state.put({ partition: 'schedules', sort: 'a' }, last, 'absent');
    await scheduler.set(hourly);
    const run = start();
    await clock.advance(HOUR_MS);
    await run.stop();
    expect(ticks).toEqual(['i 01-01T01:00']);
  });

  it('stays alive when the state cannot be read for a while', async () => {
    const { clock, state, scheduler, ticks } = setUp();
    await scheduler.set(hourly);
    let broken = true;
    const query = state.query.bind(state);
    state.query = async (...args) => {
      if (broken) throw new Fault('transient', 'state_busy', 'busy');
      return query(...args);
    };
    const controller = new AbortController();
    const ended = new EmbeddedScheduler(state, clock, silentLog).start(
      async (id) => void ticks.push(id),
      controller.signal,
    );
    await clock.advance(2 * HOUR_MS);
    broken = false;
    await clock.advance(HOUR_MS / 2);
    controller.abort();
    await ended;
    expect(ticks).toEqual(['i']);
  });
});
