import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Alarms } from './alarms';
import type { ConnectorFunction } from './connector-function';

const FIVE_MINUTES = Duration.minutes(5);
const SUM = { period: FIVE_MINUTES, statistic: Stats.SUM };

/** One page for a stage: its alarms, then a row for every connector, then the API. */
export function addDashboard(
  scope: Construct,
  props: { readonly alarms: Alarms; readonly connectors: readonly ConnectorFunction[]; readonly apiId: string },
): void {
  const dashboard = new Dashboard(scope, 'Dashboard', { defaultInterval: Duration.days(1) });
  dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: props.alarms.all }));
  for (const connector of props.connectors) dashboard.addWidgets(...connectorRow(connector));
  dashboard.addWidgets(
    graph('API', [apiMetric(props.apiId, 'Count', Stats.SUM), apiMetric(props.apiId, '5xx', Stats.SUM)]),
    graph('API, time', [
      apiMetric(props.apiId, 'Latency', Stats.p(50)),
      apiMetric(props.apiId, 'Latency', Stats.p(99)),
    ]),
  );
}

function connectorRow({ type, queue, deadLetters, function: { lambda } }: ConnectorFunction): IWidget[] {
  const most = { period: FIVE_MINUTES, statistic: Stats.MAXIMUM };
  return [
    graph(`${type}: slices`, [lambda.metricInvocations(SUM), lambda.metricErrors(SUM), lambda.metricThrottles(SUM)]),
    graph(`${type}: time of slices`, [
      lambda.metricDuration({ period: FIVE_MINUTES, statistic: Stats.p(50) }),
      lambda.metricDuration({ period: FIVE_MINUTES, statistic: Stats.p(99) }),
    ]),
    graph(`${type}: messages`, [
      queue.metricApproximateNumberOfMessagesVisible(most),
      deadLetters.metricApproximateNumberOfMessagesVisible({ ...most, label: 'dead letters' }),
      queue.metricApproximateAgeOfOldestMessage({ ...most, label: 'oldest, seconds' }),
    ]),
  ];
}

function apiMetric(apiId: string, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: 'AWS/ApiGateway',
    metricName,
    dimensionsMap: { ApiId: apiId },
    period: FIVE_MINUTES,
    statistic,
    label: `${metricName} ${statistic}`,
  });
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6 });
}
