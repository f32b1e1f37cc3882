import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { acknowledge } from './acknowledge';

const READ = ['dynamodb:GetItem', 'dynamodb:Query'];
/** The store writes by updates alone. */
const WRITE = ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

/** Partitions of the table that a run reads and writes; see `keys` in lib/engine/state.ts. */
const OF_RUNS = ['active', 'queued/*', 'idempotency', 'runs/*', 'run/*', 'fences/*', 'loads/*'];

/** Documents of integrations: who may change them decides where credentials are sent to. */
const OF_INTEGRATIONS = ['integrations'];

/** What the runs of a connector need: to read documents, and to keep its books. */
export function runState(tableArn: string): PolicyStatement[] {
  return [
    statement('ReadState', READ, tableArn, [...OF_INTEGRATIONS, ...OF_RUNS]),
    statement('WriteRuns', WRITE, tableArn, OF_RUNS),
  ];
}

/** What the API and the health function need: all records, each by its key. */
export function wholeState(tableArn: string): PolicyStatement[] {
  return [statement('State', [...READ, ...WRITE], tableArn, [...OF_INTEGRATIONS, ...OF_RUNS])];
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

/** The tag, with the value `true`, that lets a connector read a secret that no declared integration names. */
export function connectorTag(type: string): string {
  return `explorerio:${type}`;
}

/** The secrets that declared integrations of a connector name. Secrets Manager ends each ARN with six characters of its own. */
export function declaredSecrets(stack: Stack, stage: string, names: readonly string[]): PolicyStatement[] {
  if (names.length === 0) return [];
  const resources = [...new Set(names)].sort().map((name) => secretArn(stack, `${secretsPrefix(stage)}${name}-??????`));
  return [new PolicyStatement({ sid: 'DeclaredSecrets', actions: ['secretsmanager:GetSecretValue'], resources })];
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

/** All secrets of the stage. */
export function stageSecrets(stack: Stack, stage: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'StageSecrets',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretArn(stack, `${secretsPrefix(stage)}*`)],
  });
}

/** The secret with the URL of the destination. */
export function destinationSecret(arn: string): PolicyStatement {
  return new PolicyStatement({ sid: 'Destination', actions: ['secretsmanager:GetSecretValue'], resources: [arn] });
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
