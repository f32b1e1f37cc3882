import { createHash } from 'node:crypto';
import { Fault } from '../../core/fault';
import type { Schedule } from '../../core/ports';
import { scheduleExpressions } from './schedule-expression';

/** Where the ticks of a schedule go, and on whose behalf. */
export interface ScheduleTarget {
  readonly group: string;
  /** Role that EventBridge Scheduler sends as. */
  readonly roleArn: string;
  readonly queueArn: string;
  /** Queue for ticks that could not be sent. */
  readonly deadLetterArn: string;
  /** Of a declared integration: its ticks may come before it is stored, and say so. */
  readonly declared?: true;
}

/** What the input of CreateSchedule and the properties of `AWS::Scheduler::Schedule` have in common; all that we set. */
export interface ScheduleSpec {
  readonly Name: string;
  readonly GroupName: string;
  readonly Description: string;
  readonly State: 'ENABLED';
  readonly ScheduleExpression: string;
  readonly ScheduleExpressionTimezone: string;
  readonly FlexibleTimeWindow: { readonly Mode: 'OFF' };
  readonly Target: {
    readonly Arn: string;
    readonly RoleArn: string;
    readonly Input: string;
    readonly RetryPolicy: { readonly MaximumRetryAttempts: number; readonly MaximumEventAgeInSeconds: number };
    readonly DeadLetterConfig: { readonly Arn: string };
  };
}

/** How many schedules an integration has at most: `<name>-1` and `<name>-2`. */
export const MOST_SCHEDULES = 2;

const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';
const LONGEST_DESCRIPTION = 512;
const PLAIN_NAME = /^[0-9A-Za-z_-]{1,62}$/;
// The last tick that could not be sent is worth more than many old ones: the next sync reads all that is new.
const RETRY_POLICY = { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 3600 };

/**
 * The schedules in AWS of one integration: two when it runs on days of the month and on weekdays. Both may then fire in
 * the same minute; who receives the message knows a tick by its scheduled time.
 * @throws Fault `config`/`invalid_cron`
 */
export function planSchedules(schedule: Schedule, target: ScheduleTarget): readonly ScheduleSpec[] {
  const { integration, timeZone } = schedule;
  const description = describe(schedule);
  return scheduleExpressions(schedule).map((expression, index) => ({
    Name: scheduleName(integration, index + 1),
    GroupName: target.group,
    Description: description,
    State: 'ENABLED',
    ScheduleExpression: expression,
    ScheduleExpressionTimezone: timeZone,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: target.queueArn,
      RoleArn: target.roleArn,
      Input: JSON.stringify({
        schedule: integration,
        ...(target.declared && { declared: true }),
        at: SCHEDULED_TIME,
      }),
      RetryPolicy: RETRY_POLICY,
      DeadLetterConfig: { Arn: target.deadLetterArn },
    },
  }));
}

/**
 * Name of an integration's schedule, `number` from 1: at most 64 characters. An integration whose name is too long, or
 * has characters that AWS does not take, keeps its beginning and gets a dot, which no other has, and a hash.
 */
export function scheduleName(integration: string, number: number): string {
  if (PLAIN_NAME.test(integration)) return `${integration}-${number}`;
  const hash = createHash('sha256').update(integration).digest('hex').slice(0, 16);
  return `${integration.replace(/[^0-9A-Za-z_-]/g, '_').slice(0, 45)}.${hash}-${number}`;
}

/** AWS keeps only its own expressions: what they were made of stands in the description. */
function describe({ integration, cron, timeZone }: Schedule): string {
  const text = JSON.stringify({ integration, cron, time_zone: timeZone });
  if (text.length <= LONGEST_DESCRIPTION) return text;
  const problem = `"${cron}" is too long for AWS`;
  throw new Fault('config', 'invalid_cron', `scheduling integration ${integration}: ${problem}`, {
    issues: [{ path: 'sync_settings.schedule', message: problem }],
    hint: 'Use ranges and steps instead of lists, such as "0 */6 * * *".',
  });
}

/** What the description of a schedule says; `undefined` when it was made by somebody else. */
export function describedSchedule(description: string | undefined): Schedule | undefined {
  const found = parsed(description ?? '');
  const { integration, cron, time_zone: timeZone } = found ?? {};
  if (typeof integration !== 'string' || typeof cron !== 'string' || typeof timeZone !== 'string') return undefined;
  return { integration, cron, timeZone };
}

function parsed(text: string): { readonly [key: string]: unknown } | undefined {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
