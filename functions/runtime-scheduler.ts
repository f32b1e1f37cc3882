import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { AwsScheduler } from '../lib/adapters/aws/scheduler';
import { Fault } from '../lib/core/fault';
import type { Scheduler, StateStore } from '../lib/core/ports';
import { systemClock } from '../lib/core/system-clock';
import type { FunctionEnvironment } from '../lib/infra/env';
import { type Declared, withoutDeclared } from './declared';
import { typeOf } from './home';

/** The schedules of integrations that are made at run time; those of the others belong to the stack. */
export function runtimeScheduler(environment: FunctionEnvironment, state: StateStore, declared: Declared): Scheduler {
  const arns = JSON.parse(environment.EXPLORERIO_QUEUE_ARNS ?? '{}') as { readonly [type: string]: string };
  const scheduler = new AwsScheduler({
    client: new SchedulerClient({}),
    group: environment.EXPLORERIO_SCHEDULE_GROUP ?? 'default',
    roleArn: environment.EXPLORERIO_SCHEDULE_ROLE ?? '',
    deadLetterArn: environment.EXPLORERIO_SCHEDULE_DEAD_LETTERS ?? '',
    clock: systemClock,
    async queueArn(integration) {
      const type = await typeOf(state, integration);
      const arn = arns[type];
      if (arn !== undefined) return arn;
      throw new Fault('config', 'unknown_type', `scheduling ${integration}: this stage has no queue for type ${type}`, {
        hint: 'Deploy the stage again: the connector is newer than its stacks.',
      });
    },
  });
  return withoutDeclared(scheduler, declared);
}
