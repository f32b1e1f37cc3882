import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAGE_PARTS } from '../../lib/engine/cost';
import { RUNBOOK } from '../../lib/infra/runbook';
import { resourcesOf, root, templatesOf } from './synth';

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

it('every entry of the runbook has an alarm, and every alarm an entry', () => {
  const known = Object.values(RUNBOOK).map(({ anchor }) => anchor);
  expect([...anchors].sort()).toEqual([...known].sort());
  const used = new Set(alarms.map(([, { Properties }]) => Properties.AlarmDescription.split('#')[1]));
  expect([...used].sort()).toEqual([...known].sort());
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

it('none is made of several metrics, which an emulator cannot do and which costs more', () => {
  for (const [, { Properties }] of alarms) expect(Properties.Metrics).toBeUndefined();
});
