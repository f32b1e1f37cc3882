import type { RowBatch } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { jsonMembers } from '../shared/documents/raw-json';
import { rowMaker } from '../shared/documents/rows';
import { ending } from '../shared/sql/row-batches';
import type { CouchdbClient } from './client';
import { pathOf } from './databases';
import { isDesign, members } from './documents';
import { batchesOf, type Found, pageLimit } from './pages';
import { behind, DONE, placeOf } from './position';

/** What a scan works with. */
export interface Scan {
  readonly client: CouchdbClient;
  readonly designs: boolean;
  readonly request: ScanRequest;
}

/** Reads all documents in the order of their ids. */
export async function* scanFull(scan: Scan): AsyncGenerator<RowBatch> {
  const { stream, size, from } = scan.request;
  if (placeOf(from).done) return;
  const batches = batchesOf(documentsOf(scan), stream, size);
  // `ending` gives any batch back as it came.
  yield* ending(batches, stream, from, DONE) as AsyncGenerator<RowBatch>;
}

async function* documentsOf({ client, designs, request }: Scan): AsyncGenerator<Found> {
  const toRow = rowMaker(request.stream, members);
  let last = placeOf(request.from).id;
  for (let limit = pageLimit(); ; ) {
    // One more, as the page begins with the last document of the one before, if that is still there.
    const asked = last === undefined ? limit : limit + 1;
    let records = 0;
    let bytes = 0;
    for await (const { id, document, length } of allDocuments(client, request, { startkey: last, limit: asked })) {
      records++;
      bytes += length;
      if (id === last) continue;
      last = id;
      const wanted = document !== undefined && (designs || !isDesign(id));
      yield { after: behind(id), ...(wanted && { row: toRow(jsonMembers(document)) }) };
    }
    if (records < asked) return;
    limit = pageLimit(records, bytes);
  }
}

/** Which documents to ask for. */
export interface Range {
  readonly startkey?: string | undefined;
  readonly limit: number;
  readonly descending?: true;
}

/** Documents in the order of their ids, as they are written. */
export async function* allDocuments(
  client: CouchdbClient,
  { stream, signal }: Pick<ScanRequest, 'stream' | 'signal'>,
  { startkey, limit, descending }: Range,
): AsyncGenerator<{ readonly id: string; readonly document: string | undefined; readonly length: number }> {
  const query = {
    include_docs: true,
    conflicts: true,
    limit,
    startkey: startkey === undefined ? undefined : JSON.stringify(startkey),
    descending,
  };
  for await (const text of client.elements(`${pathOf(stream.stream)}/_all_docs`, { query, signal })) {
    const row = new Map(jsonMembers(text));
    const document = row.get('doc');
    yield {
      id: JSON.parse(row.get('id') ?? '""') as string,
      document: document?.startsWith('{') ? document : undefined,
      length: text.length,
    };
  }
}
