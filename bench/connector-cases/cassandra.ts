import type { Client, types } from 'cassandra-driver';
import { configOf, executeMany, makeKeyspace } from '../../test/connectors/cassandra';
import { startCassandra } from '../../test/servers/cassandra';
import { type ConnectorCase, writeLines } from './case';

const AT_ONCE = 5000;
const PAGE = 5000;
const FIRST_MS = Date.UTC(2024, 0, 1);

/** A real node; the bare client is a loop of the driver, as cqlsh is not there. */
export const cassandraCase: ConnectorCase = {
  name: 'cassandra',
  client: 'a loop of the driver that writes JSON',
  mostRows: 200_000,
  async start(rows) {
    const server = await startCassandra();
    await makeKeyspace(server);
    const { client } = server;
    await client.execute(`create table shop.events (id bigint primary key, account bigint, title text, note text,
      quantity int, active boolean, ratio double, amount decimal, created_at timestamp, tags list<text>)`);
    const insert = `insert into shop.events (id, account, title, note, quantity, active, ratio, amount, created_at, tags)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    for (let at = 0; at < rows; at += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, rows - at) }, (_, index) => event(at + index + 1));
      await executeMany(server, insert, some);
    }
    return {
      document: { type: 'cassandra', ...configOf(server), tables: ['events'], sync_strategy: { type: 'full' } },
      stream: 'events',
      readWithClient: (file) => writeLines(file, lines(client)),
      stop: () => server.stop(),
    };
  },
};

async function* lines(client: Client): AsyncGenerator<string> {
  const options = { prepare: true, fetchSize: PAGE };
  for (let page: types.ResultSet | undefined, more = true; more; ) {
    const state = page?.pageState;
    page = await client.execute('select * from shop.events', [], { ...options, ...(state && { pageState: state }) });
    for (const row of page.rows) yield JSON.stringify(row);
    more = page.pageState !== null && page.pageState !== undefined;
  }
}

/** About 200 bytes a row. */
function event(index: number): unknown[] {
  const title = `Title "${index}" of\nmany — äöü 日本語 ${'x'.repeat(index % 20)}`;
  const note = index % 10 === 0 ? null : `a\tnote\\${index}`;
  const amount = ((index % 1_000_000) / 7).toFixed(4);
  const created = new Date(FIRST_MS + index * 1000);
  return [
    index,
    (index * 7919) % 100_000,
    title,
    note,
    index % 1000,
    index % 3 === 0,
    index / 3,
    amount,
    created,
    ['a', `v${index % 100}`],
  ];
}
