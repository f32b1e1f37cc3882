import { missingBreaches } from '../../core/alert/condition';
import { type AlertRule, CHECK_SECONDS, isWindowRule, LONGEST_DURATION, windowOf } from '../../core/alert/rule';
import { type AlarmQuery, type Dimensions, holdsQueries, plainMetric, type Statistic } from './alarm-math';
import { asksOnlyForFailure, CONNECTION_FAILED } from './alarm-metrics';
import { NAMESPACE } from './metrics';

/** What the input of PutMetricAlarm and the properties of `AWS::CloudWatch::Alarm` have in common; all that we set. */
export interface AlarmSpec {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly ActionsEnabled: boolean;
  readonly AlarmActions: string[];
  readonly OKActions: string[];
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly Threshold: number;
  readonly ComparisonOperator: (typeof COMPARISONS)[keyof typeof COMPARISONS];
  readonly TreatMissingData: 'breaching' | 'notBreaching';
  /** Of an alarm of one metric. */
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: Dimensions;
  readonly Statistic?: Statistic;
  readonly Period?: number;
  /** Of an alarm of several. */
  readonly Metrics?: AlarmQuery[];
}

/** Where an integration's alarms are, and whom they tell. */
export interface AlarmTarget {
  readonly stage: string;
  /** What the names of alarms begin with. */
  readonly prefix: string;
  readonly topicArn: string;
  /** Address of the runbook. */
  readonly runbook: string;
}

/** The runbook's entry for all of them. */
export const RUNBOOK_ANCHOR = 'an-alert-of-an-integration';

const LONGEST_DESCRIPTION = 1000;

const COMPARISONS = {
  '>': 'GreaterThanThreshold',
  '>=': 'GreaterThanOrEqualToThreshold',
  '<': 'LessThanThreshold',
  '<=': 'LessThanOrEqualToThreshold',
} as const;

/** What the names of one integration's alarms begin with. A dot is in no name of an integration, so none is the beginning of another. */
export function alarmNames({ prefix }: Pick<AlarmTarget, 'prefix'>, integration: string): string {
  return `${prefix}${integration}.`;
}

/** Prefix of the alarms that CloudFormation owns, and of those that are made at run time. */
export function alarmPrefix(stage: string, owner: 'declared' | 'runtime'): string {
  return `${stage}-${owner === 'declared' ? 'declared' : 'int'}-`;
}

/** The alarm in CloudWatch of one alert. */
export function compileAlarm(rule: AlertRule, integration: string, target: AlarmTarget): AlarmSpec {
  const actions = rule.severity === 'info' ? [] : [target.topicArn];
  const periods = periodsOf(rule);
  const dimensions = [
    { Name: 'Stage', Value: target.stage },
    { Name: 'Integration', Value: integration },
  ];
  return {
    AlarmName: `${alarmNames(target, integration)}${rule.slug}`,
    AlarmDescription: describe(rule, integration, target),
    ActionsEnabled: true,
    AlarmActions: actions,
    OKActions: actions,
    EvaluationPeriods: periods,
    DatapointsToAlarm: periods,
    TreatMissingData: missingBreaches(rule.condition) ? 'breaching' : 'notBreaching',
    ...(ofOneMetric(rule, dimensions) ?? {
      Metrics: holdsQueries(rule, dimensions),
      Threshold: 1,
      ComparisonOperator: COMPARISONS['>='],
    }),
  };
}

/** AWS takes 1024 characters, of which a few are left for whoever marks the alarm. */
function describe({ severity, name, text }: AlertRule, integration: string, { runbook }: AlarmTarget): string {
  const link = ` ${runbook}#${RUNBOOK_ANCHOR}`;
  return `${severity}: ${integration}: ${name}: ${text}`.slice(0, LONGEST_DESCRIPTION - link.length) + link;
}

/** A condition about a moment must hold at each look from the first until `duration` later; a window is one period. */
function periodsOf(rule: AlertRule): number {
  if (isWindowRule(rule) || rule.duration === 0) return 1;
  return Math.min(LONGEST_DURATION / CHECK_SECONDS, Math.ceil(rule.duration / CHECK_SECONDS) + 1);
}

/** A comparison that CloudWatch itself can make. */
function ofOneMetric(rule: AlertRule, Dimensions: Dimensions) {
  const { condition } = rule;
  if (condition.kind !== 'leaf') return undefined;
  const one = { Namespace: NAMESPACE, Dimensions, Period: isWindowRule(rule) ? windowOf(rule) : CHECK_SECONDS };
  const { name, operator, value } = condition.leaf;
  if (name === 'connection_status' && asksOnlyForFailure(condition)) {
    const [sign, Threshold] = operator === '==' ? (['>=', 1] as const) : (['<', 1] as const);
    return {
      ...one,
      MetricName: CONNECTION_FAILED,
      Statistic: 'Maximum' as const,
      Threshold,
      ComparisonOperator: COMPARISONS[sign],
    };
  }
  if (operator === '==' || operator === '!=' || typeof value === 'string') return undefined;
  const [MetricName, Statistic] = plainMetric(name);
  if (MetricName === undefined) return undefined;
  return { ...one, MetricName, Statistic, Threshold: value, ComparisonOperator: COMPARISONS[operator] };
}

/** How many metrics an alarm is made of: each costs as one alarm. */
export function metricsOf({ Metrics }: Pick<AlarmSpec, 'Metrics'>): number {
  return Metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1;
}
