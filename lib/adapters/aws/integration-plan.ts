import { alertRules } from '../../core/alert/rule';
import type { IntegrationDocument } from '../../core/integration';
import { type AlarmSpec, type AlarmTarget, compileAlarm } from './alarm-spec';
import { planSchedules, type ScheduleSpec, type ScheduleTarget } from './schedule-plan';

/** What one integration needs in AWS beside its place in the table. */
export interface IntegrationPlan {
  readonly schedules: readonly ScheduleSpec[];
  readonly alarms: readonly AlarmSpec[];
}

/** Where its schedules and alarms go. */
export interface PlanTarget {
  readonly schedule: ScheduleTarget;
  readonly alarm: AlarmTarget;
}

/** What a checked document asks for. One that is paused neither runs by itself nor rings. */
export function planIntegration(document: IntegrationDocument, target: PlanTarget): IntegrationPlan {
  const integration = String(document.name);
  if (document.enabled === false) return { schedules: [], alarms: [] };
  const { schedule: cron, time_zone: timeZone = 'UTC' } = (document.sync_settings ?? {}) as Settings;
  return {
    schedules: cron === undefined ? [] : planSchedules({ integration, cron, timeZone }, target.schedule),
    alarms: planAlarms(document, target.alarm),
  };
}

interface Settings {
  readonly schedule?: string;
  readonly time_zone?: string;
}

/** The alarms of {@link planIntegration}. */
export function planAlarms(document: IntegrationDocument, target: AlarmTarget): readonly AlarmSpec[] {
  if (document.enabled === false) return [];
  return alertRules(document).map((rule) => compileAlarm(rule, String(document.name), target));
}
