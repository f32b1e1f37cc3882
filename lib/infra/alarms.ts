import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { RunbookEntry } from './runbook';

/** When an alarm goes off. */
export interface AlarmRule {
  readonly entry: RunbookEntry;
  readonly metric: IMetric;
  /** It goes off at this value, or below it with `below`. */
  readonly threshold: number;
  readonly below?: boolean;
  readonly periods?: number;
}

/** Makes the alarms of one stage: each tells the topic, and links to what to do. */
export class Alarms {
  readonly #topic: ITopic;
  readonly #runbook: string;
  readonly all: Alarm[] = [];

  constructor(topic: ITopic, runbook: string) {
    this.#topic = topic;
    this.#runbook = runbook;
  }

  /** `below` is for what must happen: no data is then a reason to ring. */
  add(scope: Construct, id: string, { entry, metric, threshold, below = false, periods = 1 }: AlarmRule): void {
    const alarm = new Alarm(scope, id, {
      alarmDescription: `${entry.says} ${this.#runbook}#${entry.anchor}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
    this.all.push(alarm);
  }
}
