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

let serve: ReturnType<typeof open> | undefined;

/** The API behind API Gateway, which has let only authorised requests for its own hosts through. */
export const handler = middy((event: APIGatewayProxyEventV2, context: LambdaContext) => {
  serve ??= open(event.headers.host ?? event.requestContext.domainName);
  return serve(event as unknown as LambdaEvent, context);
});

function open(host: string) {
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
  const answer = handle(
    createApi({ service, version: VERSION, log, allowedHosts: [host], longestWaitMs: LONGEST_WAIT_MS }),
  );
  return async (event: LambdaEvent, context: LambdaContext) => {
    await store();
    return answer(event, context);
  };
}
