import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IVpc, SecurityGroup, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  Function as Lambda,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { FunctionEnvironment } from './env';
import type { StageSettings } from './stage-settings';

/** Where a function runs that needs private addresses. */
export interface FunctionNetwork {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: SecurityGroup;
}

/** What differs between functions. */
export interface ServiceFunctionProps {
  readonly settings: StageSettings;
  readonly description: string;
  readonly code: Code;
  readonly memory: number;
  readonly timeout: Duration;
  readonly environment: FunctionEnvironment;
  /** What it may do, beside writing its log. */
  readonly access: readonly PolicyStatement[];
  /** It sends messages to the queue that feeds it. */
  readonly continuesItself?: boolean;
  readonly network?: FunctionNetwork;
}

/** A function with a role and a log group of its own. */
export class ServiceFunction extends Construct {
  readonly lambda: Lambda;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { settings, network } = props;
    const logGroup = serviceLogGroup(this, 'Log', settings);
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(this.role);
    for (const statement of props.access) this.role.addToPolicy(statement);
    if (network) allowNetworkInterfaces(this.role);
    this.lambda = new Lambda(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      // An emulator runs functions as processes of its own machine.
      architecture: settings.emulated ? Architecture.X86_64 : Architecture.ARM_64,
      handler: 'index.handler',
      code: props.code,
      memorySize: props.memory,
      timeout: props.timeout,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Lambda ends a chain of messages after 16; the handler counts them itself and allows more.
      ...(props.continuesItself && { recursiveLoop: RecursiveLoop.ALLOW }),
      environment: {
        ...props.environment,
        // The authorities of RDS are in this file of the runtime, and are not trusted without it.
        ...(settings.destination === 'aurora' && { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' }),
      },
      ...(network && { vpc: network.vpc, vpcSubnets: network.subnets, securityGroups: [network.securityGroup] }),
    });
  }
}

/** A log group that is kept with its stage's data, or goes with its stack. */
export function serviceLogGroup(scope: Construct, id: string, settings: StageSettings): LogGroup {
  return new LogGroup(scope, id, {
    retention: settings.logRetentionDays,
    removalPolicy: settings.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}

/** What the managed policy for functions in a network allows, and no more. */
function allowNetworkInterfaces(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'NetworkInterfaces',
      actions: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'],
      resources: ['*'],
    }),
  );
  acknowledge(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'Lambda itself makes the network interfaces of a function with this role, and gives no ARN that could be named; DescribeNetworkInterfaces takes no resource at all.',
  );
}
