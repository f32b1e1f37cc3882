import { parseCron } from '../../core/cron';
import { toFault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { Logger } from '../../core/log';
import type { Clock, Schedule, Scheduler, StateStore } from '../../core/ports';
import { Waiters } from './waiters';

/** Called for a tick that came due, with its time in milliseconds since 1970. */
export type OnDue = (integration: string, scheduledAt: number) => Promise<void>;

/** A schedule and the time up to which its ticks were seen. */
interface Entry extends Schedule {
  readonly seen: number;
  readonly revision: number;
}

const PARTITION = 'schedules';
// Timers stand still while a laptop sleeps, and its clock may be set: look at it this often.
const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 10_000;

/** Schedules kept in the state, and the ticker that runs them while the process lives. */
export class EmbeddedScheduler implements Scheduler {
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #waiters = new Waiters();

  constructor(state: StateStore, clock: Clock, log: Logger) {
    this.#state = state;
    this.#clock = clock;
    this.#log = log;
  }

  async set(schedule: Schedule): Promise<void> {
    parseCron(schedule);
    const { integration, cron, timeZone } = schedule;
    const known = await this.#entry(integration);
    // Saying the same again must not drop a tick that is due.
    if (known?.cron === cron && known.timeZone === timeZone) return;
    const value = { cron, timeZone, seen: this.#clock.now() };
    await this.#state.put({ partition: PARTITION, sort: integration }, value, undefined);
    this.#waiters.wake();
  }

  async remove(integration: string): Promise<void> {
    await this.#state.delete({ partition: PARTITION, sort: integration });
    this.#waiters.wake();
  }

  async list(): Promise<readonly Schedule[]> {
    return (await this.#entries()).map(({ integration, cron, timeZone }) => ({ integration, cron, timeZone }));
  }

  async next(integration: string, from: number): Promise<number | undefined> {
    const entry = await this.#entry(integration);
    return entry && parseCron(entry).nextRun(new Date(from))?.getTime();
  }

  /**
   * Runs until `signal` aborts. Of the ticks that were missed only the last is given. `onDue` may see a tick again
   * after a crash, with the same time unless a later one has come due.
   */
  async start(onDue: OnDue, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = await this.#runDue(onDue, signal);
      const wait = Math.min(next - this.#clock.now(), LONGEST_WAIT_MS);
      await this.#waiters.wait(this.#clock, Math.max(wait, 1), signal);
    }
  }

  /** Gives the time of the next tick of all. */
  async #runDue(onDue: OnDue, signal: AbortSignal): Promise<number> {
    let next = Number.POSITIVE_INFINITY;
    try {
      for (const entry of await this.#entries()) {
        if (signal.aborted) return next;
        next = Math.min(next, await this.#runEntry(entry, onDue));
      }
      return next;
    } catch (error) {
      const fault = toFault(error, 'looking for due schedules');
      this.#log.error('schedules could not be read; trying again', { fault: { ...fault.record() } });
      return this.#clock.now() + RETRY_MS;
    }
  }

  async #runEntry(entry: Entry, onDue: OnDue): Promise<number> {
    const now = this.#clock.now();
    const ticks = this.#ticks(entry);
    if (ticks === undefined) return Number.POSITIVE_INFINITY;
    const after = (time: number) => ticks.nextRun(new Date(time))?.getTime() ?? Number.POSITIVE_INFINITY;
    if (after(entry.seen) > now) return after(entry.seen);
    // The last tick that is not in the future: the one before the next.
    const due = ticks.previousRuns(1, new Date(after(now)))[0]?.getTime() ?? now;
    const retry = await this.#give(entry, due, onDue);
    if (retry) return now + RETRY_MS;
    const value = { cron: entry.cron, timeZone: entry.timeZone, seen: due };
    // Not when it was replaced or removed meanwhile.
    await this.#state.put({ partition: PARTITION, sort: entry.integration }, value, entry.revision);
    return after(due);
  }

  /** A schedule that another version stored and this one refuses must not stand in the way of the others. */
  #ticks(entry: Entry): ReturnType<typeof parseCron> | undefined {
    try {
      return parseCron(entry);
    } catch (error) {
      const fault = toFault(error, `reading the schedule of ${entry.integration}`);
      this.#log.error('a schedule is not understood', { fault: { ...fault.record() } });
      return undefined;
    }
  }

  /** Gives whether to try again. */
  async #give({ integration }: Entry, due: number, onDue: OnDue): Promise<boolean> {
    try {
      await onDue(integration, due);
      return false;
    } catch (error) {
      const fault = toFault(error, `starting the scheduled run of ${integration}`);
      this.#log.warn('a scheduled run did not start', { integration, fault: { ...fault.record() } });
      return fault.kind === 'transient';
    }
  }

  async #entry(integration: string): Promise<Entry | undefined> {
    const item = await this.#state.get({ partition: PARTITION, sort: integration });
    return item && entryOf(item.sort, item.revision, item.value);
  }

  async #entries(): Promise<Entry[]> {
    const items = await this.#state.query(PARTITION);
    return items.map(({ sort, revision, value }) => entryOf(sort, revision, value));
  }
}

function entryOf(integration: string, revision: number, value: Json): Entry {
  const { cron, timeZone, seen } = value as { cron: string; timeZone: string; seen: number };
  return { integration, cron, timeZone, seen, revision };
}
