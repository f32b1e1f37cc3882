import middy from '@middy/core';
import { connectorTypes, loadConnector } from '../../lib/connectors';
import type { StateStore } from '../../lib/core/ports';
import { readDeclared, storeDeclared } from '../declared';
import { type CloudHome, functionEnvironment, openCloudHome } from '../home';
import { runtimeScheduler } from '../runtime-scheduler';

const declared = readDeclared();
let home: CloudHome | undefined;

/** Every few minutes: takes up runs that lost their message, and tells how everything is. */
export const handler = middy(async (): Promise<void> => {
  home ??= open();
  const { EXPLORERIO_DEAD_LETTERS: queues = '{}' } = functionEnvironment();
  for (const type of Object.keys(JSON.parse(queues))) await failDead(home, type);
  await storeDeclared(home.engine.service, declared);
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
  const scheduler = (state: StateStore) => runtimeScheduler(environment, state, declared);
  return openCloudHome({ environment, connectorTypes, loadConnector, scheduler });
}
