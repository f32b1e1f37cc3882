import { declaredExample, resourcesOf, templatesOf } from './synth';

const { state, service } = templatesOf({});
const production = templatesOf({ context: { stage: 'prod' } });
const aurora = templatesOf({ context: { destination: 'aurora' } });
const types = (template: typeof state) => new Set(resourcesOf(template).map(([, { Type }]) => Type));

describe('the table', () => {
  it('has the keys of the store, forgets what has expired and can be brought back', () => {
    state.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('is kept in production and goes with any other stage', () => {
    state.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete' });
    production.state.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    });
  });
});

describe('the buckets', () => {
  it('are private, encrypted and reached by TLS only', () => {
    const buckets = resourcesOf(state, 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(2);
    state.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    for (const [id, { Properties }] of buckets) {
      expect(Properties.BucketEncryption).toBeDefined();
      const policy = resourcesOf(state, 'AWS::S3::BucketPolicy').find(([, one]) => one.Properties.Bucket.Ref === id);
      expect(JSON.stringify(policy?.[1].Properties)).toContain('"aws:SecureTransport":"false"');
    }
  });
});

describe('the topic for alerts', () => {
  it('takes messages of alarms of this account, and only encrypted ones', () => {
    const [policy] = resourcesOf(state, 'AWS::SNS::TopicPolicy').map(([, { Properties }]) => Properties.PolicyDocument);
    expect(policy.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
    expect(policy.Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });

  it('sends them to an address, if there is one', () => {
    expect(types(state).has('AWS::SNS::Subscription')).toBe(false);
    const { state: mailed } = templatesOf({ context: { alertEmail: 'ops@example.com' } });
    mailed.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  });
});

const secretOf = (template: typeof state, prefix: string) =>
  resourcesOf(template, 'AWS::SecretsManager::Secret').find(([id]) => id.startsWith(prefix))?.[1];

describe('the key of the quarantine', () => {
  it('is made by the deployment, is in no template, and stays what it is', () => {
    for (const template of [state, production.state, aurora.state]) {
      const secret = secretOf(template, 'QuarantineKey');
      expect(secret?.Properties.SecretString).toBeUndefined();
      // Another length or set of characters would be another key.
      expect(secret?.Properties.GenerateSecretString).toEqual({ PasswordLength: 64, ExcludePunctuation: true });
    }
  });

  it('is kept in production, and goes with any other stage', () => {
    expect(secretOf(production.state, 'QuarantineKey')?.DeletionPolicy).toBe('Retain');
    expect(secretOf(state, 'QuarantineKey')?.DeletionPolicy).toBe('Delete');
  });
});

describe('the destination', () => {
  it('is a secret that no deployment writes, and no network, by default', () => {
    const secret = secretOf(state, 'Destination')?.Properties;
    expect(secret).toBeDefined();
    expect(secret.SecretString).toBeUndefined();
    expect(secret.GenerateSecretString).toBeUndefined();
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::NatGateway', 'AWS::RDS::DBCluster']) {
      expect(types(state).has(type)).toBe(false);
    }
    expect(JSON.stringify(service.toJSON())).not.toContain('VpcConfig');
  });

  it('is an Aurora that sleeps, in a network without a way out, when asked for', () => {
    aurora.state.hasResourceProperties('AWS::RDS::DBCluster', {
      Engine: 'aurora-postgresql',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 8, SecondsUntilAutoPause: 600 },
      StorageEncrypted: true,
      EnableIAMDatabaseAuthentication: true,
      Port: 5433,
    });
    for (const type of ['AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway', 'AWS::EC2::VPNGateway']) {
      expect(types(aurora.state).has(type)).toBe(false);
    }
    expect([...types(aurora.state)].filter((type) => type.startsWith('Custom::') || type.includes('Lambda'))).toEqual(
      [],
    );
    expect(resourcesOf(aurora.state, 'AWS::EC2::VPCEndpoint')).toHaveLength(5);
  });

  it('lets only the functions into the Aurora, and gives its URL by a secret', () => {
    const [ingress] = resourcesOf(aurora.state, 'AWS::EC2::SecurityGroupIngress').filter(
      ([, { Properties }]) => Properties.FromPort === 5433,
    );
    expect(JSON.stringify(ingress?.[1].Properties.SourceSecurityGroupId)).toContain('NetworkFunctions');
    const url = resourcesOf(aurora.state, 'AWS::SecretsManager::Secret').find(([id]) => id.startsWith('AuroraUrl'));
    const text = JSON.stringify(url?.[1].Properties.SecretString);
    expect(text).toContain('{{resolve:secretsmanager:');
    expect(text).toContain(':5433/explorerio?ssl=true');
  });

  it('brings all functions into the network when it is an Aurora', () => {
    for (const [id, { Properties }] of resourcesOf(aurora.service, 'AWS::Lambda::Function')) {
      expect([id, Properties.VpcConfig?.SubnetIds]).toEqual([id, expect.any(Array)]);
      expect(Properties.Environment.Variables.NODE_EXTRA_CA_CERTS).toBe('/var/runtime/ca-cert.pem');
    }
  });

  it('is protected in production', () => {
    const { state: protectedState } = templatesOf({ context: { stage: 'prod', destination: 'aurora' } });
    protectedState.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Retain',
      Properties: { DeletionProtection: true, BackupRetentionPeriod: 14 },
    });
  });
});

describe('a VPN', () => {
  const declared = [declaredExample({ useVpn: true })];
  const withVpn = templatesOf({ types: ['postgresql', 'rest_api'], declared });

  it('has a gateway when an integration uses one', () => {
    expect(types(withVpn.state).has('AWS::EC2::VPNGateway')).toBe(true);
    expect(types(withVpn.state).has('AWS::EC2::NatGateway')).toBe(false);
  });

  it('takes in only the functions of its connectors', () => {
    const inside = resourcesOf(withVpn.service, 'AWS::Lambda::Function')
      .filter(([, { Properties }]) => Properties.VpcConfig !== undefined)
      .map(([id]) => id);
    expect(inside).toEqual([expect.stringMatching(/^postgresqlSync/)]);
  });
});
