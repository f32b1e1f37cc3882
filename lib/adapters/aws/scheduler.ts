import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  paginateListSchedules,
  ResourceNotFoundException,
  type SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { parseCron } from '../../core/cron';
import { guarded } from '../../core/fault';
import type { Clock, Schedule, Scheduler } from '../../core/ports';
import { classifyAws } from './faults';
import {
  describedSchedule,
  MOST_SCHEDULES,
  planSchedules,
  type ScheduleSpec,
  type ScheduleTarget,
  scheduleName,
} from './schedule-plan';
import { nextTick } from './schedule-ticks';

/** What the schedules need to know of the stage. */
export interface AwsSchedulerOptions extends Omit<ScheduleTarget, 'queueArn'> {
  readonly client: SchedulerClient;
  /** Queue of the integration's connector. */
  queueArn(integration: string): Promise<string>;
  readonly clock: Clock;
}

const ATTEMPTS = 3;
const RETRY_MS = 200;
const READ_AT_ONCE = 10;

/** Schedules of one group of EventBridge Scheduler, which send each tick to the queue of the integration's connector. */
export class AwsScheduler implements Scheduler {
  readonly #options: AwsSchedulerOptions;

  constructor(options: AwsSchedulerOptions) {
    this.#options = options;
  }

  async set(schedule: Schedule): Promise<void> {
    parseCron(schedule);
    const { integration } = schedule;
    const { group, roleArn, deadLetterArn } = this.#options;
    const queueArn = await this.#options.queueArn(integration);
    const specs = planSchedules(schedule, { group, roleArn, deadLetterArn, queueArn });
    await guarded(`scheduling ${integration}`, classifyAws, async () => {
      const [first] = specs;
      // Said again and again, as whoever recovers does: reading is cheaper than writing.
      if (first && (await this.#isThere(first))) return;
      await this.#deleteFrom(integration, specs.length + 1);
      // The first last: it says of all of them that they are there.
      for (const spec of [...specs].reverse()) await this.#put(spec);
    });
  }

  async remove(integration: string): Promise<void> {
    await guarded(`removing the schedule of ${integration}`, classifyAws, () => this.#deleteFrom(integration, 1));
  }

  async list(): Promise<readonly Schedule[]> {
    return guarded(`listing the schedules of group ${this.#options.group}`, classifyAws, async () => {
      const names = await this.#names();
      const schedules: Schedule[] = [];
      for (let start = 0; start < names.length; start += READ_AT_ONCE) {
        const found = await Promise.all(names.slice(start, start + READ_AT_ONCE).map((name) => this.#read(name)));
        schedules.push(...found.filter((schedule) => schedule !== undefined));
      }
      return schedules;
    });
  }

  async next(integration: string, from: number): Promise<number | undefined> {
    const schedule = await guarded(`reading the schedule of ${integration}`, classifyAws, () =>
      this.#read(scheduleName(integration, 1)),
    );
    return schedule && nextTick(schedule, from);
  }

  /** The names of the first schedules: the list of AWS does not have what a schedule says. */
  async #names(): Promise<string[]> {
    const { client, group } = this.#options;
    const names: string[] = [];
    for await (const page of paginateListSchedules({ client }, { GroupName: group })) {
      for (const { Name = '' } of page.Schedules ?? []) if (Name.endsWith('-1')) names.push(Name);
    }
    return names;
  }

  async #read(name: string): Promise<Schedule | undefined> {
    const { client, group } = this.#options;
    const found = await unlessMissing(client.send(new GetScheduleCommand({ Name: name, GroupName: group })));
    return describedSchedule(found?.Description);
  }

  /** Whether the schedule of this name is what we would make it. */
  async #isThere(spec: ScheduleSpec): Promise<boolean> {
    const command = new GetScheduleCommand({ Name: spec.Name, GroupName: spec.GroupName });
    const found = await unlessMissing(this.#options.client.send(command));
    return found !== undefined && includes(found, spec);
  }

  async #put(spec: ScheduleSpec): Promise<void> {
    const { client, clock } = this.#options;
    for (let left = ATTEMPTS - 1; ; left--) {
      try {
        await client.send(new CreateScheduleCommand(spec));
        return;
      } catch (error) {
        if (!(error instanceof ConflictException)) throw error;
      }
      try {
        await client.send(new UpdateScheduleCommand(spec));
        return;
      } catch (error) {
        // Another process removes or changes the same schedule at this moment.
        const meanwhile = error instanceof ResourceNotFoundException || error instanceof ConflictException;
        if (!meanwhile || left <= 0) throw error;
      }
      await clock.sleep(RETRY_MS);
    }
  }

  async #deleteFrom(integration: string, first: number): Promise<void> {
    const { client, group } = this.#options;
    // The first last: while it is there, `list` shows that something still is.
    for (let number = MOST_SCHEDULES; number >= first; number--) {
      const name = scheduleName(integration, number);
      await unlessMissing(client.send(new DeleteScheduleCommand({ Name: name, GroupName: group })));
    }
  }
}

/** Whether everything that is wanted was found, beside whatever else. */
function includes(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => includes((found as { [key: string]: unknown })[key], value));
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
