import { CfnOutput, Duration } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { Alarms } from './alarms';
import { STAGE_OUTPUTS } from './env';
import { RUNBOOK } from './runbook';
import { serviceLogGroup } from './service-function';
import type { StageSettings } from './stage-settings';

/** API Gateway gives up after 30 s, whatever the function has still to say. */
export const API_SECONDS = 29;

/** Requests that may come at once, as a multiple of those that may come in a second. */
const BURST = 2;

/** What is logged of each request: who, what and how it ended, nothing of what was sent. */
const LOGGED = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  caller: '$context.identity.userArn',
  subject: '$context.authorizer.claims.sub',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  error: '$context.error.message',
};

/** What stands behind the API. */
export interface ApiProps {
  readonly settings: StageSettings;
  readonly lambda: Lambda;
  readonly alarms: Alarms;
}

/** The HTTP API: everything goes to one function, and nothing without authorisation but signed calls of webhooks. */
export class Api extends Construct {
  readonly id: string;

  constructor(scope: Construct, id: string, { settings, lambda, alarms }: ApiProps) {
    super(scope, id);
    const toFunction = new HttpLambdaIntegration('Function', lambda, { timeout: Duration.seconds(API_SECONDS) });
    const api = new HttpApi(this, 'Http', {
      description: `ExplorerIO ${settings.stage}`,
      createDefaultStage: false,
      defaultIntegration: toFunction,
      defaultAuthorizer: authorizer(settings),
    });
    this.id = api.apiId;
    addWebhooks(api, toFunction);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: settings.requestsPerSecond, burstLimit: settings.requestsPerSecond * BURST },
      accessLogSettings: {
        destination: new LogGroupLogDestination(serviceLogGroup(this, 'AccessLog', settings)),
        format: AccessLogFormat.custom(JSON.stringify(LOGGED)),
      },
    });
    const url = new CfnOutput(this, 'Url', { value: stage.url, description: 'Address of the API' });
    url.overrideLogicalId(STAGE_OUTPUTS.apiUrl);
    alarms.add(this, 'ErrorsAlarm', {
      entry: RUNBOOK.apiErrors,
      metric: api.metricServerError({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 5,
    });
  }
}

/** Whoever calls a webhook has no identity in AWS: the function checks the signature. */
function addWebhooks(api: HttpApi, integration: HttpLambdaIntegration): void {
  const routes = api.addRoutes({
    path: '/webhooks/{proxy+}',
    methods: [HttpMethod.POST],
    integration,
    authorizer: new HttpNoneAuthorizer(),
  });
  for (const route of routes) {
    acknowledge(
      route,
      'AwsSolutions-APIG4',
      'Systems of others call it, which have no identity in AWS; the function takes only what the secret of an integration has signed, and syncs it, no more.',
    );
  }
}

function authorizer({ jwtIssuer, jwtAudience }: StageSettings): IHttpRouteAuthorizer {
  if (jwtIssuer === undefined || jwtAudience === undefined) return new HttpIamAuthorizer();
  return new HttpJwtAuthorizer('Jwt', jwtIssuer, { jwtAudience: [jwtAudience] });
}
