import type { Row, RowBatch } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { StreamSchema } from '../../core/schema';
import { jsonMembers } from '../shared/documents/raw-json';
import { rowMaker } from '../shared/documents/rows';
import { type Database, pathOf, readDatabase, sequenceText } from './databases';
import { ID, isDesign, members } from './documents';
import type { Scan } from './full-scan';
import { batchesOf, type Found, pageLimit } from './pages';
import { countOf, replaced, type Since, sinceOf, sincePosition } from './position';

/** The cursor of every database: the sequence of its changes, which is no member of the documents. */
export const SEQUENCE = '_seq';

/** Reads what changed since the last sequence, up to the one that the database has now; each document once. */
export async function* scanIncrement(scan: Scan): AsyncGenerator<RowBatch> {
  const { stream, size, from, signal } = scan.request;
  const database = await readDatabase(scan.client, stream.stream, signal);
  const begin = sinceOf(from, database);
  let isEmpty = true;
  for await (const batch of batchesOf(changesOf(scan, database, begin), stream, size)) {
    isEmpty = false;
    yield batch;
  }
  if (isEmpty && from === undefined) {
    yield { kind: 'rows', schema: stream, rows: [], after: sincePosition(begin.since, begin.instance) };
  }
}

async function* changesOf(scan: Scan, database: Database, begin: Since): AsyncGenerator<Found> {
  const { request, designs } = scan;
  const toRow = rowMaker(request.stream, members);
  const head = countOf(database.sequence);
  let { since } = begin;
  for (let limit = pageLimit(); ; ) {
    let records = 0;
    let bytes = 0;
    for await (const change of changes(scan, since, limit)) {
      records++;
      bytes += change.length;
      since = change.sequence;
      const after = sincePosition(since, database.instance);
      if (!designs && isDesign(change.id)) yield { after };
      else if (change.isDelete) yield { after, row: deleted(request.stream, change.id), isDelete: true };
      else yield { after, row: toRow(jsonMembers(change.document)) };
    }
    // Whatever was written since the read began is for the next one.
    if (records < limit || countOf(since) >= head) return;
    limit = pageLimit(records, bytes);
  }
}

function deleted({ columns }: StreamSchema, id: string): Row {
  return columns.map(({ name }) => (name === ID.name ? id : null));
}

interface Change {
  readonly id: string;
  readonly sequence: string;
  readonly isDelete: boolean;
  readonly document: string;
  readonly length: number;
}

async function* changes({ client, request }: Scan, since: string, limit: number): AsyncGenerator<Change> {
  const { stream, signal } = request;
  const query = { since, limit, include_docs: true, conflicts: true };
  try {
    for await (const text of client.elements(`${pathOf(stream.stream)}/_changes`, { query, signal })) {
      const change = new Map(jsonMembers(text));
      yield {
        id: JSON.parse(change.get('id') ?? '""') as string,
        sequence: sequenceText(JSON.parse(change.get('seq') ?? 'null')),
        isDelete: change.get('deleted') === 'true',
        document: change.get('doc') ?? '{}',
        length: text.length,
      };
    }
  } catch (error) {
    const isRefused = error instanceof Fault && error.code === 'request_refused';
    throw isRefused && since !== '0' ? replaced(stream.stream, error) : error;
  }
}
