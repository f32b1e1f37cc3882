import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { VERSION } from '../../bin/version';
import { createApi } from '../../lib/api/app';
import { connectorTypes, loadConnector } from '../../lib/connectors';
import type { StateStore } from '../../lib/core/ports';
import { functionEnvironment } from '../cloud-ports';
import { keepDeclared, readDeclared, storeOnce } from '../declared';
import { openCloudHome } from '../home';
import { cloudChannels } from '../notify-channels';
import { runtimeAlarms } from '../runtime-alarms';
import { runtimeScheduler } from '../runtime-scheduler';

/** API Gateway gives up after 30 seconds. */
const LONGEST_WAIT_MS = 25_000;

type Answer = ReturnType<typeof handle>;

let serve: ReturnType<typeof open> | undefined;

/**
 * The API behind API Gateway, which has let through only requests for its own hosts, and of those only authorised ones and
 * calls of webhooks.
 */
export const handler = middy((event: APIGatewayProxyEventV2, context: LambdaContext) => {
  serve ??= open();
  return serve(event.requestContext.domainName, event as unknown as LambdaEvent, context);
});

function open() {
  const environment = functionEnvironment();
  const declared = readDeclared();
  const scheduler = (state: StateStore) => runtimeScheduler(environment, state, declared);
  const { engine, log } = openCloudHome({
    environment,
    connectorTypes,
    loadConnector,
    scheduler,
    alarms: runtimeAlarms(environment, declared),
    channels: (secrets, redactor) => cloudChannels(environment, secrets, redactor),
  });
  const store = storeOnce(engine.service, declared, log);
  const service = keepDeclared(engine.service, declared);
  // Webhooks may be called by a domain of their own: whoever comes first must not shut the others out.
  const answers = new Map<string, Answer>();
  const answerFor = (host: string): Answer => {
    const options = { service, version: VERSION, log, allowedHosts: [host], longestWaitMs: LONGEST_WAIT_MS };
    const answer = answers.get(host) ?? handle(createApi(options));
    answers.set(host, answer);
    return answer;
  };
  return async (host: string, event: LambdaEvent, context: LambdaContext) => {
    await store();
    return answerFor(host)(event, context);
  };
}
