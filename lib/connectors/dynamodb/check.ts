import type { CheckReport } from '../../core/check';
import { firstOutcome, readableOutcome } from '../shared/check-outcomes';
import { type Outcome, runSteps, type Step } from '../shared/check-steps';
import { reachSteps } from '../shared/http/reach';
import { classify } from './classify';
import type { DynamodbClient } from './client';
import type { DynamodbConfig } from './config';
import type { Endpoint } from './endpoint';
import { selectedTables, type Table } from './tables';

/** What a connection test works with. */
export interface Checked {
  readonly endpoint: Endpoint;
  readonly config: DynamodbConfig;
  readonly client: DynamodbClient;
  readonly signal: AbortSignal;
}

/** Tests the connection step by step. */
export async function check(checked: Checked): Promise<CheckReport> {
  const { endpoint, signal } = checked;
  const reach = reachSteps({ ...endpoint, field: 'connection.endpoint' });
  return runSteps([...reach.steps, ...readSteps(checked)], {
    signal,
    classify,
    stop: reach.stop,
    close: async () => reach.stop(),
  });
}

function readSteps({ config, client, endpoint, signal }: Checked): readonly Step[] {
  let readable: readonly Table[] = [];
  return [
    { name: 'authenticate', run: () => authenticate(client, endpoint, signal) },
    {
      name: 'permissions',
      async run() {
        const tables = await selectedTables(client, config.tables, signal);
        readable = tables.filter(({ unreadable }) => unreadable === undefined);
        return readableOutcome(tables, {
          things: 'tables',
          may: 'be described',
          nothing: 'Check "tables", connection.region and the account.',
          grant: 'See the rights of the account.',
        });
      },
    },
    {
      name: 'read',
      async run() {
        const [first] = readable;
        if (first === undefined) return 'nothing to read';
        const { items } = await client.scan({ TableName: first.name, Limit: 1 }, signal);
        return firstOutcome(first.name, items.length > 0, 'an item');
      },
    },
  ];
}

async function authenticate(client: DynamodbClient, { keys, role }: Endpoint, signal: AbortSignal): Promise<Outcome> {
  const own = keys ? `access key ${keys.id}` : 'the credentials of this process';
  const who = role ? `${own}, as ${role.arn}` : own;
  try {
    await client.list(undefined, signal);
    return `${who}, accepted`;
  } catch (error) {
    const fault = classify(error);
    if (fault?.code !== 'permission_denied') throw error;
    return `${who}, accepted; tables may not be listed`;
  }
}
