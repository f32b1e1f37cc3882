import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { ATTRIBUTES } from '../adapters/aws/table';
import { acknowledge } from './acknowledge';
import { Aurora } from './aurora';
import { STAGE_OUTPUTS } from './env';
import { Network } from './network';
import type { FunctionNetwork } from './service-function';
import type { StageSettings } from './stage-settings';

/** What is to outlive a change of the service. */
export interface StateStackProps {
  readonly settings: StageSettings;
  /** An integration is reached through a VPN. */
  readonly vpn: boolean;
}

/** Everything of a stage that holds data. */
export class StateStack extends Stack {
  readonly table: Table;
  readonly topic: Topic;
  readonly destinationSecretArn: string;
  readonly quarantineSecretArn: string;
  readonly network?: FunctionNetwork;
  readonly #settings: StageSettings;

  constructor(scope: Construct, id: string, { settings, vpn }: StateStackProps) {
    super(scope, id, {
      description: `ExplorerIO ${settings.stage}: data`,
      terminationProtection: settings.production,
    });
    this.#settings = settings;
    this.table = this.#stateTable();
    new CfnOutput(this, STAGE_OUTPUTS.tableName, { value: this.table.tableName, description: 'Table of the state' });
    this.#landingBucket();
    this.topic = this.#alertTopic();
    if (vpn || settings.destination === 'aurora') {
      this.network = new Network(this, 'Network', { settings, vpn }).forFunctions;
    }
    this.destinationSecretArn =
      settings.destination === 'aurora' && this.network
        ? new Aurora(this, 'Aurora', { settings, network: this.network }).urlSecretArn
        : this.#destinationSecret();
    this.quarantineSecretArn = this.#quarantineSecret();
    new CfnOutput(this, 'DestinationSecret', {
      value: this.destinationSecretArn,
      description: 'Secret that holds the URL of the destination',
    });
  }

  get #removalPolicy(): RemovalPolicy {
    return this.#settings.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  }

  #stateTable(): Table {
    return new Table(this, 'Table', {
      partitionKey: { name: ATTRIBUTES.partition, type: AttributeType.STRING },
      sortKey: { name: ATTRIBUTES.sort, type: AttributeType.STRING },
      timeToLiveAttribute: ATTRIBUTES.expiresAt,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: this.#settings.production,
      removalPolicy: this.#removalPolicy,
    });
  }

  /** For files that arrive, and for records that could not be loaded and are too many for the database. */
  #landingBucket(): void {
    const secure = {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
    };
    const accessLog = new Bucket(this, 'AccessLog', {
      ...secure,
      lifecycleRules: [{ expiration: Duration.days(90) }],
      // CloudFormation cannot remove a bucket that is not empty, and this one never stays empty.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    new Bucket(this, 'Landing', {
      ...secure,
      versioned: true,
      // The CDK's classes do not fit their own interfaces under exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLog as IBucket,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
      removalPolicy: this.#removalPolicy,
    });
  }

  #alertTopic(): Topic {
    const topic = new Topic(this, 'Alerts', { displayName: `ExplorerIO ${this.#settings.stage}`, enforceSSL: true });
    // A topic with a policy of its own has lost the one by which alarms of the account may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    const { alertEmail } = this.#settings;
    if (alertEmail !== undefined) topic.addSubscription(new EmailSubscription(alertEmail));
    new CfnOutput(this, 'AlertTopic', { value: topic.topicArn, description: 'Topic that alarms are sent to' });
    return topic;
  }

  /** Any change of these properties makes another key, and what is in quarantine unreadable. */
  #quarantineSecret(): string {
    const secret = new CfnSecret(this, 'QuarantineKey', {
      description: `ExplorerIO ${this.#settings.stage}: key under which records in quarantine are encrypted`,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    secret.applyRemovalPolicy(this.#removalPolicy);
    acknowledge(
      secret,
      'AwsSolutions-SMG4',
      'It is no password of a server but the key of data at rest: with another one the records in quarantine could not be read any more. It is random, never leaves the functions, and lives in Secrets Manager, apart from the data.',
    );
    return secret.ref;
  }

  /** Made without a value: the URL is put in by hand, and no deployment ever replaces it. */
  #destinationSecret(): string {
    const secret = new CfnSecret(this, 'Destination', {
      description: `ExplorerIO ${this.#settings.stage}: URL of the destination, postgresql://user:password@host/database?ssl=true`,
    });
    secret.applyRemovalPolicy(this.#removalPolicy);
    acknowledge(
      secret,
      'AwsSolutions-SMG4',
      'The password belongs to a database that is run by somebody else, and is changed there; the functions read the new value of the secret without a deployment.',
    );
    return secret.ref;
  }
}
