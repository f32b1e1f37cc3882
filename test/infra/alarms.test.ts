import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAGE_PARTS } from '../../lib/engine/cost';
import { RUNBOOK } from '../../lib/infra/runbook';
import { declaredExample, resourcesOf, root, statementOf, statementsOf, templatesOf } from './synth';

const TYPES = ['postgresql', 'rest_api'];
const { service } = templatesOf({ types: TYPES, context: { runbook: 'https://example.com/runbook.md' } });
const alarms = resourcesOf(service, 'AWS::CloudWatch::Alarm');

/** Headings as GitHub makes anchors of them. */
const anchors = readFileSync(join(root, 'docs/runbook.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('## '))
  .map((line) =>
    line
      .slice(3)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

it.each(alarms)('%s tells somebody, and links to what to do', (_id, { Properties }) => {
  expect(Properties.AlarmActions).toHaveLength(1);
  const [, anchor = ''] = /https:\/\/example\.com\/runbook\.md#([\w-]+)$/.exec(Properties.AlarmDescription) ?? [];
  expect(anchors).toContain(anchor);
});

it('names the file of the clone where no address of the runbook is set', () => {
  const alone = resourcesOf(templatesOf({ types: ['postgresql'] }).service, 'AWS::CloudWatch::Alarm');
  const links = alone.map(([, { Properties }]) => /(\S+)#([\w-]+)$/.exec(Properties.AlarmDescription)?.slice(1));
  expect(new Set(links.map((link) => link?.[0]))).toEqual(new Set(['docs/runbook.md']));
  for (const link of links) expect(anchors).toContain(link?.[1]);
});

it('every entry of the runbook has an alarm, and every alarm an entry', () => {
  const known = Object.values(RUNBOOK).map(({ anchor }) => anchor);
  expect([...anchors].sort()).toEqual([...known].sort());
  const ofStage = known.filter((anchor) => anchor !== RUNBOOK.integrationAlert.anchor);
  const used = new Set(alarms.map(([, { Properties }]) => Properties.AlarmDescription.split('#')[1]));
  expect([...used].sort()).toEqual([...ofStage].sort());
});

it('are as many as the estimate of the cost counts', () => {
  expect(alarms).toHaveLength(STAGE_PARTS.alarms + STAGE_PARTS.alarmsPerConnector * TYPES.length);
});

const rules: [string, object][] = [
  ['postgresqlDeadLettersAlarm', { Threshold: 1, Statistic: 'Maximum', Period: 60, TreatMissingData: 'notBreaching' }],
  ['postgresqlErrorsAlarm', { MetricName: 'Errors', Threshold: 1 }],
  ['postgresqlThrottlesAlarm', { MetricName: 'Throttles', Threshold: 1 }],
  ['postgresqlDurationAlarm', { MetricName: 'Duration', ExtendedStatistic: 'p99', Threshold: 285_000 }],
  ['postgresqlWaitingAlarm', { MetricName: 'ApproximateAgeOfOldestMessage', Threshold: 3600 }],
  ['SchedulesLostAlarm', { MetricName: 'ApproximateNumberOfMessagesVisible', Threshold: 1 }],
  ['HealthSilentAlarm', { ComparisonOperator: 'LessThanThreshold', Threshold: 1, TreatMissingData: 'breaching' }],
];

it.each(rules)('%s goes off when it should', (prefix, rule) => {
  const found = alarms.filter(([id]) => id.startsWith(prefix));
  expect(found).toEqual([[expect.any(String), expect.objectContaining({ Properties: expect.objectContaining(rule) })]]);
});

it('none of the stage itself is made of several metrics, which an emulator cannot do and which costs more', () => {
  for (const [, { Properties }] of alarms) expect(Properties.Metrics).toBeUndefined();
});

describe('alarms of declared integrations', () => {
  const alert = (name: string, condition: string, severity: string) => ({ name, condition, severity });
  const document = {
    name: 'main',
    type: 'postgresql',
    alerts: [
      alert('Integration Failure', "connection_status == 'failed'", 'critical'),
      alert('High Error Rate', 'error_rate > 0.05', 'warning'),
      alert('Slow', "sync_duration > '1h'", 'info'),
    ],
  };
  const context = { runbook: 'https://example.com/runbook.md' };
  const made = (more: object = {}, further: object = {}) => {
    const declared = [declaredExample({ document: { ...document, ...more } })];
    const { service: template } = templatesOf({ declared, context: { ...context, ...further } });
    return resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties)
      .filter(({ AlarmName = '' }) => AlarmName.startsWith('dev-declared-main.'));
  };

  it('are one for each alert, with names that no function may touch', () => {
    expect(made().map(({ AlarmName }) => AlarmName)).toEqual([
      'dev-declared-main.integration-failure',
      'dev-declared-main.high-error-rate',
      'dev-declared-main.slow',
    ]);
  });

  it('tell the topic of the stage and link to their entry, save those that are for information', () => {
    const [failure, errors, slow] = made();
    for (const { AlarmActions, OKActions, AlarmDescription } of [failure, errors]) {
      expect(AlarmActions).toEqual([alarms[0]?.[1].Properties.AlarmActions[0]]);
      expect(OKActions).toEqual(AlarmActions);
      expect(anchors).toContain(AlarmDescription.split('#')[1]);
    }
    expect(slow.AlarmActions).toEqual([]);
  });

  it('use several metrics only where the condition does', () => {
    expect(made().map(({ Metrics, MetricName }) => MetricName ?? Metrics.length)).toEqual([
      'ConnectionFailed',
      4,
      'SyncDuration',
    ]);
  });

  it('are not there while it is paused; in an emulator those of several metrics are left out', () => {
    expect(made({ enabled: false })).toEqual([]);
    expect(made({}, { emulated: 'true' })).toHaveLength(2);
  });
});

describe.each(['ApiFunctionRole', 'HealthFunctionRole'])('%s', (role) => {
  it('changes only alarms of integrations that are made at run time', () => {
    const { Action, Resource } = statementOf(service, role, 'RuntimeAlarms');
    expect(Action).toEqual(['cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm']);
    expect(JSON.stringify(Resource)).toMatch(/:alarm:dev-int-\*"/);
    const { Action: list, Resource: all } = statementOf(service, role, 'ListAlarms');
    expect(list).toBe('cloudwatch:DescribeAlarms');
    expect(JSON.stringify(all)).toMatch(/:alarm:\*"/);
  });
});

it('no sync function may change an alarm', () => {
  const actions = statementsOf(service, 'postgresqlSyncRole').flatMap(({ Action }) => Action);
  expect(actions.filter((action) => action.startsWith('cloudwatch:'))).toEqual([]);
});
