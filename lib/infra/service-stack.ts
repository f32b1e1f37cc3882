import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { alarmPrefix } from '../adapters/aws/alarm-spec';
import { planIntegration } from '../adapters/aws/integration-plan';
import {
  acknowledgeSecrets,
  declaredSecrets,
  destinationSecrets,
  notify,
  runState,
  secretsPrefix,
  stageSecrets,
  taggedSecrets,
  wholeState,
} from './access';
import { acknowledge } from './acknowledge';
import { Alarms } from './alarms';
import { API_SECONDS, Api } from './api';
import { ConnectorFunction } from './connector-function';
import { addDashboard } from './dashboard';
import { type DeclaredIntegration, declaredOf } from './declared';
import type { FunctionEnvironment } from './env';
import { functionCode } from './function-code';
import { HealthCheck } from './health';
import { acknowledgeAlarms, addDeclaredAlarm, keepAlarms } from './integration-alarms';
import { RUNBOOK } from './runbook';
import { Schedules } from './schedules';
import { type FunctionNetwork, ServiceFunction } from './service-function';
import type { StageSettings } from './stage-settings';
import type { StateStack } from './state-stack';

/** What the service is made of. */
export interface ServiceStackProps {
  readonly settings: StageSettings;
  readonly state: StateStack;
  /** Every connector type gets a function. */
  readonly types: readonly string[];
  readonly declared: readonly DeclaredIntegration[];
}

/** Everything of a stage that can be thrown away and made again. */
export class ServiceStack extends Stack {
  readonly connectors: readonly ConnectorFunction[];
  readonly #props: ServiceStackProps;
  readonly #alarms: Alarms;

  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, { description: `ExplorerIO ${props.settings.stage}: service` });
    const { settings, state } = props;
    this.#props = props;
    this.#alarms = new Alarms(state.topic, settings.runbook);
    this.connectors = props.types.map((type) => this.#connector(type));
    const schedules = this.#schedules();
    const api = this.#managing('ApiFunction', 'api', schedules, Duration.seconds(API_SECONDS));
    const health = this.#managing('HealthFunction', 'health', schedules, Duration.minutes(3));
    const { id: apiId } = new Api(this, 'Api', { settings, lambda: api.lambda, alarms: this.#alarms });
    new HealthCheck(this, 'Health', { lambda: health.lambda, alarms: this.#alarms });
    this.#watchTable(state.table);
    addDashboard(this, { alarms: this.#alarms, connectors: this.connectors, apiId });
  }

  #connector(type: string): ConnectorFunction {
    const { settings, state } = this.#props;
    const declared = declaredOf(type, this.#props.declared);
    const network = this.#hasNetwork(type) ? state.network : undefined;
    const names = declared.flatMap(({ secrets }) => secrets);
    const connector = new ConnectorFunction(this, type, {
      settings,
      type,
      code: functionCode(settings, `sync-${type}`),
      environment: { ...this.#environment(), ...this.#behindVpn(network) },
      access: [
        ...runState(state.table.tableArn),
        ...declaredSecrets(this, settings.stage, type, names),
        taggedSecrets(this, settings.stage, type),
        destinationSecrets([state.destinationSecretArn, state.quarantineSecretArn]),
      ],
      alarms: this.#alarms,
      ...(network && { network }),
    });
    acknowledgeSecrets(
      connector.function.role,
      settings.stage,
      `Names of secrets of integrations that are made at run time are not known at deployment. The statement is bound to secrets with the tag explorerio:${type} = true, which whoever makes a secret sets for this connector.`,
    );
    return connector;
  }

  /** The API and the health function: they manage all integrations, start runs, and keep schedules. */
  #managing(id: string, name: string, schedules: Schedules, timeout: Duration): ServiceFunction {
    const { settings, state, declared } = this.#props;
    const isHealth = name === 'health';
    const network = settings.destination === 'aurora' ? state.network : undefined;
    const vpnTypes = this.#hasVpn ? this.#props.types.filter((type) => this.#hasNetwork(type)) : [];
    const managing = new ServiceFunction(this, id, {
      settings,
      description: `ExplorerIO ${settings.stage}: ${name}`,
      code: functionCode(settings, name, declared),
      memory: settings.memory,
      timeout,
      environment: {
        ...this.#environment(),
        ...this.#behindVpn(network),
        ...(vpnTypes.length > 0 && { EXPLORERIO_VPN_TYPES: JSON.stringify(vpnTypes) }),
        EXPLORERIO_QUEUES: this.toJsonString(this.#queueUrls()),
        EXPLORERIO_SCHEDULE_GROUP: schedules.runtimeGroup,
        EXPLORERIO_SCHEDULE_ROLE: schedules.role.roleArn,
        EXPLORERIO_SCHEDULE_DEAD_LETTERS: schedules.deadLetters.queueArn,
        EXPLORERIO_ALERT_TOPIC: state.topic.topicArn,
        EXPLORERIO_RUNBOOK: settings.runbook,
      },
      access: [
        ...wholeState(state.table.tableArn),
        stageSecrets(this, settings.stage),
        destinationSecrets([state.destinationSecretArn, state.quarantineSecretArn]),
        sendTo(this.connectors),
        ...keepSchedules(schedules),
        ...keepAlarms(this, settings.stage),
        isHealth ? lookAtDeadLetters(this.connectors) : redriveDeadLetters(this.connectors),
        notify(state.topic.topicArn),
      ],
      ...(network && { network }),
    });
    acknowledgeSecrets(
      managing.role,
      settings.stage,
      'It tests connections and lists streams of every integration, those to come included; what it may read ends at the prefix of its own stage.',
    );
    acknowledge(
      managing.role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/${schedules.runtimeGroup}/*]`,
      'It makes the schedules of integrations that come at run time; the group holds nothing else.',
    );
    acknowledgeAlarms(managing.role, settings.stage);
    return managing;
  }

  /** Whether the network has a VPN gateway: an integration asks for it. */
  get #hasVpn(): boolean {
    return this.#props.declared.some(({ useVpn }) => useVpn);
  }

  /** Whether the runs of a connector are in the network. */
  #hasNetwork(type: string): boolean {
    const { settings, declared } = this.#props;
    return settings.destination === 'aurora' || declaredOf(type, declared).some(({ useVpn }) => useVpn);
  }

  #behindVpn(network: FunctionNetwork | undefined): Pick<FunctionEnvironment, 'EXPLORERIO_BEHIND_VPN'> {
    return network && this.#hasVpn ? { EXPLORERIO_BEHIND_VPN: 'true' } : {};
  }

  #environment(): Omit<FunctionEnvironment, 'EXPLORERIO_QUEUES'> {
    const { settings, state } = this.#props;
    return {
      EXPLORERIO_STAGE: settings.stage,
      EXPLORERIO_TABLE: state.table.tableName,
      EXPLORERIO_SECRETS_PREFIX: secretsPrefix(settings.stage),
      EXPLORERIO_DESTINATION_SECRET: state.destinationSecretArn,
      EXPLORERIO_QUARANTINE_SECRET: state.quarantineSecretArn,
    };
  }

  /** The first in full, the others by their names: see `readQueueUrls`. */
  #queueUrls(): { readonly [type: string]: string } {
    const entries = this.connectors.map(({ type, queue }, index) => [
      type,
      index === 0 ? queue.queueUrl : queue.queueName,
    ]);
    return Object.fromEntries(entries);
  }

  #schedules(): Schedules {
    const queues = this.connectors.map(({ queue }) => queue);
    const schedules = new Schedules(this, 'Schedules', {
      stage: this.#props.settings.stage,
      queues,
      alarms: this.#alarms,
    });
    for (const integration of this.#props.declared) this.#addDeclared(integration, schedules);
    return schedules;
  }

  /** What CloudFormation makes of a declared integration. */
  #addDeclared({ name, type, document }: DeclaredIntegration, schedules: Schedules): void {
    const queue = this.connectors.find((connector) => connector.type === type)?.queue;
    if (queue === undefined) return;
    const { settings, state } = this.#props;
    const plan = planIntegration(document, {
      schedule: {
        group: schedules.declaredGroup,
        roleArn: schedules.role.roleArn,
        queueArn: queue.queueArn,
        deadLetterArn: schedules.deadLetters.queueArn,
        declared: true,
      },
      alarm: {
        stage: settings.stage,
        prefix: alarmPrefix(settings.stage, 'declared'),
        topicArn: state.topic.topicArn,
        runbook: settings.runbook,
      },
    });
    for (const spec of plan.schedules) schedules.addDeclared(spec.Name, spec);
    // An emulator cannot do metric math.
    const alarms = plan.alarms.filter(({ Metrics }) => !settings.emulated || Metrics === undefined);
    for (const spec of alarms) addDeclaredAlarm(this, name, spec);
  }

  #watchTable(table: Table): void {
    for (const kind of ['Read', 'Write']) {
      this.#alarms.add(this, `Table${kind}sThrottledAlarm`, {
        entry: RUNBOOK.tableThrottled,
        metric: table.metric(`${kind}ThrottleEvents`, { statistic: 'Sum', period: Duration.minutes(5) }),
        threshold: 1,
        periods: 3,
      });
    }
  }
}

function sendTo(connectors: readonly ConnectorFunction[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'StartRuns',
    // A queue's attributes name its dead-letter queue. One statement for both, as a role has room for few lists of queues.
    actions: ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
    resources: connectors.map(({ queue }) => queue.queueArn),
  });
}

/** The health function marks the runs of dead letters as failed; the letters stay until the API redrives them. */
function lookAtDeadLetters(connectors: readonly ConnectorFunction[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'LookAtDeadLetters',
    actions: ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
    resources: connectors.map(({ deadLetters }) => deadLetters.queueArn),
  });
}

function redriveDeadLetters(connectors: readonly ConnectorFunction[]): PolicyStatement {
  const statement = lookAtDeadLetters(connectors);
  statement.sid = 'RedriveDeadLetters';
  statement.addActions('sqs:DeleteMessage');
  return statement;
}

function keepSchedules(schedules: Schedules): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RuntimeSchedules',
      actions: [
        'scheduler:CreateSchedule',
        'scheduler:UpdateSchedule',
        'scheduler:DeleteSchedule',
        'scheduler:GetSchedule',
      ],
      resources: [schedules.runtimeSchedules],
    }),
    new PolicyStatement({
      sid: 'GiveScheduleRole',
      actions: ['iam:PassRole'],
      resources: [schedules.role.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    }),
  ];
}
