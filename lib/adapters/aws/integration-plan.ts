import { alertRules } from '../../core/alert/rule';
import type { IntegrationDocument } from '../../core/integration';
import { scheduleOf } from '../../core/sync-mode';
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
  const schedule = scheduleOf(integration, document);
  return {
    schedules: schedule === undefined ? [] : planSchedules(schedule, target.schedule),
    alarms: planAlarms(document, target.alarm),
  };
}

/** The alarms of {@link planIntegration}. */
export function planAlarms(document: IntegrationDocument, target: AlarmTarget): readonly AlarmSpec[] {
  if (document.enabled === false) return [];
  return alertRules(document).map((rule) => compileAlarm(rule, String(document.name), target));
}
