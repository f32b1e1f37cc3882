import type { Template } from 'aws-cdk-lib/assertions';
import { resourcesOf } from './synth';

/** Names as long as CloudFormation makes them. */
const LONGEST_NAMES: { readonly [type: string]: number } = {
  'AWS::SQS::Queue': 80,
  'AWS::IAM::Role': 64,
  'AWS::DynamoDB::Table': 100,
};
/** The ARN of a secret or a topic with a long name. */
const OF_ANOTHER_STACK = 'x'.repeat(160);
const PSEUDO: { readonly [name: string]: string } = {
  'AWS::Region': 'ap-southeast-2',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws-us-gov',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'ExplorerIO-a-long-name-of-stage-Service',
};
const ACCOUNT = `${PSEUDO['AWS::Region']}:${PSEUDO['AWS::AccountId']}`;

/** A value of a template as long as AWS makes it at most. */
export function rendered(template: Template, value: unknown): string {
  const types = new Map(resourcesOf(template).map(([id, { Type }]) => [id, Type]));
  const render = (part: unknown): string => {
    if (typeof part !== 'object' || part === null) return String(part);
    const [[name, given] = ['', undefined]] = Object.entries(part);
    if (name === 'Fn::Join') {
      const [separator, parts] = given as [string, unknown[]];
      return parts.map(render).join(separator);
    }
    if (name === 'Ref' && String(given) in PSEUDO) return PSEUDO[String(given)] ?? '';
    if (name === 'Ref') return named(types.get(String(given)), 'Ref');
    if (name === 'Fn::GetAtt') return named(types.get((given as [string])[0]), (given as string[])[1]);
    return OF_ANOTHER_STACK;
  };
  return render(value);
}

function named(type: string | undefined, attribute: string | undefined): string {
  const name = 'n'.repeat(LONGEST_NAMES[type ?? ''] ?? 128);
  if (attribute === 'Arn') return `arn:${PSEUDO['AWS::Partition']}:service:${ACCOUNT}:${name}`;
  const isUrl = type === 'AWS::SQS::Queue' && attribute === 'Ref';
  return isUrl ? `https://sqs.${PSEUDO['AWS::Region']}.amazonaws.com/${PSEUDO['AWS::AccountId']}/${name}` : name;
}
