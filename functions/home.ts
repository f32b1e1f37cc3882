import { readQueueUrls } from '../lib/adapters/aws/queue-addresses';
import type { Channels } from '../lib/core/channel';
import type { Host } from '../lib/core/connector';
import { Fault } from '../lib/core/fault';
import type { Alarms, Scheduler, Secrets, StateStore } from '../lib/core/ports';
import type { SearchReader } from '../lib/core/search';
import type { Redactor } from '../lib/core/secret';
import { systemClock } from '../lib/core/system-clock';
import { openSearch } from '../lib/destinations';
import { createEngine, type Engine } from '../lib/engine/engine';
import { createNotifications, type Notifications } from '../lib/engine/notify/notifications';
import type { FunctionEnvironment } from '../lib/infra/env';
import { type CloudPorts, cloudPorts, type PortOptions } from './cloud-ports';
import { renewingByUrl } from './destination';

/** What differs between the functions that manage integrations. */
export interface HomeOptions extends Pick<PortOptions, 'environment' | 'connectorTypes' | 'loadConnector'> {
  scheduler(state: StateStore): Scheduler;
  /** Makes alarms; without it this function cannot. */
  readonly alarms: Alarms | undefined;
  /** The channels on which this function tells people. */
  channels(secrets: Secrets, redactor: Redactor): Channels;
}

/** The engine over the services of AWS, and what a handler needs beside it. */
export interface CloudHome extends Pick<CloudPorts, 'state' | 'log' | 'queue'> {
  readonly engine: Engine;
  readonly notifications: Notifications;
}

/** Builds the engine of a function that manages integrations; nothing is connected before it is used. */
export function openCloudHome(options: HomeOptions): CloudHome {
  const { environment, alarms } = options;
  const opened = cloudPorts({ environment, ...deployedOf(options) });
  const { ports, state, log, secrets, destinationSecrets, redactor, queue } = opened;
  const notifications = createNotifications({
    ...{ state, redactor, log, clock: systemClock, publicUrl: environment.EXPLORERIO_PUBLIC_URL },
    channels: options.channels(secrets, redactor),
    owner: opened.options.owner,
    // A round every few minutes has gathered enough.
    limits: { gatherMs: 0 },
    random: Math.random,
    exclusive: false,
  });
  const engine = createEngine(
    {
      ...ports,
      scheduler: options.scheduler(state),
      ...(alarms && { alarms }),
      openSearch: searchOf(environment, destinationSecrets, redactor),
      ...{ notify: notifications.notify, notifications },
    },
    opened.options,
  );
  return { engine, state, log, queue, notifications };
}

/** The connectors that this stage has functions for: an integration of another type could be stored, and never run. */
function deployedOf(options: HomeOptions): Pick<HomeOptions, 'connectorTypes' | 'loadConnector'> {
  const { environment, connectorTypes: known, loadConnector } = options;
  const queues = readQueueUrls(environment.EXPLORERIO_QUEUES);
  const connectorTypes = known.filter((type) => Object.hasOwn(queues, type));
  return {
    connectorTypes,
    async loadConnector(type) {
      if (!known.includes(type) || connectorTypes.includes(type)) return loadConnector(type);
      throw new Fault('config', 'unknown_type', `type: this stage has no function for connectors of type ${type}`, {
        hint: 'Add it to the setting "connectors" and deploy again.',
      });
    },
  };
}

/** Opens the search in the destination, in the same way. */
function searchOf(environment: FunctionEnvironment, secrets: Secrets, redactor: Redactor) {
  return async (host: Host): Promise<SearchReader> => {
    const open = (url: string) => openSearch('postgresql', { url }, host);
    const renewing = renewingByUrl(environment, secrets, redactor, host.log, open);
    return {
      search: (request, places, signal) => renewing.use((reader) => reader.search(request, places, signal)),
      close: () => renewing.close(),
    };
  };
}
