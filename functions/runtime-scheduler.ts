import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { besideArn, readQueueUrls } from '../lib/adapters/aws/queue-addresses';
import { AwsScheduler } from '../lib/adapters/aws/scheduler';
import { Fault } from '../lib/core/fault';
import type { Scheduler, StateStore } from '../lib/core/ports';
import { systemClock } from '../lib/core/system-clock';
import type { FunctionEnvironment } from '../lib/infra/env';
import { type Declared, withoutDeclared } from './declared';
import { typeOf } from './queues';

/** The schedules of integrations that are made at run time; those of the others belong to the stack. */
export function runtimeScheduler(environment: FunctionEnvironment, state: StateStore, declared: Declared): Scheduler {
  const urls = readQueueUrls(environment.EXPLORERIO_QUEUES);
  const deadLetterArn = environment.EXPLORERIO_SCHEDULE_DEAD_LETTERS ?? '';
  const scheduler = new AwsScheduler({
    client: new SchedulerClient({}),
    group: environment.EXPLORERIO_SCHEDULE_GROUP ?? 'default',
    roleArn: environment.EXPLORERIO_SCHEDULE_ROLE ?? '',
    deadLetterArn,
    clock: systemClock,
    async queueArn(integration) {
      const type = await typeOf(state, integration);
      const url = urls[type];
      if (url !== undefined) return besideArn(deadLetterArn, url);
      throw new Fault('config', 'unknown_type', `scheduling ${integration}: this stage has no queue for type ${type}`, {
        hint: 'Deploy the stage again: the connector is newer than its stacks.',
      });
    },
  });
  return withoutDeclared(scheduler, declared);
}
