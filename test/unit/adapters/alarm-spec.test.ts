import fc from 'fast-check';
import { stateMetrics } from '../../../lib/adapters/aws/alarm-metrics';
import { alarmPrefix, compileAlarm, metricsOf } from '../../../lib/adapters/aws/alarm-spec';
import { planIntegration } from '../../../lib/adapters/aws/integration-plan';
import { holds, printCondition, type Sample } from '../../../lib/core/alert/condition';
import { IDENTIFIER_NAMES, identifier } from '../../../lib/core/alert/identifiers';
import { LONGEST_CONDITION } from '../../../lib/core/alert/parse';
import { type AlertRule, alertRules } from '../../../lib/core/alert/rule';
import { alarmAt } from '../../tables/alarm-simulator';
import { anyCondition } from '../core/alert/any-condition';
import { SECTIONS } from '../engine/specification';

const target = {
  stage: 'dev',
  prefix: alarmPrefix('dev', 'runtime'),
  topicArn: 'arn:topic',
  runbook: 'https://r/b.md',
};
const rule = (condition: string, more: object = {}): AlertRule => {
  const [found] = alertRules({ name: 'shop', alerts: [{ name: 'A', severity: 'warning', condition, ...more }] });
  if (found === undefined) throw new Error(condition);
  return found;
};
const compile = (condition: string, more: object = {}) => compileAlarm(rule(condition, more), 'shop', target);
const dimensions = [
  { Name: 'Stage', Value: 'dev' },
  { Name: 'Integration', Value: 'shop' },
];

describe('alerts of the specification as alarms', () => {
  const [failure, errors, stale] = alertRules({ name: 'shop', alerts: SECTIONS.alerts[0] as never }).map((one) =>
    compileAlarm(one, 'shop', target),
  );

  it('a failed connection', () => {
    expect(failure).toEqual({
      AlarmName: 'dev-int-shop.integration-failure',
      AlarmDescription:
        "critical: shop: Integration Failure: connection_status == 'failed' https://r/b.md#an-alert-of-an-integration",
      ActionsEnabled: true,
      AlarmActions: ['arn:topic'],
      OKActions: ['arn:topic'],
      Namespace: 'ExplorerIO',
      MetricName: 'ConnectionFailed',
      Dimensions: dimensions,
      Statistic: 'Maximum',
      Period: 300,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
  });

  it('a rate: one period of its duration, not several, in which a short run would never be', () => {
    expect(errors).toMatchObject({ EvaluationPeriods: 1, DatapointsToAlarm: 1, TreatMissingData: 'notBreaching' });
    expect(errors?.Metrics?.map(({ Id, Expression, MetricStat }) => [Id, Expression ?? MetricStat])).toEqual([
      [
        'm1',
        {
          Metric: { Namespace: 'ExplorerIO', MetricName: 'RowsFailed', Dimensions: dimensions },
          Period: 300,
          Stat: 'Sum',
        },
      ],
      [
        'm2',
        { Metric: { Namespace: 'ExplorerIO', MetricName: 'RowsOk', Dimensions: dimensions }, Period: 300, Stat: 'Sum' },
      ],
      ['errors', 'IF(m2 + m1 > 0, m1 / (m2 + m1), 0)'],
      ['holds', 'IF(errors > 0.05, 1, 0)'],
    ]);
  });

  it('an age, of which no data is a reason to ring', () => {
    expect(stale).toMatchObject({
      MetricName: 'LastSyncAge',
      Statistic: 'Maximum',
      Threshold: 7200,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'breaching',
    });
  });
});

describe('alarms', () => {
  it.each([
    [{}, 1],
    [{ duration: '5m' }, 2],
    [{ duration: '12m' }, 4],
    [{ duration: '1d' }, 288],
  ])('with %j look at %i periods', (more, periods) => {
    expect(compile("status == 'failed'", more)).toMatchObject({
      EvaluationPeriods: periods,
      DatapointsToAlarm: periods,
    });
  });

  it('of a window have it as their period, at least five minutes', () => {
    expect(compile('rows_synced < 1', { duration: '1d' })).toMatchObject({
      Period: 86_400,
      MetricName: 'RowsOk',
      Statistic: 'Sum',
    });
    expect(compile('rows_synced < 1', { duration: '1m' }).Period).toBe(300);
  });

  it('that are only for information tell nobody', () => {
    expect(compile("status == 'failed'", { severity: 'info' })).toMatchObject({ AlarmActions: [], OKActions: [] });
  });

  it('turn comparisons round for "not", which metric math does not have', () => {
    const { Metrics = [] } = compile(
      "not (status == 'failed' or failed_runs < 3 and not connection_status == 'failed')",
    );
    expect(Metrics.at(-1)?.Expression).toBe('IF(m1 != 2 AND (m2 >= 3 OR m3 == 1), 1, 0)');
  });

  it('have descriptions that AWS takes, with the link', () => {
    const long = `failed_runs > 1${' or failed_runs > 1'.repeat(50)}`;
    const { AlarmDescription } = compile(long, { name: 'n'.repeat(300) });
    expect(AlarmDescription.length).toBeLessThanOrEqual(1000);
    expect(AlarmDescription).toMatch(/ https:\/\/r\/b\.md#an-alert-of-an-integration$/);
  });

  it('are within the limits of AWS whatever the condition: 10 metrics, expressions of 2048 characters', () => {
    const ofScope = (scope: string) => IDENTIFIER_NAMES.filter((name) => identifier(name).scope === scope);
    const text = (name: (typeof IDENTIFIER_NAMES)[number]) => {
      const { type, words = [] } = identifier(name);
      return `${name} ${type === 'word' ? `== '${words[0]}'` : type === 'duration' ? "== '1s'" : '== 1'}`;
    };
    for (const scope of ['state', 'window']) {
      expect(metricsOf(compile(ofScope(scope).map(text).join(' or ')))).toBeLessThanOrEqual(10);
    }
    const most = Array.from({ length: 90 }, () => 'error_rate>1')
      .join('||')
      .slice(0, LONGEST_CONDITION);
    const whole = most.slice(0, most.lastIndexOf('||'));
    for (const { Expression = '' } of compile(whole).Metrics ?? []) expect(Expression.length).toBeLessThanOrEqual(2048);
  });

  it('say of any condition about a moment what it says itself', () => {
    const sample = fc.record<Sample>({
      connection_status: fc.constantFrom('connected', 'failed', 'unknown'),
      status: fc.constantFrom('healthy', 'degraded', 'failed', 'unknown'),
      last_sync_age: fc.nat(10),
      run_failure_rate: fc.constantFrom(0, 0.5, 1),
      failed_runs: fc.nat(10),
      consecutive_failures: fc.nat(10),
      sync_duration: fc.nat(10),
      sync_duration_p95: fc.nat(10),
      rows_per_second: fc.nat(10),
    });
    fc.assert(
      fc.property(anyCondition, sample, (condition, values) => {
        const spec = compileAlarm(
          { ...rule('failed_runs > 1'), condition, text: printCondition(condition) },
          'shop',
          target,
        );
        const data = Object.entries(stateMetrics(values, [condition])).map(([metric, { value }]) => ({
          metric,
          value,
          at: 300,
          arrives: 300,
        }));
        expect(alarmAt(spec, data, 300)).toBe(holds(condition, values) ? 'ALARM' : 'OK');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the plan of an integration', () => {
  const schedule = { group: 'g', roleArn: 'r', queueArn: 'q', deadLetterArn: 'd' };
  const document = {
    name: 'shop',
    sync_settings: { schedule: '0 2 * * *' },
    alerts: [{ name: 'A', condition: "status == 'failed'", severity: 'warning' }],
  };

  it('has its schedules and alarms', () => {
    const plan = planIntegration(document, { schedule, alarm: target });
    expect(plan.schedules.map(({ Name }) => Name)).toEqual(['shop-1']);
    expect(plan.alarms.map(({ AlarmName }) => AlarmName)).toEqual(['dev-int-shop.a']);
  });

  it('is empty while it is paused, and where nothing was asked for', () => {
    const empty = { schedules: [], alarms: [] };
    expect(planIntegration({ ...document, enabled: false }, { schedule, alarm: target })).toEqual(empty);
    expect(planIntegration({ name: 'shop' }, { schedule, alarm: target })).toEqual(empty);
  });
});
