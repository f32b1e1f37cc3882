import { UNCHANGED, type Value } from '../../core/batch';
import type { QuarantinedRecord, QuarantineQuery, Rejection } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { SliceKey } from '../../core/position';
import type { Bookkeeping } from './bookkeeping';
import type { Session } from './session';
import { arrayLiteral } from './types';

/** Records go in groups, so that one statement stays small. */
const GROUP_RECORDS = 500;
const GROUP_CHARACTERS = 8 * 1024 * 1024;
/** A cell above this is kept by its beginning: the record must fit into one text. */
const LONGEST_CELL = 4 * 1024 * 1024;

/** Puts records into quarantine, inside the caller's transaction. */
export async function quarantine(
  session: Session,
  books: Bookkeeping,
  slice: SliceKey,
  run: string,
  rejections: readonly Rejection[],
): Promise<void> {
  let group: { readonly rejection: Rejection; readonly record: string }[] = [];
  let characters = 0;
  const flush = async () => {
    if (group.length > 0) await insert(session, books, slice, run, group);
    group = [];
    characters = 0;
  };
  for (const rejection of rejections) {
    const record = recordText(rejection);
    group.push({ rejection, record });
    characters += record.length;
    if (group.length >= GROUP_RECORDS || characters >= GROUP_CHARACTERS) await flush();
  }
  await flush();
}

async function insert(
  session: Session,
  books: Bookkeeping,
  slice: SliceKey,
  run: string,
  group: readonly { readonly rejection: Rejection; readonly record: string }[],
): Promise<void> {
  const texts = (pick: (rejection: Rejection) => string | undefined) =>
    arrayLiteral(group.map(({ rejection }) => (pick(rejection) ?? '').replaceAll('\0', '\ufffd')));
  await session.execute(
    `INSERT INTO ${books.quarantine} (integration, stream, run, partition, reason, field, rule, record)
     SELECT $1, $2, $3, $4, reason, nullif(field, ''), nullif(rule, ''), record::json
     FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) AS r(reason, field, rule, record)`,
    [
      slice.integration,
      slice.stream,
      run,
      slice.partition,
      texts(({ reasons }) => reasons.map(({ message }) => message).join('; ')),
      texts(({ reasons: [first] }) => first?.field),
      texts(({ reasons: [first] }) => first?.rule),
      arrayLiteral(group.map(({ record }) => record)),
    ],
  );
}

/** See `Destination.quarantined`. */
export async function listQuarantine(
  session: Session,
  books: Bookkeeping,
  integration: string,
  { stream, limit, after }: QuarantineQuery,
): Promise<readonly QuarantinedRecord[]> {
  if (after !== undefined && !/^\d{1,18}$/.test(after)) {
    throw new Fault('config', 'unknown_record', `listing quarantined records: there is no record ${after}`);
  }
  const rows = await session.query(
    `SELECT id, stream, run, reason, field, rule, record,
       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
     FROM ${books.quarantine}
     WHERE integration = $1 AND ($2::text IS NULL OR stream = $2) AND ($3::bigint IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $4`,
    [integration, stream ?? null, after ?? null, limit],
  );
  return rows.map((row) => ({
    id: row.id ?? '',
    stream: row.stream ?? '',
    run: row.run ?? '',
    reason: row.reason ?? '',
    ...(row.field != null && { field: row.field }),
    ...(row.rule != null && { rule: row.rule }),
    record: JSON.parse(row.record ?? '{}') as { readonly [column: string]: Json },
    at: row.at ?? '',
  }));
}

function recordText({ row, schema }: Rejection): string {
  const fields = schema.columns.flatMap(({ name }, place): [string, Json][] => {
    const value = row[place];
    return value === UNCHANGED || value === undefined ? [] : [[name, jsonForm(value)]];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

function jsonForm(value: Value): Json {
  if (typeof value === 'string') return shortened(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value);
  if (value instanceof Uint8Array) {
    const kept = value.subarray(0, LONGEST_CELL / 2);
    const text = `\\x${Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString('hex')}`;
    return kept.length < value.length ? `${text}… (${value.length} bytes in all)` : text;
  }
  return typeof value === 'boolean' ? value : null;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function shortened(text: string): string {
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}… (${text.length} characters in all)` : text;
}
