import { configOf, makeDatabase } from '../../test/connectors/couchdb';
import { type CouchdbServer, startCouchdb } from '../../test/servers/couchdb';
import { type ConnectorCase, writeLines } from './case';

const PAGE = 1000;

/** CouchDB's protocol, spoken by an emulator that is much slower than CouchDB; the bare client is a loop of fetch. */
export const couchdbCase: ConnectorCase = {
  name: 'couchdb',
  client: 'a loop of fetch that writes JSON',
  mostRows: 50_000,
  async start(rows) {
    const server = await startCouchdb();
    await makeDatabase(server, 'events');
    for (let at = 0; at < rows; at += PAGE) {
      const docs = Array.from({ length: Math.min(PAGE, rows - at) }, (_, index) => event(at + index + 1));
      await server.request('POST', '/events/_bulk_docs', { docs });
    }
    return {
      document: { type: 'couchdb', ...configOf(server), databases: ['events'], sync_strategy: { type: 'full' } },
      stream: 'events',
      readWithClient: (file) => writeLines(file, lines(server)),
      stop: () => server.stop(),
    };
  },
};

async function* lines({ request }: CouchdbServer): AsyncGenerator<string> {
  for (let next: string | undefined = ''; next !== undefined; ) {
    const start: string = next === '' ? '' : `&skip=1&start_key=${encodeURIComponent(JSON.stringify(next))}`;
    const path = `/events/_all_docs?include_docs=true&limit=${PAGE}${start}`;
    const { rows } = (await request('GET', path)) as { rows: { id: string; doc: object }[] };
    for (const { doc } of rows) yield JSON.stringify(doc);
    next = rows.at(-1)?.id;
  }
}

/** About 250 bytes a document. */
function event(index: number): object {
  return {
    _id: String(index).padStart(9, '0'),
    account: (index * 7919) % 100_000,
    title: `Title "${index}" of\nmany — äöü 日本語 ${'x'.repeat(index % 20)}`,
    note: index % 10 === 0 ? null : `a\tnote\\${index}`,
    ratio: index / 3,
    quantity: index % 1000,
    active: index % 3 === 0,
    attributes: { n: index, tag: `v${index % 100}`, ok: true },
  };
}
