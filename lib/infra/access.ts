import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { Fault } from '../core/fault';
import { acknowledge } from './acknowledge';
import { connectorTag } from './env';

const READ = ['dynamodb:GetItem', 'dynamodb:Query'];
/** The store writes by updates alone. */
const WRITE = ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

/** Partitions of the table that a run reads and writes; see `keys` in lib/engine/state.ts. */
const OF_RUNS = ['active', 'queued/*', 'idempotency', 'runs/*', 'run/*', 'fences/*', 'loads/*', 'schemas/*'];

/** What is remembered of the ages of credentials. */
const OF_CREDENTIALS = ['credentials'];

/** Documents of integrations: who may change them decides where credentials are sent to. */
const OF_INTEGRATIONS = ['integrations'];

/** What the regular tests of connections have shown. */
const OF_HEALTH = ['probes'];

/** What is to be told, and how it went. */
const OF_NOTIFICATIONS = ['notify/*'];

/** What the runs of a connector need: to read documents, and to keep its books. */
export function runState(tableArn: string): PolicyStatement[] {
  return [
    statement('ReadState', READ, tableArn, [...OF_INTEGRATIONS, ...OF_RUNS]),
    statement('WriteRuns', WRITE, tableArn, OF_RUNS),
  ];
}

/** What the API and the health function need: all records, each by its key. */
export function wholeState(tableArn: string): PolicyStatement[] {
  return [
    statement('State', [...READ, ...WRITE], tableArn, [
      ...OF_INTEGRATIONS,
      ...OF_CREDENTIALS,
      ...OF_HEALTH,
      ...OF_NOTIFICATIONS,
      ...OF_RUNS,
    ]),
  ];
}

function statement(sid: string, actions: string[], tableArn: string, partitions: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions,
    resources: [tableArn],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
      // ForAllValues is true for a request that has no key at all.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
}

/** What the names of a stage's secrets begin with: `${NAME}` in a document is the secret `<prefix>NAME`. */
export function secretsPrefix(stage: string): string {
  return `explorerio/${stage}/`;
}

/** The CDK moves what does not fit into a role's own policy into managed ones of 6,144 characters, but splits no statement. */
const MOST_CHARACTERS = 5000;
/** Of an ARN of a secret, in the longest region, with its quotes and its comma. */
const AROUND_NAME = 'arn:aws-us-gov:secretsmanager:ap-southeast-2:123456789012:secret:-??????"",'.length;
/** Ten managed policies go with a role. */
const MOST_STATEMENTS = 10;

/**
 * The secrets that declared integrations of a connector name, in statements of which each fits into a policy.
 * Secrets Manager ends each ARN with six characters of its own.
 * @throws Fault `config`/`too_many_secrets`
 */
export function declaredSecrets(
  stack: Stack,
  stage: string,
  type: string,
  names: readonly string[],
): readonly PolicyStatement[] {
  const sorted = [...new Set(names)].sort();
  const parts: string[][] = [];
  let left = 0;
  for (const name of sorted.map((own) => `${secretsPrefix(stage)}${own}`)) {
    left -= name.length + AROUND_NAME;
    if (left < 0) {
      parts.push([]);
      left = MOST_CHARACTERS - name.length - AROUND_NAME;
    }
    parts.at(-1)?.push(secretArn(stack, `${name}-??????`));
  }
  if (parts.length > MOST_STATEMENTS) throw tooManySecrets(type, sorted.length, parts.length);
  return parts.map(
    (resources, index) =>
      new PolicyStatement({
        sid: `DeclaredSecrets${index === 0 ? '' : index + 1}`,
        actions: ['secretsmanager:GetSecretValue'],
        resources,
      }),
  );
}

function tooManySecrets(type: string, count: number, policies: number): Fault {
  const doing = `planning the role of ${type}`;
  return new Fault(
    'config',
    'too_many_secrets',
    `${doing}: its declared integrations name ${count} secrets, for which ${policies} policies are needed; a role has ${MOST_STATEMENTS}`,
    {
      hint: `Make some of the integrations through the API instead of in files: their secrets are found by the tag ${connectorTag(type)} = true, and need no place in a policy.`,
    },
  );
}

/**
 * The secrets of integrations that are made at run time. Their names are not known now; whoever makes the secret says
 * with its tag which connector it is for.
 */
export function taggedSecrets(stack: Stack, stage: string, type: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'TaggedSecrets',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretArn(stack, `${secretsPrefix(stage)}*`)],
    conditions: { StringEquals: { [`secretsmanager:ResourceTag/${connectorTag(type)}`]: 'true' } },
  });
}

/** All secrets of the stage, and how old they are. */
export function stageSecrets(stack: Stack, stage: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'StageSecrets',
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    resources: [secretArn(stack, `${secretsPrefix(stage)}*`)],
  });
}

/** The secrets with the URL of the destination and with the key of the quarantine in it. */
export function destinationSecrets(arns: readonly string[]): PolicyStatement {
  return new PolicyStatement({ sid: 'Destination', actions: ['secretsmanager:GetSecretValue'], resources: [...arns] });
}

/** To tell people what happened to an integration, through the stage's topic and no other. */
export function notify(topicArn: string): PolicyStatement {
  return new PolicyStatement({ sid: 'Notify', actions: ['sns:Publish'], resources: [topicArn] });
}

/** Accepts that a role reaches every secret below the stage's prefix. */
export function acknowledgeSecrets(role: IConstruct, stage: string, reason: string): void {
  const arn = `arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${secretsPrefix(stage)}*`;
  acknowledge(role, `AwsSolutions-IAM5[Resource::${arn}]`, reason);
}

function secretArn(stack: Stack, resourceName: string): string {
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
