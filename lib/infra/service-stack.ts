import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { planSchedules } from '../adapters/aws/schedule-plan';
import {
  acknowledgeSecrets,
  declaredSecrets,
  destinationSecret,
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
import { RUNBOOK } from './runbook';
import { Schedules } from './schedules';
import { ServiceFunction } from './service-function';
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
    const health = this.#managing('HealthFunction', 'health', schedules, Duration.minutes(2));
    const { id: apiId } = new Api(this, 'Api', { settings, lambda: api.lambda, alarms: this.#alarms });
    new HealthCheck(this, 'Health', { lambda: health.lambda, alarms: this.#alarms });
    this.#watchTable(state.table);
    addDashboard(this, { alarms: this.#alarms, connectors: this.connectors, apiId });
  }

  #connector(type: string): ConnectorFunction {
    const { settings, state } = this.#props;
    const declared = declaredOf(type, this.#props.declared);
    const needsNetwork = settings.destination === 'aurora' || declared.some(({ useVpn }) => useVpn);
    const connector = new ConnectorFunction(this, type, {
      settings,
      type,
      code: functionCode(settings, `sync-${type}`),
      environment: this.#environment(),
      access: [
        ...runState(state.table.tableArn),
        ...declaredSecrets(
          this,
          settings.stage,
          declared.flatMap(({ secrets }) => secrets),
        ),
        taggedSecrets(this, settings.stage, type),
        destinationSecret(state.destinationSecretArn),
      ],
      alarms: this.#alarms,
      ...(needsNetwork && state.network && { network: state.network }),
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
    const managing = new ServiceFunction(this, id, {
      settings,
      description: `ExplorerIO ${settings.stage}: ${name}`,
      code: functionCode(settings, name, declared),
      memory: settings.memory,
      timeout,
      environment: {
        ...this.#environment(),
        EXPLORERIO_QUEUES: this.toJsonString(this.#queues(({ queue }) => queue.queueUrl)),
        EXPLORERIO_QUEUE_ARNS: this.toJsonString(this.#queues(({ queue }) => queue.queueArn)),
        EXPLORERIO_SCHEDULE_GROUP: schedules.runtimeGroup,
        EXPLORERIO_SCHEDULE_ROLE: schedules.role.roleArn,
        EXPLORERIO_SCHEDULE_DEAD_LETTERS: schedules.deadLetters.queueArn,
        ...(isHealth && {
          EXPLORERIO_DEAD_LETTERS: this.toJsonString(this.#queues(({ deadLetters }) => deadLetters.queueUrl)),
        }),
      },
      access: [
        ...wholeState(state.table.tableArn),
        stageSecrets(this, settings.stage),
        destinationSecret(state.destinationSecretArn),
        sendTo(this.connectors),
        ...keepSchedules(schedules),
        ...(isHealth ? [lookAtDeadLetters(this.connectors)] : []),
      ],
      ...(settings.destination === 'aurora' && state.network && { network: state.network }),
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
    return managing;
  }

  #environment(): Omit<FunctionEnvironment, 'EXPLORERIO_QUEUES'> {
    const { settings, state } = this.#props;
    return {
      EXPLORERIO_STAGE: settings.stage,
      EXPLORERIO_TABLE: state.table.tableName,
      EXPLORERIO_SECRETS_PREFIX: secretsPrefix(settings.stage),
      EXPLORERIO_DESTINATION_SECRET: state.destinationSecretArn,
    };
  }

  #queues(value: (connector: ConnectorFunction) => string): { readonly [type: string]: string } {
    return Object.fromEntries(this.connectors.map((connector) => [connector.type, value(connector)]));
  }

  #schedules(): Schedules {
    const queues = this.connectors.map(({ queue }) => queue);
    const schedules = new Schedules(this, 'Schedules', {
      stage: this.#props.settings.stage,
      queues,
      alarms: this.#alarms,
    });
    for (const { name, type, schedule } of this.#props.declared) {
      const queue = this.connectors.find((connector) => connector.type === type)?.queue;
      if (schedule === undefined || queue === undefined) continue;
      const target = {
        group: schedules.declaredGroup,
        roleArn: schedules.role.roleArn,
        queueArn: queue.queueArn,
        deadLetterArn: schedules.deadLetters.queueArn,
      };
      for (const spec of planSchedules({ integration: name, ...schedule }, target)) {
        schedules.addDeclared(spec.Name, spec);
      }
    }
    return schedules;
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
    actions: ['sqs:SendMessage'],
    resources: connectors.map(({ queue }) => queue.queueArn),
  });
}

/** The health function marks the runs of dead letters as failed; the letters stay. */
function lookAtDeadLetters(connectors: readonly ConnectorFunction[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'LookAtDeadLetters',
    actions: ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
    resources: connectors.map(({ deadLetters }) => deadLetters.queueArn),
  });
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
