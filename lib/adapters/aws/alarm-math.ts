import type { Comparison, Condition } from '../../core/alert/condition';
import type { IdentifierName } from '../../core/alert/identifiers';
import type { Operator } from '../../core/alert/parse';
import { type AlertRule, CHECK_SECONDS, isWindowRule, windowOf } from '../../core/alert/rule';
import {
  asksOnlyForFailure,
  CONNECTION_FAILED,
  metricValue,
  ROWS_FAILED,
  ROWS_OK,
  ROWS_QUARANTINED,
  STATE_METRICS,
} from './alarm-metrics';
import { NAMESPACE } from './metrics';

/** A metric of an alarm, or an expression over those before it. */
export interface AlarmQuery {
  readonly Id: string;
  readonly MetricStat?: {
    readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions: Dimensions };
    readonly Period: number;
    readonly Stat: Statistic;
  };
  readonly Expression?: string;
  readonly ReturnData: boolean;
}

/** Of what CloudWatch gathers in a period. */
export type Statistic = 'Maximum' | 'Sum';
/** What a metric is about. */
export type Dimensions = { readonly Name: string; readonly Value: string }[];

const NEGATED: { readonly [operator in Operator]: Operator } = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/** The metric of a name that is no rate, and how it is gathered. */
export function plainMetric(name: IdentifierName): [string | undefined, Statistic] {
  if (name === 'rows_synced') return [ROWS_OK, 'Sum'];
  if (name === 'quarantined_rows') return [ROWS_QUARANTINED, 'Sum'];
  return [STATE_METRICS[name]?.[0], 'Maximum'];
}

/** The metrics of a condition, and an expression over them that is 1 where it holds. */
export function holdsQueries(rule: AlertRule, Dimensions: Dimensions): AlarmQuery[] {
  const window = isWindowRule(rule);
  const onlyFailure = asksOnlyForFailure(rule.condition);
  const names = new Map<string, string>();
  const idOf = (metric: string): string => {
    const id = names.get(metric) ?? `m${names.size + 1}`;
    names.set(metric, id);
    return id;
  };
  const rates: AlarmQuery[] = [];
  const rateOf = (name: IdentifierName, failed: string): string => {
    const id = name === 'error_rate' ? 'errors' : 'quarantined';
    if (!rates.some((rate) => rate.Id === id))
      rates.push(rateQuery(id, idOf(failed), idOf(ROWS_OK), idOf(ROWS_FAILED)));
    return id;
  };
  const leaf = ({ name, operator, value }: Comparison): string => {
    if (name === 'connection_status' && onlyFailure) return `${idOf(CONNECTION_FAILED)} ${operator} 1`;
    const measured =
      name === 'error_rate'
        ? rateOf(name, ROWS_FAILED)
        : name === 'quarantine_rate'
          ? rateOf(name, ROWS_QUARANTINED)
          : idOf(plainMetric(name)[0] ?? '');
    return `${measured} ${operator} ${metricValue(name, value)}`;
  };
  const expression = `IF(${mathOf(withoutNot(rule.condition), leaf)}, 1, 0)`;
  const metrics = [...names].map(([MetricName, Id]) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: NAMESPACE, MetricName, Dimensions },
      Period: window ? windowOf(rule) : CHECK_SECONDS,
      Stat: window ? ('Sum' as const) : ('Maximum' as const),
    },
  }));
  return [...metrics, ...rates, { Id: 'holds', Expression: expression, ReturnData: true }];
}

/** No rows are no rate, and so nothing bad. */
function rateQuery(Id: string, part: string, ok: string, failed: string): AlarmQuery {
  const total = `${ok} + ${failed}`;
  return { Id, Expression: `IF(${total} > 0, ${part} / (${total}), 0)`, ReturnData: false };
}

/** Metric math has no "not": each comparison is turned round instead. */
function withoutNot(condition: Condition, negated = false): Condition {
  if (condition.kind === 'not') return withoutNot(condition.of, !negated);
  if (condition.kind === 'leaf') {
    const { operator } = condition.leaf;
    return { kind: 'leaf', leaf: { ...condition.leaf, operator: negated ? NEGATED[operator] : operator } };
  }
  const kind = negated ? (condition.kind === 'and' ? 'or' : 'and') : condition.kind;
  return { kind, of: condition.of.map((part) => withoutNot(part, negated)) };
}

function mathOf(condition: Condition, leaf: (comparison: Comparison) => string): string {
  if (condition.kind === 'leaf') return leaf(condition.leaf);
  if (condition.kind === 'not') return mathOf(withoutNot(condition), leaf);
  const sign = condition.kind === 'and' ? ' AND ' : ' OR ';
  return condition.of.map((part) => (part.kind === 'leaf' ? mathOf(part, leaf) : `(${mathOf(part, leaf)})`)).join(sign);
}
