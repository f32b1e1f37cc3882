import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { type FunctionNetwork, serviceLogGroup } from './service-function';
import type { StageSettings } from './stage-settings';

const SUBNETS = { subnetType: SubnetType.PRIVATE_ISOLATED };

/** Whether the network has a gateway for VPN connections. */
export interface NetworkProps {
  readonly settings: StageSettings;
  readonly vpn: boolean;
}

/** A network without a way to the internet; the services of AWS that the functions use have endpoints in it. */
export class Network extends Construct {
  readonly forFunctions: FunctionNetwork;

  constructor(scope: Construct, id: string, { settings, vpn }: NetworkProps) {
    super(scope, id);
    const made = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'functions', cidrMask: 20, ...SUBNETS }],
      // Emptying the default security group would need a function of the CDK's own with wide rights; nothing uses the group.
      restrictDefaultSecurityGroup: false,
      gatewayEndpoints: {
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        S3: { service: GatewayVpcEndpointAwsService.S3 },
      },
      flowLogs: {
        Rejected: {
          destination: FlowLogDestination.toCloudWatchLogs(serviceLogGroup(this, 'FlowLog', settings)),
          trafficType: FlowLogTrafficType.REJECT,
        },
      },
      ...(vpn && { vpnGateway: true, vpnRoutePropagation: [SUBNETS] }),
    });
    // The CDK's classes do not fit their own interfaces under exactOptionalPropertyTypes.
    const vpc = made as IVpc;
    const services = {
      Queues: InterfaceVpcEndpointAwsService.SQS,
      Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      Scheduler: new InterfaceVpcEndpointAwsService('scheduler'),
    };
    const securityGroup = new SecurityGroup(this, 'Functions', {
      vpc,
      description: 'Functions of ExplorerIO: nothing comes in; sources may listen at any port',
    });
    for (const [name, service] of Object.entries(services)) {
      const endpoint = made.addInterfaceEndpoint(name, { service, subnets: SUBNETS, open: false });
      endpoint.connections.allowDefaultPortFrom(securityGroup);
    }
    this.forFunctions = { vpc, subnets: SUBNETS, securityGroup };
  }
}
