import middy from '@middy/core';
import { connectorTypes, loadConnector } from '../../lib/connectors';
import type { StateStore } from '../../lib/core/ports';
import { type CloudHome, functionEnvironment, openCloudHome } from '../home';
import { runtimeScheduler } from '../runtime-scheduler';

let home: CloudHome | undefined;

/** Every few minutes: takes up runs that lost their message, and tells how everything is. */
export const handler = middy(async (): Promise<void> => {
  home ??= open();
  for (const type of connectorTypes) await failDead(home, type);
  await home.engine.recover();
});

const MOST_LETTERS = 10;

/** The messages stay where they are, for somebody to look at. */
async function failDead({ engine, log, queue }: CloudHome, type: string): Promise<void> {
  for (const { body } of await queue(type).deadLetters(MOST_LETTERS)) {
    const { run } = body as { readonly run?: string };
    if (run !== undefined && (await engine.abandon(run))) log.error('a run was given up', { run, connector: type });
  }
}

function open(): CloudHome {
  const environment = functionEnvironment();
  const scheduler = (state: StateStore) => runtimeScheduler(environment, state);
  return openCloudHome({ environment, connectorTypes, loadConnector, scheduler });
}
