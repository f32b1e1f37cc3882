import { DynamoStateStore } from '../../../lib/adapters/aws/state';
import { describeStateStore, type StateFixture } from '../../contracts/state';
import { ManualClock } from '../../memory/clock';
import { dynalite } from '../../servers/dynalite';
import { ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';
import { clientOf, createStateTable, type Endpoint } from './state-table';

async function openFixture(endpoint: Endpoint): Promise<StateFixture> {
  const clock = new ManualClock();
  const clients = [clientOf(endpoint)];
  const [first] = clients;
  if (first === undefined) throw new Error('there is no client');
  const table = await createStateTable(first);
  return {
    store: new DynamoStateStore({ client: first, table, clock }),
    now: () => clock.now(),
    elapse: (ms) => clock.advance(ms),
    reopen: async () => {
      const client = clientOf(endpoint);
      clients.push(client);
      return new DynamoStateStore({ client, table, clock });
    },
    close: async () => {
      for (const client of clients) client.destroy();
    },
  };
}

describeWithServer('dynalite', dynalite(), (server) => {
  describeStateStore('DynamoDB', () => openFixture(server()));
});

describeWithServer('MiniStack', ministack(), (server) => {
  describeStateStore('DynamoDB of MiniStack', () => openFixture(server()));
});
