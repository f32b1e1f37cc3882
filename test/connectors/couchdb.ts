import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { connectionOf, type GivenServer, type GivenSource, NOBODY, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { type CouchdbServer, couchdbServer, startCouchdb } from '../servers/couchdb';
import { freePort } from '../servers/port';

/** A document as it is sent. */
export type Doc = { readonly _id: string } & Record<string, unknown>;

const LARGE_DOCUMENT = 128 * 1024;
// A server takes documents of 8 MB, unless it is told otherwise.
const LARGE_VALUE = 7 << 20;
const SEEDED: Omit<StreamSchema, 'stream'> = {
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

/** What writes to a server, and asks it. */
type Writer = Pick<CouchdbServer, 'request'>;

const OF_DOCUMENTS = {
  'an added column shows as another schema':
    'documents have no declared columns: what discovery did not see is in _explorerio_rest until the next run',
  [TROUBLE.noDatabase]: 'a database is a stream: one that is missing is reported with it, and the others are read',
  [TROUBLE.nulls]: 'each document has an _id of its own',
  [TROUBLE.late]: 'there are no transactions: each write is the next in the sequence',
  [TROUBLE.many]: 'each database is looked into, which takes longer than a test may',
};

export const fixtures: readonly SourceFixture[] = [
  {
    name: couchdbServer.name,
    kind: 'emulator',
    unavailable: couchdbServer.unavailable,
    start: async () => runningSource(await startCouchdb()),
    waivers: OF_DOCUMENTS,
  },
];

/** The configuration of a source that reads an emulator. */
export function configOf({ url, username, password }: Pick<CouchdbServer, 'url' | 'username' | 'password'>) {
  return { connection: { url, username, password } };
}

/** Makes a database anew. */
export async function makeDatabase({ request }: Writer, name: string): Promise<void> {
  await request('DELETE', `/${encodeURIComponent(name)}`);
  await request('PUT', `/${encodeURIComponent(name)}`);
}

/** Writes documents, whatever revisions there are; gives their revisions. */
export async function write({ request }: Writer, name: string, docs: readonly Doc[]): Promise<string[]> {
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
  const { connection } = config;
  return {
    ...sourceOf(server, 'contract_'),
    config,
    secrets: [server.password],
    wrongPassword: () => ({ connection: { ...connection, password: 'not-the-password' } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort() } }),
    line: {
      host: '127.0.0.1',
      port: server.port,
      through: (port) => ({ connection: { ...connection, port, connect_timeout: '500ms', request_timeout: '500ms' } }),
    },
    openConnections: () => server.connections(),
    stop: () => server.stop(),
  };
}

/** The same on a server of the user's; its user must be an administrator, as databases are made. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const connection = connectionOf(given) as { readonly [key: string]: string };
  const url = new URL(connection.url ?? '');
  const connections = watchSockets();
  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { username = '', password = '' } = connection;
    const response = await fetch(`${url.origin}${url.pathname.replace(/\/$/, '')}${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'content-type': 'application/json',
        connection: 'close',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { error?: string; reason?: string };
    if (response.ok || response.status === 404) return answer;
    throw new Error(`${method} ${path}: ${answer.error}: ${answer.reason}`);
  };
  const made = async (beginning: string) =>
    ((await request('GET', '/_all_dbs')) as string[]).filter((name) => name.startsWith(beginning));
  const config = { ...given.config, databases: [`${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const port = Number(url.port || 80);
  return {
    ...sourceOf({ request }, prefix),
    config,
    secrets: [connection.password ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    closedPort: async () => changed({ host: '127.0.0.1', port: await freePort() }),
    ...(url.protocol === 'http:' && {
      line: {
        host: url.hostname,
        port,
        through: (own) => changed({ host: '127.0.0.1', port: own, connect_timeout: '3s', request_timeout: '3s' }),
      },
    }),
    openConnections: connections,
    notRun: OF_DOCUMENTS,
    made,
    async removeAll() {
      for (const name of await made(prefix)) await request('DELETE', `/${encodeURIComponent(name)}`);
    },
    stop: async () => undefined,
  };
}

function sourceOf(server: Writer, prefix: string): Omit<RunningSource, OfServer> {
  const database = `${prefix}items`;
  const writeRows = async (ids: readonly number[], updates = 0): Promise<Row[]> => {
    const docs = ids.map((id) => doc(id, updates));
    const revisions = await write(server, database, docs);
    return ids.map((id, index) => row(id, revisions[index] ?? '', updates));
  };
  return {
    required: ['connection'],
    expected: { stream: database, ...SEEDED },
    cursor: '_seq',
    async seed(count) {
      await makeDatabase(server, database);
      await server.request('PUT', `/${database}/_design/views`, { views: {} });
      return writeRows(Array.from({ length: count }, (_, index) => index + 1));
    },
    insert: (ids) => writeRows(ids),
    update: (ids) => writeRows(ids, 1),
    async remove(ids) {
      const docs = ids.map((id) => ({ _id: String(id), _deleted: true }));
      await write(server, database, docs);
    },
    async addColumn(name) {
      await write(server, database, [{ ...doc(1), [name]: 1 }]);
    },
    async seedLarge(bytes) {
      const large = `${prefix}large`;
      await makeDatabase(server, large);
      const filling = 'x'.repeat(LARGE_DOCUMENT);
      const count = Math.ceil(bytes / LARGE_DOCUMENT);
      for (let at = 0; at < count; at += 50) {
        const some = Array.from({ length: Math.min(50, count - at) }, (_, index) => ({
          _id: String(at + index),
          filling,
        }));
        await write(server, large, some);
      }
      return large;
    },
    async seedNamed(_stream, column) {
      const named = `${prefix}named-(1)$+`;
      await makeDatabase(server, named);
      const [revision = ''] = await write(server, named, [{ _id: 'a/b "c"', [column]: 'here' }]);
      return { stream: named, rows: [['a/b "c"', revision, 'here', null]] };
    },
    async seedText() {
      const text = `${prefix}text`;
      await makeDatabase(server, text);
      await write(server, text, [{ _id: '1', value: 'x'.repeat(LARGE_VALUE) }]);
      return { stream: text, bytes: LARGE_VALUE };
    },
  };
}
