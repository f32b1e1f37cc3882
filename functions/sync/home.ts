import type { Connector } from '../../lib/core/connector';
import { createRunner, type Runner } from '../../lib/engine/runner';
import { type CloudPorts, cloudPorts, functionEnvironment } from '../cloud-ports';

/** What runs the integrations of one connector, and what a handler needs beside it. */
export interface SyncHome extends Pick<CloudPorts, 'log' | 'queue'> {
  readonly engine: Runner;
}

/** Builds what runs the integrations of one connector; nothing is connected before it is used. */
export function openSyncHome(connector: string, load: () => Promise<Connector>, hop: () => number): SyncHome {
  const environment = functionEnvironment();
  const { ports, options, log, queue } = cloudPorts({
    ...{ environment, connector, hop },
    connectorTypes: [connector],
    loadConnector: load,
  });
  return { engine: createRunner(ports, options), log, queue };
}
