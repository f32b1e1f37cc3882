import type { CheckReport } from '../../core/check';
import { readableOutcome } from '../shared/check-outcomes';
import { runSteps, type Step } from '../shared/check-steps';
import { reachSteps } from '../shared/http/reach';
import { classify } from './classify';
import type { CouchdbClient } from './client';
import type { CouchdbConfig } from './config';
import { type Database, pathOf, selectedDatabases, type Unreadable } from './databases';
import type { Endpoint } from './endpoint';

/** What a connection test works with. */
export interface Checked {
  readonly endpoint: Endpoint;
  readonly config: CouchdbConfig;
  readonly client: CouchdbClient;
  readonly signal: AbortSignal;
}

/** Tests the connection step by step. */
export async function check(checked: Checked): Promise<CheckReport> {
  const { endpoint, signal } = checked;
  const reach = reachSteps({ ...endpoint, field: 'connection.url' });
  return runSteps([...reach.steps, ...readSteps(checked)], {
    signal,
    classify,
    stop: reach.stop,
    close: async () => reach.stop(),
  });
}

function readSteps({ config, client, endpoint, signal }: Checked): readonly Step[] {
  let readable: readonly (Database | Unreadable)[] = [];
  return [
    {
      name: 'authenticate',
      async run() {
        const { version } = (await client.json('', { signal })) as { version?: unknown };
        return `${endpoint.account?.username ?? 'nobody in particular'}, on version ${String(version)}`;
      },
    },
    {
      name: 'permissions',
      async run() {
        const databases = await selectedDatabases(client, config.databases, signal);
        readable = databases.filter((one) => !('unreadable' in one));
        return readableOutcome(databases, {
          things: 'databases',
          nothing: 'Check "databases".',
          grant: 'See the members of the database.',
        });
      },
    },
    {
      name: 'read',
      async run() {
        const [first] = readable;
        if (first === undefined) return 'nothing to read';
        await client.json(`${pathOf(first.name)}/_all_docs`, { query: { limit: 1 }, signal });
        return `${first.name} can be read`;
      },
    },
  ];
}
