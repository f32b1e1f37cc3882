import type { QuarantineEntry, QuarantineFilter } from '../../core/quarantine';
import type { StreamSchema } from '../../core/schema';
import type { Bookkeeping } from './bookkeeping';
import { sealContext } from './quarantine';
import { condition, openedRecord, problemOf } from './quarantine-list';
import { rowOf } from './quarantine-record';
import type { Session, TextRow } from './session';
import type { Writing } from './write';

/** See `QuarantineStore.entries`. */
export async function quarantineEntries(
  session: Session,
  { books, cipher }: Writing,
  integration: string,
  filter: QuarantineFilter,
  { limit, after }: { readonly limit: number; readonly after?: string },
): Promise<readonly QuarantineEntry[]> {
  const [where, values] = condition(integration, filter);
  const rows = await session.query(
    `SELECT q.id, q.stream, q.record, q.op, q.revision, s.schema FROM ${books.quarantine} q
     LEFT JOIN ${books.shapes} s ON s.digest = q.shape
     WHERE ${where} AND ($10::bigint IS NULL OR q.id > $10) ORDER BY q.id LIMIT $11`,
    [...values, after ?? null, limit],
  );
  return rows.map((row) => entryOf(row, (sealed) => cipher.open(sealed, sealContext(integration, row.stream ?? ''))));
}

/** See `QuarantineStore.remove`. */
export function removeEntries(session: Session, books: Bookkeeping, integration: string, filter: QuarantineFilter) {
  const [where, values] = condition(integration, filter);
  return session.execute(`DELETE FROM ${books.quarantine} q WHERE ${where}`, values);
}

/** A stored entry, with its record where that can be brought back. */
export function entryOf(row: TextRow, open: (sealed: string) => string | undefined): QuarantineEntry {
  const entry = { id: row.id ?? '', stream: row.stream ?? '', revision: Number(row.revision ?? 0) };
  const record = openedRecord(row.record ?? '{}', open);
  const problem = problemOf(row, record !== undefined);
  if (record === undefined || problem !== undefined) return { ...entry, ...(problem !== undefined && { problem }) };
  const schema = JSON.parse(row.schema ?? '') as StreamSchema;
  return { ...entry, record: { row: rowOf(record, schema), schema, op: Number(row.op ?? 0) } };
}
