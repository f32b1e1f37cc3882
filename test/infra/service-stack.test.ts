import type { Template } from 'aws-cdk-lib/assertions';
import { keys } from '../../lib/engine/state';
import { declaredExample, resourcesOf, statementOf, statementsOf, templatesOf } from './synth';

const TYPES = ['postgresql', 'rest_api'];
const declared = [
  declaredExample(),
  declaredExample({ name: 'crm', type: 'rest_api', secrets: ['CRM_TOKEN'], file: 'integrations/crm.json' }),
];
const { service } = templatesOf({ types: TYPES, declared });

const only = (type: string, prefix: string) => {
  const found = resourcesOf(service, type).filter(([id]) => id.startsWith(prefix));
  expect(found).toHaveLength(1);
  return { id: found[0]?.[0] ?? '', properties: found[0]?.[1].Properties };
};
const plain = (type: string) => type.replaceAll('_', '');
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

describe.each(TYPES)('the function of %s', (type) => {
  const queue = only('AWS::SQS::Queue', `${plain(type)}MessagesQueue`);
  const deadLetters = only('AWS::SQS::Queue', `${plain(type)}MessagesDeadLetters`);
  const lambda = only('AWS::Lambda::Function', `${plain(type)}SyncFunction`);
  const role = `${plain(type)}SyncRole`;

  it('runs on the newest runtime, for one slice, and may continue itself', () => {
    expect(lambda.properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 1024,
      Timeout: 300,
      RecursiveLoop: 'Allow',
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.stringMatching(`^${plain(type)}SyncLog`) } },
    });
    expect(lambda.properties.VpcConfig).toBeUndefined();
  });

  it('knows its own queue and nothing of schedules', () => {
    const { Variables } = lambda.properties.Environment;
    expect(Object.keys(Variables).sort()).toEqual([
      'EXPLORERIO_DESTINATION_SECRET',
      'EXPLORERIO_QUARANTINE_SECRET',
      'EXPLORERIO_QUEUES',
      'EXPLORERIO_SECRETS_PREFIX',
      'EXPLORERIO_STAGE',
      'EXPLORERIO_TABLE',
      'EXPLORERIO_WORK_SECONDS',
    ]);
    const queues = JSON.stringify(Variables.EXPLORERIO_QUEUES);
    for (const other of TYPES) expect(queues.includes(`${plain(other)}Messages`)).toBe(other === type);
  });

  it('is fed by a queue that hides a message for six slices and gives it up after five receives', () => {
    expect(queue.properties).toMatchObject({
      VisibilityTimeout: 1800,
      MessageRetentionPeriod: 4 * 86_400,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: arnOf(deadLetters.id) },
    });
    expect(queue.properties.FifoQueue).toBeUndefined();
    expect(deadLetters.properties).toMatchObject({ MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true });
  });

  it('takes one message at a time and reports each by itself', () => {
    expect(only('AWS::Lambda::EventSourceMapping', plain(type)).properties).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 3 },
      EventSourceArn: arnOf(queue.id),
    });
  });

  it('may do just what it needs', () => {
    expect(statementsOf(service, role).map(({ Sid = 'log' }) => Sid)).toEqual([
      'log',
      'ReadState',
      'WriteRuns',
      'DeclaredSecrets',
      'TaggedSecrets',
      'Destination',
      'OwnQueue',
    ]);
  });

  it('uses no queue but its own', () => {
    expect(statementOf(service, role, 'OwnQueue')).toMatchObject({
      Action: [
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ReceiveMessage',
        'sqs:SendMessage',
      ],
      Resource: arnOf(queue.id),
    });
  });

  it('reads the secrets that its own declared integrations name, and those that carry its tag', () => {
    const named = JSON.stringify(statementOf(service, role, 'DeclaredSecrets').Resource);
    expect(named.includes('explorerio/dev/DB_PASSWORD-??????')).toBe(type === 'postgresql');
    expect(named.includes('explorerio/dev/CRM_TOKEN-??????')).toBe(type === 'rest_api');
    expect(named).not.toContain('*');
    expect(statementOf(service, role, 'TaggedSecrets').Condition).toEqual({
      StringEquals: { [`secretsmanager:ResourceTag/explorerio:${type}`]: 'true' },
    });
  });

  it('cannot change integrations, and reaches no record but by its key', () => {
    const read = statementOf(service, role, 'ReadState');
    const write = statementOf(service, role, 'WriteRuns');
    expect(read.Action).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    expect(write.Action).toEqual(['dynamodb:DeleteItem', 'dynamodb:UpdateItem']);
    for (const { Condition } of [read, write]) expect(Condition?.Null).toEqual({ 'dynamodb:LeadingKeys': 'false' });
    expect(write.Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']).not.toContain('integrations');
  });
});

describe('the keys of the state table', () => {
  const patterns = (sid: string) =>
    statementOf(service, 'postgresqlSyncRole', sid).Condition?.['ForAllValues:StringLike']?.[
      'dynamodb:LeadingKeys'
    ] as string[];
  const matches = (sid: string, partition: string) =>
    patterns(sid).some((pattern) =>
      pattern.endsWith('*') ? partition.startsWith(pattern.slice(0, -1)) : partition === pattern,
    );
  const run = 'main-20261125-010203456-abcdef';

  it.each([
    keys.active('main'),
    keys.queuedRun('main', run),
    keys.idempotency('main', 'key'),
    keys.run(run),
    keys.open(run, 'orders'),
    keys.stream(run, 'orders'),
    keys.slice(run, 'orders', 0, 0),
    keys.fence('main', 'orders'),
    keys.load('main', 'orders'),
  ])('of runs are written by a sync function: $partition', ({ partition }) => {
    expect(matches('WriteRuns', partition)).toBe(true);
    expect(matches('ReadState', partition)).toBe(true);
  });

  it('of integrations are only read', () => {
    expect(matches('ReadState', keys.integration('main').partition)).toBe(true);
    expect(matches('WriteRuns', keys.integration('main').partition)).toBe(false);
  });

  it('are all that is allowed', () => {
    expect(matches('ReadState', 'anything')).toBe(false);
    expect(matches('WriteRuns', 'anything/else')).toBe(false);
  });
});

describe('every queue', () => {
  it.each(resourcesOf(service, 'AWS::SQS::Queue').map(([id]) => id))('refuses what is not encrypted: %s', (id) => {
    const policy = resourcesOf(service, 'AWS::SQS::QueuePolicy').find(([, { Properties }]) =>
      JSON.stringify(Properties.Queues).includes(`"${id}"`),
    );
    expect(policy?.[1].Properties.PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  });
});

describe('the roles', () => {
  it('are one for each function, and have no managed policies', () => {
    const roles = resourcesOf(service, 'AWS::IAM::Role');
    const functions = resourcesOf(service, 'AWS::Lambda::Function');
    expect(new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties.Role))).size).toBe(functions.length);
    for (const [, { Properties }] of roles) expect(Properties.ManagedPolicyArns).toBeUndefined();
  });

  it('allow no action by a pattern, and no resource that is everything', () => {
    for (const [, { Properties }] of resourcesOf(service, 'AWS::IAM::Policy')) {
      for (const { Action, Resource } of Properties.PolicyDocument.Statement) {
        expect([Action].flat().filter((action: string) => action.includes('*'))).toEqual([]);
        expect([Resource].flat()).not.toContain('*');
      }
    }
  });

  it('of the API keep schedules in the group of run time only, and give Scheduler its role only', () => {
    const resource = JSON.stringify(statementOf(service, 'ApiFunctionRole', 'RuntimeSchedules').Resource);
    expect(resource).toContain(':schedule/explorerio-dev-runtime/*');
    expect(statementOf(service, 'ApiFunctionRole', 'GiveScheduleRole')).toMatchObject({
      Action: 'iam:PassRole',
      Resource: arnOf(only('AWS::IAM::Role', 'SchedulesRole').id),
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
  });

  it('of the API send to the queues, and read and remove dead letters only', () => {
    const statements = statementsOf(service, 'ApiFunctionRole');
    const ofQueues = statements.filter(({ Action }) => JSON.stringify(Action).includes('sqs:'));
    expect(ofQueues.map(({ Sid, Action }) => [Sid, Action])).toEqual([
      ['StartRuns', ['sqs:GetQueueAttributes', 'sqs:SendMessage']],
      ['RedriveDeadLetters', ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:ReceiveMessage']],
    ]);
    const names = [ofQueues[1]?.Resource].flat().map((resource) => JSON.stringify(resource));
    expect(names.filter((name) => !name.includes('MessagesDeadLetters'))).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
  });

  it('of the health function look at dead letters, too, and remove none', () => {
    const statements = statementsOf(service, 'HealthFunctionRole');
    const look = statements.find(({ Sid }) => Sid === 'LookAtDeadLetters');
    expect(look?.Action).toEqual(['sqs:ChangeMessageVisibility', 'sqs:ReceiveMessage']);
    expect(JSON.stringify(look?.Resource)).toContain('MessagesDeadLetters');
    expect(statements.flatMap(({ Action }) => Action)).not.toContain('sqs:DeleteMessage');
  });

  it.each(['ApiFunctionRole', 'HealthFunctionRole'])('of %s sees how old the secrets of the stage are', (role) => {
    const { Action, Resource } = statementOf(service, role, 'StageSecrets');
    expect(Action).toEqual(['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']);
    expect(JSON.stringify(Resource)).toContain('secret:explorerio/dev/*');
    const allowed = statementOf(service, role, 'State').Condition?.['ForAllValues:StringLike']?.[
      'dynamodb:LeadingKeys'
    ];
    expect(allowed).toContain(keys.credentials);
  });

  it.each(['ApiFunctionRole', 'HealthFunctionRole', 'postgresqlSyncRole'])(
    'of %s reads the URL of the destination and the key of its quarantine, by their names',
    (role) => {
      const { Action, Resource } = statementOf(service, role, 'Destination');
      expect(Action).toBe('secretsmanager:GetSecretValue');
      const names = [Resource].flat().map((resource) => JSON.stringify(resource));
      expect(names).toEqual([expect.stringMatching(/Destination/), expect.stringMatching(/QuarantineKey/)]);
      expect(names.join()).not.toContain('*');
    },
  );

  it('of a sync function does not', () => {
    expect(JSON.stringify(statementsOf(service, 'postgresqlSyncRole'))).not.toMatch(/DescribeSecret|"credentials"/);
  });

  it('of the health function, and of the API for tests, may publish, and only to the topic of the stage', () => {
    const publishing = (role: string) =>
      statementsOf(service, role).filter(({ Action }) => JSON.stringify(Action).includes('sns:'));
    for (const role of ['HealthFunctionRole', 'ApiFunctionRole']) {
      expect(publishing(role)).toEqual([
        { Sid: 'Notify', Effect: 'Allow', Action: 'sns:Publish', Resource: expect.anything() },
      ]);
      expect(JSON.stringify(publishing(role))).toMatch(/Alerts/);
      expect(JSON.stringify(publishing(role))).not.toContain('*');
      const allowed = statementOf(service, role, 'State').Condition?.['ForAllValues:StringLike'];
      expect(allowed?.['dynamodb:LeadingKeys']).toEqual(expect.arrayContaining(['notify/*', 'probes']));
    }
    expect(publishing('postgresqlSyncRole')).toEqual([]);
    expect(JSON.stringify(statementsOf(service, 'postgresqlSyncRole'))).not.toContain('notify/');
  });

  it('of the schedules is taken by the two groups of this account only, and sends to the queues only', () => {
    const [trust] = only('AWS::IAM::Role', 'SchedulesRole').properties.AssumeRolePolicyDocument.Statement;
    expect(trust.Principal).toEqual({ Service: 'scheduler.amazonaws.com' });
    expect(trust.Condition.StringEquals['aws:SourceAccount']).toEqual({ Ref: 'AWS::AccountId' });
    const groups = JSON.stringify(trust.Condition.StringEquals['aws:SourceArn']);
    expect(groups).toMatch(/:schedule-group\/explorerio-dev-declared".*:schedule-group\/explorerio-dev-runtime"/);
    expect(groups).not.toContain('*');
    expect(statementsOf(service, 'SchedulesRole').map(({ Action }) => Action)).toEqual(['sqs:SendMessage']);
  });
});

describe('the API', () => {
  const stage = only('AWS::ApiGatewayV2::Stage', 'Api').properties;

  const routesOf = (template: Template) =>
    Object.fromEntries(
      resourcesOf(template, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [Properties.RouteKey, Properties]),
    );

  it('lets nobody in without IAM, but for calls of webhooks, which the function checks', () => {
    const routes = routesOf(service);
    expect(Object.keys(routes).sort()).toEqual(['$default', 'POST /webhooks/{proxy+}']);
    expect(routes.$default).toMatchObject({ AuthorizationType: 'AWS_IAM' });
    expect(routes['POST /webhooks/{proxy+}']).toMatchObject({
      AuthorizationType: 'NONE',
      Target: routes.$default.Target,
    });
  });

  it('takes tokens of one issuer, made for it, when the context says so', () => {
    const context = { jwtIssuer: 'https://login.example.com/', jwtAudience: 'explorerio' };
    const { service: withTokens } = templatesOf({ context });
    const routes = routesOf(withTokens);
    expect(routes.$default).toMatchObject({ AuthorizationType: 'JWT', AuthorizerId: expect.anything() });
    expect(routes['POST /webhooks/{proxy+}'].AuthorizationType).toBe('NONE');
    withTokens.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      JwtConfiguration: { Audience: ['explorerio'], Issuer: 'https://login.example.com/' },
    });
  });

  it('is throttled and logged', () => {
    expect(stage.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
    expect(stage.AccessLogSettings.DestinationArn).toBeDefined();
    expect(Object.keys(JSON.parse(stage.AccessLogSettings.Format))).toEqual(
      expect.arrayContaining(['ip', 'caller', 'method', 'path', 'status']),
    );
  });

  it('answers before API Gateway gives up', () => {
    expect(only('AWS::Lambda::Function', 'ApiFunction').properties.Timeout).toBe(29);
    expect(only('AWS::Lambda::Function', 'ApiFunction').properties.RecursiveLoop).toBeUndefined();
  });
});

describe('declared integrations', () => {
  const schedules = resourcesOf(service, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties);

  it('have their schedules in a group that CloudFormation owns, two where both day fields are set', () => {
    expect(schedules.filter(({ GroupName }) => GroupName === 'explorerio-dev-declared')).toHaveLength(4);
    const expressions = schedules.filter(({ Name }) => Name.startsWith('main-')).map((one) => one.ScheduleExpression);
    expect(expressions.sort()).toEqual(['cron(0 0 13 * ? *)', 'cron(0 0 ? * 6 *)']);
  });

  it('send their ticks to the queue of their connector, and what cannot be sent to a queue of its own', () => {
    const { Target } = schedules.find(({ Name }) => Name === 'crm-1') ?? {};
    expect(Target.Arn).toEqual(arnOf(only('AWS::SQS::Queue', 'restapiMessagesQueue').id));
    expect(Target.DeadLetterConfig.Arn).toEqual(arnOf(only('AWS::SQS::Queue', 'SchedulesDeadLetters').id));
    // It may tick before the health function has stored it.
    expect(JSON.parse(Target.Input)).toEqual({ schedule: 'crm', declared: true, at: '<aws.scheduler.scheduled-time>' });
  });
});

describe('the stack', () => {
  it('has no functions but ours, and starts the health function every five minutes', () => {
    expect(resourcesOf(service, 'AWS::Lambda::Function')).toHaveLength(TYPES.length + 2);
    expect(resourcesOf(service).filter(([, { Type }]) => Type.startsWith('Custom::'))).toEqual([]);
    service.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(5 minutes)' });
  });

  it('has room for all connectors of the specification', () => {
    const types = Array.from({ length: 18 }, (_, index) => `type_${String.fromCharCode(97 + index)}`);
    expect(resourcesOf(templatesOf({ types, context: { destinationConnections: 200 } }).service).length).toBeLessThan(
      400,
    );
  });

  it('keeps logs for a time, and those of a production stage beyond its end', () => {
    const logs = (stage: string) =>
      resourcesOf(templatesOf({ context: { stage } }).service, 'AWS::Logs::LogGroup').map(
        ([, { Properties, DeletionPolicy }]) => [Properties.RetentionInDays, DeletionPolicy],
      );
    expect(new Set(logs('dev').map(String))).toEqual(new Set(['30,Delete']));
    expect(new Set(logs('prod').map(String))).toEqual(new Set(['90,Retain']));
  });

  it('runs on the machine of an emulator when it is for one', () => {
    const emulated = templatesOf({ context: { emulated: 'true' } }).service;
    emulated.allResourcesProperties('AWS::Lambda::Function', { Architectures: ['x86_64'] });
  });
});
