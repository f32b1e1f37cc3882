import { paginateScan } from '@aws-sdk/client-dynamodb';
import { configOf, Filler, type Item } from '../../test/connectors/dynamodb';
import { startDynalite } from '../../test/servers/dynalite';
import { type ConnectorCase, writeLines } from './case';

/** DynamoDB's protocol, spoken by an emulator that is much slower than DynamoDB; the bare client is a loop of AWS's own. */
export const dynamodbCase: ConnectorCase = {
  name: 'dynamodb',
  client: "a loop of AWS's client that writes JSON",
  mostRows: 20_000,
  async start(rows) {
    const server = await startDynalite();
    const filler = new Filler(server);
    await filler.table('events', [['id', 'N']]);
    await filler.put(
      'events',
      Array.from({ length: rows }, (_, index) => event(index + 1)),
    );
    return {
      document: { type: 'dynamodb', ...configOf(server), tables: ['events'], sync_strategy: { type: 'full' } },
      stream: 'events',
      readWithClient: (file) => writeLines(file, lines(filler)),
      async stop() {
        filler.client.destroy();
        await server.stop();
      },
    };
  },
};

async function* lines({ client }: Filler): AsyncGenerator<string> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName: 'events' })) {
    for (const item of Items) yield JSON.stringify(item);
  }
}

/** About 250 bytes an item. */
function event(index: number): Item {
  return {
    id: { N: String(index) },
    account: { N: String((index * 7919) % 100_000) },
    title: { S: `Title "${index}" of\nmany — äöü 日本語 ${'x'.repeat(index % 20)}` },
    note: index % 10 === 0 ? { NULL: true } : { S: `a\tnote\\${index}` },
    ratio: { N: String(index / 3) },
    quantity: { N: String(index % 1000) },
    active: { BOOL: index % 3 === 0 },
    attributes: { M: { n: { N: String(index) }, tag: { S: `v${index % 100}` }, ok: { BOOL: true } } },
  };
}
