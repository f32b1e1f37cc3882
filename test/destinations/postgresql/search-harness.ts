import type { Row } from '../../../lib/core/batch';
import type { Destination, DestinationContext } from '../../../lib/core/destination';
import type { StreamSchema } from '../../../lib/core/schema';
import type { SearchableStreams, SearchPlace, SearchReader, SearchRequest } from '../../../lib/core/search';
import { openDestination, openSearch } from '../../../lib/destinations';
import { column, options, rowBatch, signal } from '../../contracts/destination-harness';
import type { PostgresqlServer } from '../../servers/postgresql';
import { query, silent } from '../postgresql';

/** A stream of which title and body are searched. */
export const books: StreamSchema = {
  stream: 'books',
  columns: [column('id', 'int64'), column('title', 'text'), column('body', 'text'), column('at', 'timestamptz')],
  key: ['id'],
};
const search: SearchableStreams = { books: { fields: ['title', 'body'], language: 'simple' } };

/** A record of {@link books}. */
export const book = (id: number, title: string, body = ''): Row => [BigInt(id), title, body, '2026-01-02 03:04:05+00'];

/** Opens destinations whose records can be searched, each in a namespace of its own, and closes them after each test. */
export function searchHarness(server: () => PostgresqlServer) {
  const opened: { close(): Promise<void> }[] = [];
  let number = 0;
  const sql = (text: string) => query(server(), text);
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  async function open(more: Partial<DestinationContext> = {}, url = server().url): Promise<Destination> {
    const context = {
      integration: 'shop',
      namespace: `search_${++number}`,
      deletes: 'hard',
      search,
      ...more,
    } as const;
    const destination = await openDestination('postgresql', { url }, context, { log: silent });
    opened.push(destination);
    return destination;
  }

  async function reader(url = server().url): Promise<SearchReader> {
    const found = await openSearch('postgresql', { url }, { log: silent });
    opened.push(found);
    return found;
  }

  /** One integration with an open increment, and how to look for its records. */
  async function start(more: Partial<DestinationContext> = {}, schema = books, url = server().url) {
    const integration = more.integration ?? 'shop';
    const destination = await open(more, url);
    const namespace = more.namespace ?? `search_${number}`;
    const slice = { integration, stream: schema.stream, partition: 'increment' };
    const { changes } = await destination.prepare(slice, schema);
    await destination.claim(slice, 1);
    const write = (rows: Row[], ops?: number[], shape = schema) =>
      destination.write(rowBatch(shape, rows, 1, ops), slice, options());
    let loads = 0;
    const full = async (rows: Row[], shape = schema, through = destination) => {
      const load = `load-${number}-${++loads}`;
      const part = { ...slice, partition: 'all', load };
      await through.prepare(part, shape);
      await through.claim(part, 1);
      await through.write(rowBatch(shape, rows), part, options());
      return through.publish(shape, load, { signal });
    };
    const place: SearchPlace = { integration, namespace, streams: [schema.stream] };
    const searcher = await reader(url);
    const find = async (text: string, request: Partial<SearchRequest> = {}) =>
      searcher.search({ text, limit: 20, ...request }, [place], signal);
    const ids = async (text: string) => (await find(text)).hits.map(({ key }) => Number(key.id));
    return { destination, namespace, slice, changes, write, full, place, searcher, find, ids };
  }

  return { opened, sql, open, reader, start };
}

/** What the tests of the search are given. */
export type SearchHarness = ReturnType<typeof searchHarness>;
