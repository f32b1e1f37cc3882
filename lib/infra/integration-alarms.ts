import { ArnFormat, CfnResource, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct, IConstruct } from 'constructs';
import { type AlarmSpec, alarmPrefix } from '../adapters/aws/alarm-spec';
import { acknowledge } from './acknowledge';

/** The alarm of a declared integration's alert. */
export function addDeclaredAlarm(scope: Construct, integration: string, spec: AlarmSpec): void {
  const slug = spec.AlarmName.slice(spec.AlarmName.lastIndexOf('.') + 1);
  new CfnResource(scope, `${integration}-alert-${slug}`, {
    type: 'AWS::CloudWatch::Alarm',
    properties: { ...spec },
  });
}

/** What who keeps the alarms of integrations that are made at run time needs: to change theirs, and to see which there are. */
export function keepAlarms(stack: Stack, stage: string): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RuntimeAlarms',
      actions: ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'],
      resources: [alarmArn(stack, `${alarmPrefix(stage, 'runtime')}*`)],
    }),
    new PolicyStatement({
      sid: 'ListAlarms',
      actions: ['cloudwatch:DescribeAlarms'],
      resources: [alarmArn(stack, '*')],
    }),
  ];
}

/** Accepts that a role reaches every alarm below the stage's prefix. */
export function acknowledgeAlarms(role: IConstruct, stage: string): void {
  const arn = (name: string) => `arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:${name}`;
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::${arn(`${alarmPrefix(stage, 'runtime')}*`)}]`,
    'It makes the alarms of integrations that come at run time; nothing else has names with this beginning.',
  );
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::${arn('*')}]`,
    'Listing alarms cannot be bound to the beginning of their names; it only reads, and what is not of this stage is passed over.',
  );
}

function alarmArn(stack: Stack, resourceName: string): string {
  return stack.formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
