import type { AlarmSpec } from '../../lib/adapters/aws/alarm-spec';
import { evaluateMath } from './metric-math';

/** One value of a metric, made at `at` and known from `arrives` on; seconds. */
export interface Datapoint {
  readonly metric: string;
  readonly value: number;
  readonly at: number;
  readonly arrives: number;
}

export type AlarmValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** CloudWatch looks back further than it has to, so that late data and holes change nothing ("evaluation range"). */
const FURTHER_PERIODS = 2;

/**
 * What CloudWatch says of an alarm at `now`, as its guide describes it ("Configuring how CloudWatch alarms treat missing
 * data"): values gathered by period, metric math for each period, the newest values that there are within the evaluation
 * range, and only where they are too few the treatment of missing data.
 */
export function alarmAt(spec: AlarmSpec, data: readonly Datapoint[], now: number): AlarmValue {
  const { EvaluationPeriods: count } = spec;
  const period = spec.Period ?? spec.Metrics?.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 0;
  const known = data.filter(({ at, arrives }) => arrives <= now && at <= now);
  const values = Array.from({ length: count + FURTHER_PERIODS }, (_, back) =>
    readPeriod(spec, known, now - (back + 1) * period, now - back * period),
  );
  const present = values.filter((value) => value !== undefined).slice(0, count);
  const breaching = present.filter((value) => breaches(spec, value)).length;
  const missing = count - present.length;
  if (present.length === 0 && spec.TreatMissingData !== 'breaching') return 'OK';
  const filled = spec.TreatMissingData === 'breaching' ? missing : 0;
  return breaching + filled >= spec.DatapointsToAlarm ? 'ALARM' : 'OK';
}

/** Of the period that begins after `from` and ends with `to`. */
function readPeriod(spec: AlarmSpec, data: readonly Datapoint[], from: number, to: number): number | undefined {
  const gather = (metric: string, stat: string): number | undefined => {
    const values = data
      .filter((one) => one.metric === metric && one.at > from && one.at <= to)
      .map(({ value }) => value);
    if (values.length === 0) return undefined;
    return stat === 'Sum' ? values.reduce((total, value) => total + value, 0) : Math.max(...values);
  };
  if (spec.Metrics === undefined) return gather(spec.MetricName ?? '', spec.Statistic ?? '');
  const ids = new Map<string, number | undefined>();
  for (const { Id, MetricStat, Expression, ReturnData } of spec.Metrics) {
    const value = MetricStat
      ? gather(MetricStat.Metric.MetricName, MetricStat.Stat)
      : evaluateMath(Expression ?? '', ids);
    if (ReturnData) return value;
    ids.set(Id, value);
  }
  throw new Error('no query returns data');
}

function breaches({ ComparisonOperator, Threshold }: AlarmSpec, value: number): boolean {
  switch (ComparisonOperator) {
    case 'GreaterThanThreshold':
      return value > Threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= Threshold;
    case 'LessThanThreshold':
      return value < Threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= Threshold;
  }
}
