import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Code, EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms';
import type { FunctionEnvironment } from './env';
import { QueueWithDeadLetters } from './queue-with-dead-letters';
import { RUNBOOK } from './runbook';
import { type FunctionNetwork, ServiceFunction } from './service-function';
import { SLICE_SECONDS, type StageSettings } from './stage-settings';

/** What one connector's runs are given. */
export interface ConnectorFunctionProps {
  readonly settings: StageSettings;
  readonly type: string;
  readonly code: Code;
  /** What all functions of the stage are told. */
  readonly environment: Omit<FunctionEnvironment, 'EXPLORERIO_QUEUES'>;
  readonly access: readonly PolicyStatement[];
  readonly alarms: Alarms;
  readonly network?: FunctionNetwork;
}

const FIVE_MINUTES = Duration.minutes(5);

/** The runs of one connector: its function, the queue that feeds it, and the alarms of both. */
export class ConnectorFunction extends Construct {
  readonly type: string;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly function: ServiceFunction;

  constructor(scope: Construct, id: string, props: ConnectorFunctionProps) {
    super(scope, id);
    const { settings, type } = props;
    this.type = type;
    const { queue, deadLetters } = new QueueWithDeadLetters(this, 'Messages');
    this.queue = queue;
    this.deadLetters = deadLetters;
    this.function = new ServiceFunction(this, 'Sync', {
      settings,
      description: `ExplorerIO ${settings.stage}: runs of ${type} integrations`,
      code: props.code,
      memory: settings.memory,
      timeout: Duration.seconds(SLICE_SECONDS),
      continuesItself: true,
      environment: {
        ...props.environment,
        EXPLORERIO_QUEUES: JSON.stringify({ [type]: queue.queueUrl }),
        EXPLORERIO_WORK_SECONDS: String(settings.workSeconds),
      },
      access: [...props.access, ownQueue(queue)],
      ...(props.network && { network: props.network }),
    });
    new EventSourceMapping(this, 'Trigger', {
      target: this.function.lambda,
      eventSourceArn: queue.queueArn,
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: settings.maxConcurrency,
    });
    this.#addAlarms(props.alarms, settings);
  }

  #addAlarms(alarms: Alarms, settings: StageSettings): void {
    const { lambda } = this.function;
    const minute = { period: Duration.minutes(1), statistic: Stats.MAXIMUM };
    const sum = { period: FIVE_MINUTES, statistic: Stats.SUM };
    // A slice ends by itself after the work budget; three quarters of what is left is too near to being killed.
    const late = (settings.workSeconds + (SLICE_SECONDS - settings.workSeconds) * 0.75) * 1000;
    const rules = {
      DeadLettersAlarm: {
        entry: RUNBOOK.deadLetters,
        metric: this.deadLetters.metricApproximateNumberOfMessagesVisible(minute),
        threshold: 1,
      },
      ErrorsAlarm: { entry: RUNBOOK.syncErrors, metric: lambda.metricErrors(sum), threshold: 1 },
      ThrottlesAlarm: { entry: RUNBOOK.syncThrottled, metric: lambda.metricThrottles(sum), threshold: 1, periods: 3 },
      DurationAlarm: {
        entry: RUNBOOK.slowSlice,
        metric: lambda.metricDuration({ period: FIVE_MINUTES, statistic: Stats.p(99) }),
        threshold: late,
      },
      WaitingAlarm: {
        entry: RUNBOOK.waitingMessages,
        metric: this.queue.metricApproximateAgeOfOldestMessage({ ...minute, period: FIVE_MINUTES }),
        threshold: 3600,
      },
    };
    for (const [id, rule] of Object.entries(rules)) alarms.add(this, id, rule);
  }
}

/** To take its messages, and to send itself the rest of a run. */
function ownQueue(queue: Queue): PolicyStatement {
  return new PolicyStatement({
    sid: 'OwnQueue',
    actions: [
      'sqs:SendMessage',
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
    ],
    resources: [queue.queueArn],
  });
}
