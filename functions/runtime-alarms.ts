import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { alarmPrefix } from '../lib/adapters/aws/alarm-spec';
import { CloudWatchAlarms } from '../lib/adapters/aws/alarms';
import type { Alarms } from '../lib/core/ports';
import type { FunctionEnvironment } from '../lib/infra/env';
import { type Declared, withoutDeclaredAlarms } from './declared';

/** The alarms of integrations that are made at run time; those of the others belong to the stack. None without a topic to tell. */
export function runtimeAlarms(environment: FunctionEnvironment, declared: Declared): Alarms | undefined {
  const { EXPLORERIO_STAGE: stage, EXPLORERIO_ALERT_TOPIC: topicArn } = environment;
  if (topicArn === undefined) return undefined;
  const alarms = new CloudWatchAlarms({
    client: new CloudWatchClient({}),
    stage,
    prefix: alarmPrefix(stage, 'runtime'),
    topicArn,
    runbook: environment.EXPLORERIO_RUNBOOK ?? '',
  });
  return withoutDeclaredAlarms(alarms, declared);
}
