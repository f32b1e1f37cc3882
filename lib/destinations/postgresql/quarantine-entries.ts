import type { QuarantineEntry, QuarantineFilter } from '../../core/quarantine';
import type { StreamSchema } from '../../core/schema';
import type { Bookkeeping } from './bookkeeping';
import { openedRecord, sealContext } from './quarantine';
import { rowOf } from './quarantine-record';
import type { Session, TextRow } from './session';
import { arrayLiteral } from './types';
import type { Writing } from './write';

/** A filter as SQL over the alias `q`; its parameters are numbered from 1. */
function condition(integration: string, filter: QuarantineFilter): [string, (string | null)[]] {
  const { stream, field, rule, reason, run, since, until, ids } = filter;
  const known = ids?.filter((id) => /^\d{1,18}$/.test(id));
  const text = `q.integration = $1 AND ($2::text IS NULL OR q.stream = $2) AND ($3::text IS NULL OR q.field = $3)
    AND ($4::text IS NULL OR q.rule = $4) AND ($5::text IS NULL OR strpos(lower(q.reason), lower($5)) > 0)
    AND ($6::text IS NULL OR q.run = $6) AND ($7::timestamptz IS NULL OR q.at >= $7)
    AND ($8::timestamptz IS NULL OR q.at < $8) AND ($9::bigint[] IS NULL OR q.id = ANY($9))`;
  const values = [stream, field, rule, reason, run, since, until].map((value) => value ?? null);
  return [text, [integration, ...values, known ? arrayLiteral(known) : null]];
}

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
    `SELECT q.id, q.stream, q.record, q.op, s.schema FROM ${books.quarantine} q
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

function entryOf(row: TextRow, open: (sealed: string) => string | undefined): QuarantineEntry {
  const entry = { id: row.id ?? '', stream: row.stream ?? '' };
  if (row.schema == null) {
    return { ...entry, problem: 'it was kept without its types, or a field was too large to be kept whole' };
  }
  const record = openedRecord(row.record ?? '{}', open);
  if (record === undefined) return { ...entry, problem: 'it is encrypted under a key that is not here' };
  const schema = JSON.parse(row.schema) as StreamSchema;
  return { ...entry, record: { row: rowOf(record, schema), schema, op: Number(row.op ?? 0) } };
}
