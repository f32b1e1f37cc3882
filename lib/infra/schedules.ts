import { CfnResource, Duration, Stack } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { Alarms } from './alarms';
import { deadLetterQueue } from './queue-with-dead-letters';
import { RUNBOOK } from './runbook';

/** What schedules are made of. */
export interface SchedulesProps {
  readonly stage: string;
  readonly queues: readonly Queue[];
  readonly alarms: Alarms;
}

/**
 * Two groups of schedules: one is CloudFormation's, for integrations that are declared in files, and one the API's. One
 * role sends the messages of both.
 */
export class Schedules extends Construct {
  readonly declaredGroup: string;
  readonly runtimeGroup: string;
  readonly role: Role;
  readonly deadLetters: Queue;
  readonly #declared: CfnScheduleGroup;

  constructor(scope: Construct, id: string, { stage, queues, alarms }: SchedulesProps) {
    super(scope, id);
    this.declaredGroup = `explorerio-${stage}-declared`;
    this.runtimeGroup = `explorerio-${stage}-runtime`;
    this.#declared = new CfnScheduleGroup(this, 'Declared', { name: this.declaredGroup });
    new CfnScheduleGroup(this, 'Runtime', { name: this.runtimeGroup });
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    acknowledge(this.deadLetters, 'AwsSolutions-SQS3', 'It is itself the dead-letter queue, of the schedules.');
    this.role = this.#sender([...queues, this.deadLetters]);
    alarms.add(this, 'LostAlarm', {
      entry: RUNBOOK.lostSchedules,
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: Stats.MAXIMUM,
      }),
      threshold: 1,
    });
  }

  /** A schedule of a declared integration. `properties` are those of AWS::Scheduler::Schedule. */
  addDeclared(id: string, properties: object): void {
    const schedule = new CfnResource(this, id, { type: 'AWS::Scheduler::Schedule', properties: { ...properties } });
    schedule.addResourceDependency(this.#declared);
  }

  /** ARN pattern of the schedules that are made at run time. */
  get runtimeSchedules(): string {
    return Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${this.runtimeGroup}/*`,
    });
  }

  #sender(queues: readonly Queue[]): Role {
    const stack = Stack.of(this);
    const groups = [this.declaredGroup, this.runtimeGroup].map((resourceName) =>
      stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName }),
    );
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': groups } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({
        sid: 'SendTicks',
        actions: ['sqs:SendMessage'],
        resources: queues.map((queue) => queue.queueArn),
      }),
    );
    return role;
  }
}
