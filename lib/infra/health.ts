import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Alarms } from './alarms';
import { RUNBOOK } from './runbook';

const EVERY = Duration.minutes(5);

/** Starts the health function every five minutes, and tells when it does not run. */
export class HealthCheck extends Construct {
  constructor(scope: Construct, id: string, { lambda, alarms }: { readonly lambda: Lambda; readonly alarms: Alarms }) {
    super(scope, id);
    new Rule(this, 'Every5Minutes', {
      schedule: Schedule.rate(EVERY),
      // The next one comes soon enough; a second attempt would only meet it.
      targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: EVERY })],
    });
    const sum = { statistic: Stats.SUM };
    alarms.add(this, 'SilentAlarm', {
      entry: RUNBOOK.healthSilent,
      metric: lambda.metricInvocations({ ...sum, period: Duration.minutes(15) }),
      threshold: 1,
      below: true,
    });
    alarms.add(this, 'ErrorsAlarm', {
      entry: RUNBOOK.healthErrors,
      metric: lambda.metricErrors({ ...sum, period: Duration.minutes(15) }),
      threshold: 2,
    });
  }
}
