import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { FunctionNetwork } from './service-function';
import type { StageSettings } from './stage-settings';

const USER = 'explorerio';
const DATABASE = 'explorerio';
/** Not the usual one, where scanners look first. */
const PORT = 5433;

/** The password stands in a URL, so it has nothing that would have to be encoded there. */
const NOT_IN_URL = ' !"#$%&\'()*+,/:;<=>?@[\\]^`{|}~';

/** An Aurora PostgreSQL that sleeps, and then costs only its storage, while nobody uses it. */
export class Aurora extends Construct {
  /** ARN of the secret that holds its URL. */
  readonly urlSecretArn: string;

  constructor(scope: Construct, id: string, props: { settings: StageSettings; network: FunctionNetwork }) {
    super(scope, id);
    const { settings, network } = props;
    const removalPolicy = settings.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'The database of ExplorerIO: only its functions come in',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(network.securityGroup, Port.tcp(PORT), 'functions');
    const cluster = new DatabaseCluster(this, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_7 }),
      writer: ClusterInstance.serverlessV2('Writer', { publiclyAccessible: false }),
      serverlessV2MinCapacity: 0,
      serverlessV2MaxCapacity: 8,
      serverlessV2AutoPauseDuration: Duration.minutes(10),
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      securityGroups: [securityGroup],
      port: PORT,
      defaultDatabaseName: DATABASE,
      credentials: Credentials.fromGeneratedSecret(USER, { excludeCharacters: NOT_IN_URL }),
      iamAuthentication: true,
      storageEncrypted: true,
      backup: { retention: Duration.days(settings.production ? 14 : 1) },
      copyTagsToSnapshot: true,
      deletionProtection: settings.production,
      removalPolicy,
    });
    this.urlSecretArn = this.#urlSecret(cluster, removalPolicy);
    acknowledgeFindings(cluster, settings);
  }

  /** CloudFormation puts the password in when it makes the secret; the template does not hold it. */
  #urlSecret(cluster: DatabaseCluster, removalPolicy: RemovalPolicy): string {
    const password = cluster.secret?.secretValueFromJson('password').unsafeUnwrap() ?? '';
    const { hostname } = cluster.clusterEndpoint;
    const secret = new CfnSecret(this, 'Url', {
      description: 'URL of the ExplorerIO database',
      secretString: `postgresql://${USER}:${password}@${hostname}:${PORT}/${DATABASE}?ssl=true`,
    });
    secret.applyRemovalPolicy(removalPolicy);
    acknowledge(secret, 'AwsSolutions-SMG4', OWN_PASSWORD);
    return secret.ref;
  }
}

const OWN_PASSWORD =
  'The database has no address outside of its network and lets only the functions in; its generated password is replaced by deploying with another, not by a schedule, which would break the URL that is made of it.';

function acknowledgeFindings(cluster: DatabaseCluster, settings: StageSettings): void {
  acknowledge(cluster, 'AwsSolutions-SMG4', OWN_PASSWORD);
  if (settings.production) return;
  acknowledge(
    cluster,
    'AwsSolutions-RDS10',
    'A stage that is not for production can be taken down with its data; production stages are protected.',
  );
}
