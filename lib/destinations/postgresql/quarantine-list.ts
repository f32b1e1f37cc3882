import { Op } from '../../core/batch';
import type { QuarantinedRecord, QuarantineQuery, Reason } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { QuarantineFilter } from '../../core/quarantine';
import { sealContext } from './quarantine';
import type { QuarantineCipher } from './quarantine-cipher';
import type { Session, TextRow } from './session';
import { arrayLiteral } from './types';
import type { Writing } from './write';

/** What a record under a lost key is shown as. */
const UNREADABLE = { _explorerio: 'encrypted under a key that is not here' };
const ID = /^\d{1,18}$/;

/** A filter as SQL over the alias `q`; its parameters are numbered from 1 to 9. */
export function condition(integration: string, filter: QuarantineFilter): [string, (string | null)[]] {
  const { stream, field, rule, reason, run, since, until, ids } = filter;
  const named = (parameter: string, member: string) => `(${parameter}::text IS NULL OR q.${member} = ${parameter}
    OR EXISTS (SELECT FROM json_array_elements(q.reasons) r WHERE r ->> '${member}' = ${parameter}))`;
  const text = `q.integration = $1 AND ($2::text IS NULL OR q.stream = $2) AND ${named('$3', 'field')}
    AND ${named('$4', 'rule')} AND ($5::text IS NULL OR strpos(lower(q.reason), lower($5)) > 0)
    AND ($6::text IS NULL OR q.run = $6) AND ($7::timestamptz IS NULL OR q.at >= $7)
    AND ($8::timestamptz IS NULL OR q.at < $8) AND ($9::bigint[] IS NULL OR q.id = ANY($9))`;
  const values = [stream, field, rule, reason, run, since, until].map((value) => value ?? null);
  return [text, [integration, ...values, ids ? arrayLiteral(ids.filter((id) => ID.test(id))) : null]];
}

/** The columns that {@link viewOf} shows, of the alias `q`, beside the shape `s`. */
export const VIEWED = `q.id, q.stream, q.run, q.partition, q.load, q.reason, q.field, q.rule, q.reasons, q.record, q.op,
  q.configuration, ${isoText('q.at')} AS at, ${isoText('q.edited_at')} AS edited_at, q.edited_fields, q.revision, s.schema`;

function isoText(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** See `Destination.quarantined`. */
export async function listQuarantine(
  session: Session,
  { books, cipher }: Writing,
  integration: string,
  { limit, after, ...filter }: QuarantineQuery,
): Promise<readonly QuarantinedRecord[]> {
  if (after !== undefined && !ID.test(after)) throw noRecord('listing quarantined records', after);
  const [where, values] = condition(integration, filter);
  const rows = await session.query(
    `SELECT ${VIEWED} FROM ${books.quarantine} q LEFT JOIN ${books.shapes} s ON s.digest = q.shape
     WHERE ${where} AND ($10::bigint IS NULL OR q.id < $10) ORDER BY q.id DESC LIMIT $11`,
    [...values, after ?? null, limit],
  );
  return rows.map((row) => viewOf(row, integration, cipher));
}

/** The fault of an entry that is not there. */
export function noRecord(doing: string, id: string): Fault {
  return new Fault('config', 'not_found', `${doing}: there is no record ${id} in quarantine`, {
    hint: 'It was loaded or dropped, or a newer version has taken its place under another id: list the quarantine again.',
  });
}

const OPS: { readonly [op: number]: QuarantinedRecord['op'] } = { [Op.Update]: 'update', [Op.Delete]: 'delete' };

/** An entry as it is shown. */
export function viewOf(row: TextRow, integration: string, cipher: QuarantineCipher): QuarantinedRecord {
  const opened = openedRecord(row.record ?? '{}', (text) =>
    cipher.open(text, sealContext(integration, row.stream ?? '')),
  );
  const problem = problemOf(row, opened !== undefined);
  const { field, rule, load, configuration } = row;
  return {
    id: row.id ?? '',
    stream: row.stream ?? '',
    run: row.run ?? '',
    reason: row.reason ?? '',
    ...(field != null && { field }),
    ...(rule != null && { rule }),
    reasons: reasonsOf(row),
    op: OPS[Number(row.op ?? Op.Insert)] ?? 'insert',
    partition: row.partition ?? '',
    ...(load != null && { load }),
    ...(configuration != null && { configuration }),
    record: opened ?? UNREADABLE,
    at: row.at ?? '',
    ...(row.edited_at != null && { edited: { at: row.edited_at, fields: editedFields(row) } }),
    ...(problem !== undefined && { problem }),
  };
}

function reasonsOf({ reasons, reason, field, rule }: TextRow): readonly Reason[] {
  if (reasons != null) return JSON.parse(reasons) as readonly Reason[];
  return [{ message: reason ?? '', ...(field != null && { field }), ...(rule != null && { rule }) }];
}

/** Names of the fields of an entry that were edited. */
export function editedFields({ edited_fields }: TextRow): readonly string[] {
  return JSON.parse(edited_fields ?? '[]') as readonly string[];
}

/** Why an entry cannot be brought back, where it cannot. */
export function problemOf({ schema }: TextRow, isReadable: boolean): string | undefined {
  if (schema == null) return 'it was kept without its types, or a field was too large to be kept whole';
  return isReadable ? undefined : 'it is encrypted under a key that is not here';
}

/** The kept record; `undefined` where its key is not here. */
export function openedRecord(
  stored: string,
  open: (sealed: string) => string | undefined,
): { readonly [column: string]: Json } | undefined {
  const value = JSON.parse(stored) as string | { readonly [column: string]: Json };
  if (typeof value !== 'string') return value;
  const text = open(value);
  return text === undefined ? undefined : (JSON.parse(text) as { readonly [column: string]: Json });
}
