import { runMetrics, stateMetrics } from '../../../lib/adapters/aws/alarm-metrics';
import { compileAlarm } from '../../../lib/adapters/aws/alarm-spec';
import type { Sample } from '../../../lib/core/alert/condition';
import type { AlertState } from '../../../lib/core/alert/evaluation';
import { type AlertRule, alertRules, CHECK_SECONDS, isWindowRule, windowOf } from '../../../lib/core/alert/rule';
import { evaluateAlert } from '../../../lib/health/evaluate';
import { windowSample } from '../../../lib/health/window-sample';
import { alarmAt, type Datapoint } from '../../tables/alarm-simulator';
import { ALERT_CASES, type AlertCase } from '../../tables/alert-cases';

function ruleOf({ condition, duration }: AlertCase): AlertRule {
  const alerts = [{ name: 'Case', condition, severity: 'warning', ...(duration !== undefined && { duration }) }];
  const [rule] = alertRules({ name: 'shop', alerts });
  if (rule === undefined) throw new Error(`not an alert: ${condition}`);
  return rule;
}

const lengthOf = ({ looks, rows }: AlertCase) => (looks ?? rows ?? []).length;

/**
 * Whether the alert rings, look by look of the table, as it is evaluated in process; `minutes` between two looks. Those between two of
 * the table find what the one before has found.
 */
function inProcess(one: AlertCase, minutes: number): boolean[] {
  const rule = ruleOf(one);
  let state: AlertState | undefined;
  const each = CHECK_SECONDS / 60 / minutes;
  const rings = Array.from({ length: lengthOf(one) * each }, (_, count) => {
    const found = one.looks?.[Math.floor(count / each)];
    const now = count * minutes * 60_000;
    const sample = isWindowRule(rule) ? rowsAt(one, rule, now) : found === undefined || isLate(found) ? {} : found;
    state = evaluateAlert(rule, state, sample, now);
    return state.phase === 'firing';
  });
  return Array.from({ length: lengthOf(one) }, (_, look) =>
    rings.slice(look * each, look * each + each).includes(true),
  );
}

const isLate = (look: object): look is { readonly late: Sample } => 'late' in look;

function rowsAt({ rows = [] }: AlertCase, rule: AlertRule, now: number): Sample {
  const runs = rows.flatMap((row, look) =>
    row === undefined
      ? []
      : [
          {
            finishedAt: look * CHECK_SECONDS * 1000,
            rows: row.ok,
            quarantined: row.quarantined ?? 0,
            skipped: row.failed - (row.quarantined ?? 0),
          },
        ],
  );
  return windowSample(runs, windowOf(rule) * 1000, now);
}

/** Whether the alarm rings, look by look, as CloudWatch evaluates it a little after each. */
function inCloudWatch(one: AlertCase): boolean[] {
  const rule = ruleOf(one);
  const spec = compileAlarm(rule, 'shop', { stage: 'dev', prefix: 'dev-int-', topicArn: 'arn', runbook: 'https://r' });
  const data: Datapoint[] = [];
  for (let look = 0; look < lengthOf(one); look++) {
    const at = look * CHECK_SECONDS;
    const found = one.looks?.[look];
    const row = one.rows?.[look];
    const sample = found && (isLate(found) ? found.late : found);
    const arrives = found && isLate(found) ? at + CHECK_SECONDS : at;
    const metrics =
      row === undefined
        ? sample && stateMetrics(sample, [rule.condition])
        : runMetrics(
            { rows: row.ok, quarantined: row.quarantined ?? 0, skipped: row.failed - (row.quarantined ?? 0) },
            [rule.condition],
          );
    for (const [metric, { value }] of Object.entries(metrics ?? {})) data.push({ metric, value, at, arrives });
  }
  return Array.from({ length: lengthOf(one) }, (_, look) => alarmAt(spec, data, look * CHECK_SECONDS) === 'ALARM');
}

const begins = (rings: readonly boolean[]) =>
  rings.flatMap((ringing, look) => (ringing && rings[look - 1] !== true ? [look] : []));

describe.each(ALERT_CASES.map((one) => [one.title, one] as const))('%s', (_title, one) => {
  it.each([1, 5])('in process, with a look every %i minutes', (minutes) => {
    const rings = inProcess(one, minutes);
    expect(begins(rings)).toEqual(one.fires);
    expect(rings.at(-1)).toBe(one.ringing);
  });

  it('in CloudWatch, within one look', () => {
    const rings = inCloudWatch(one);
    const found = begins(rings);
    expect(found).toHaveLength(one.fires.length);
    for (const [index, look] of found.entries()) {
      expect(Math.abs(look - (one.fires[index] ?? Number.NaN))).toBeLessThanOrEqual(1);
    }
    expect(rings.at(-1)).toBe(one.ringing);
  });
});

it('the table has each kind of trouble, and both scopes', () => {
  const kinds = ALERT_CASES.map((one) => isWindowRule(ruleOf(one)));
  expect(new Set(kinds).size).toBe(2);
  expect(ALERT_CASES.some(({ looks }) => looks?.some((look) => look !== undefined && isLate(look)))).toBe(true);
  expect(ALERT_CASES.some(({ looks }) => looks?.every((look) => look === undefined))).toBe(true);
  expect(ALERT_CASES.filter(({ fires }) => fires.length > 1).length).toBeGreaterThan(2);
});
