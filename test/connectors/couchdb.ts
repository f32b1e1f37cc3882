import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { type CouchdbServer, couchdbServer, startCouchdb } from '../servers/couchdb';
import { freePort } from '../servers/port';

/** A document as it is sent. */
export type Doc = { readonly _id: string } & Record<string, unknown>;

const DATABASE = 'contract_items';
const LARGE = 'contract_large';
const LARGE_DOCUMENT = 128 * 1024;
const SEEDED: StreamSchema = {
  stream: DATABASE,
  key: ['_id'],
  columns: [
    { name: '_id', type: 'text', nullable: false, native: 'couchdb/string' },
    { name: '_rev', type: 'text', nullable: true, native: 'couchdb/string' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'couchdb/number' },
    { name: 'name', type: 'text', nullable: true, native: 'couchdb/string' },
    { name: 'note', type: 'text', nullable: true, native: 'couchdb/string' },
    { name: 'tags', type: 'json', nullable: true, native: 'couchdb/json' },
    { name: '_explorerio_rest', type: 'json', nullable: true, native: 'couchdb/rest' },
  ],
};

export const fixtures: readonly SourceFixture[] = [
  {
    name: couchdbServer.name,
    kind: 'emulator',
    unavailable: couchdbServer.unavailable,
    start: async () => runningSource(await startCouchdb()),
    waivers: {
      'an added column shows as another schema':
        'documents have no declared columns: what discovery did not see is in _explorerio_rest until the next run',
    },
  },
];

/** The configuration of a source that reads an emulator. */
export function configOf({ url, username, password }: Pick<CouchdbServer, 'url' | 'username' | 'password'>) {
  return { connection: { url, username, password } };
}

/** Makes a database anew. */
export async function makeDatabase({ request }: CouchdbServer, name: string): Promise<void> {
  await request('DELETE', `/${encodeURIComponent(name)}`);
  await request('PUT', `/${encodeURIComponent(name)}`);
}

/** Writes documents, whatever revisions there are; gives their revisions. */
export async function write({ request }: CouchdbServer, name: string, docs: readonly Doc[]): Promise<string[]> {
  const path = `/${encodeURIComponent(name)}`;
  const keys = docs.map(({ _id }) => _id);
  const { rows } = (await request('POST', `${path}/_all_docs`, { keys })) as {
    rows: { value?: { rev: string; deleted?: true } }[];
  };
  const known = docs.map((doc, index) => {
    const { rev, deleted } = rows[index]?.value ?? {};
    return { ...doc, ...(rev !== undefined && !deleted && { _rev: rev }) };
  });
  const written = (await request('POST', `${path}/_bulk_docs`, { docs: known })) as { id: string; rev?: string }[];
  const revisions = new Map(written.map(({ id, rev }) => [id, rev]));
  return keys.map((key) => {
    const revision = revisions.get(key);
    if (revision === undefined) throw new Error(`${name} does not take ${key}: ${JSON.stringify(written)}`);
    return revision;
  });
}

function doc(id: number, updates = 0): Doc {
  return {
    _id: String(id),
    name: `name "${id}"\t\\ \n é 🙂`,
    amount: id * 1.25 + updates,
    tags: ['a', { b: id }],
    ...(id % 3 === 0 && { note: 'note' }),
  };
}

function row(id: number, revision: string, updates = 0): Row {
  const { name, amount, note, tags } = doc(id, updates);
  return [
    String(id),
    revision,
    String(amount),
    String(name),
    note === undefined ? null : 'note',
    JSON.stringify(tags),
    null,
  ];
}

async function runningSource(server: CouchdbServer): Promise<RunningSource> {
  const config = configOf(server);
  const writeRows = async (ids: readonly number[], updates = 0): Promise<Row[]> => {
    const revisions = await write(
      server,
      DATABASE,
      ids.map((id) => doc(id, updates)),
    );
    return ids.map((id, index) => row(id, revisions[index] ?? '', updates));
  };
  const wrong = { ...config.connection, password: 'not-the-password' };
  return {
    config,
    required: ['connection'],
    secrets: [server.password],
    expected: SEEDED,
    cursor: '_seq',
    wrongPassword: () => ({ connection: wrong }),
    closedPort: async () => ({ connection: { ...config.connection, port: await freePort() } }),
    async seed(count) {
      await makeDatabase(server, DATABASE);
      await server.request('PUT', `/${DATABASE}/_design/views`, { views: {} });
      return writeRows(Array.from({ length: count }, (_, index) => index + 1));
    },
    insert: (ids) => writeRows(ids),
    update: (ids) => writeRows(ids, 1),
    async remove(ids) {
      await write(
        server,
        DATABASE,
        ids.map((id) => ({ _id: String(id), _deleted: true })),
      );
    },
    async addColumn(name) {
      await write(server, DATABASE, [{ ...doc(1), [name]: 1 }]);
    },
    async seedLarge(bytes) {
      await makeDatabase(server, LARGE);
      const filling = 'x'.repeat(LARGE_DOCUMENT);
      const count = Math.ceil(bytes / LARGE_DOCUMENT);
      for (let at = 0; at < count; at += 50) {
        const some = Array.from({ length: Math.min(50, count - at) }, (_, index) => ({
          _id: String(at + index),
          filling,
        }));
        await write(server, LARGE, some);
      }
      return LARGE;
    },
    openConnections: () => server.connections(),
    stop: () => server.stop(),
  };
}
