import middy from '@middy/core';
import { connectorTypes, loadConnector } from '../../lib/connectors';
import { CHECK_SECONDS } from '../../lib/core/alert/rule';
import type { StateStore } from '../../lib/core/ports';
import { systemClock } from '../../lib/core/system-clock';
import { functionEnvironment } from '../cloud-ports';
import { readDeclared, storeDeclared } from '../declared';
import { type CloudHome, openCloudHome } from '../home';
import { cloudChannels } from '../notify-channels';
import { runtimeAlarms } from '../runtime-alarms';
import { runtimeScheduler } from '../runtime-scheduler';
import { failDead } from './dead-letters';
import { writeMetrics } from './metrics';
import { testConnections } from './probes';
import { tellPeople } from './tell-people';

const DAY_MS = 86_400_000;

const declared = readDeclared();
let home: CloudHome | undefined;

/** Every few minutes: takes up runs that lost their message, and tells how everything is. */
export const handler = middy(async (): Promise<void> => {
  home ??= open();
  const { EXPLORERIO_QUEUES: queues, EXPLORERIO_STAGE: stage } = functionEnvironment();
  for (const type of Object.keys(JSON.parse(queues))) await failDead(home, type);
  await storeDeclared(home.engine.service, declared);
  await testConnections(home, CHECK_SECONDS);
  // Past the console, which would wrap the line: CloudWatch takes it only as it is.
  await writeMetrics(home.engine, stage, systemClock, (line) => process.stdout.write(line));
  await tellPeople(home);
  await home.engine.recover();
  await home.engine.checkCredentials(DAY_MS);
});

function open(): CloudHome {
  const environment = functionEnvironment();
  const scheduler = (state: StateStore) => runtimeScheduler(environment, state, declared);
  return openCloudHome({
    environment,
    connectorTypes,
    loadConnector,
    scheduler,
    alarms: runtimeAlarms(environment, declared),
    channels: (secrets, redactor) => cloudChannels(environment, secrets, redactor),
  });
}
