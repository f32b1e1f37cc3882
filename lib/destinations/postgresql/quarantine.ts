import { type Batch, Op } from '../../core/batch';
import type { QuarantinedRecord, QuarantineQuery, Rejection, Sources } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { SliceKey } from '../../core/position';
import { identityText, isWhole, recordText, shapeText } from './quarantine-record';
import type { Session } from './session';
import { arrayLiteral } from './types';
import type { Writing } from './write';

/** Records go in groups, so that one statement stays small. */
const GROUP_RECORDS = 500;
const GROUP_CHARACTERS = 8 * 1024 * 1024;
/** What a record under a lost key is shown as. */
const UNREADABLE = { _explorerio: 'encrypted under a key that is not here' };

interface Kept {
  readonly rejection: Rejection;
  readonly key: string;
  readonly record: string;
  readonly shape: string;
}

/** Where a stream's records belong; a sealed record opens nowhere else. */
export function sealContext(integration: string, stream: string): string {
  return `${integration}\0${stream}`;
}

/** Puts records into quarantine, inside the caller's transaction. A newer one of the same key takes the place of an older. */
export async function quarantine(
  session: Session,
  writing: Writing,
  slice: SliceKey,
  run: string,
  rejections: readonly Rejection[],
): Promise<void> {
  const context = sealContext(slice.integration, slice.stream);
  let group = new Map<string, Kept>();
  let characters = 0;
  const flush = async () => {
    if (group.size > 0) await insert(session, writing, slice, run, [...group.values()]);
    group = new Map();
    characters = 0;
  };
  for (const rejection of rejections) {
    const key = writing.cipher.digest(`${context}\0${identityText(rejection)}`);
    const sealed = writing.cipher.seal(recordText(rejection), context);
    const record = sealed.startsWith('v1:') ? JSON.stringify(sealed) : sealed;
    const shape = isWhole(rejection) ? await shapeOf(session, writing, rejection) : '';
    group.set(key, { rejection, key, record, shape });
    characters += record.length;
    if (group.size >= GROUP_RECORDS || characters >= GROUP_CHARACTERS) await flush();
  }
  await flush();
}

const shapeDigests = new WeakMap<object, { readonly digest: string; readonly text: string }>();

async function shapeOf(session: Session, { books }: Writing, { schema }: Rejection): Promise<string> {
  const known = shapeDigests.get(schema);
  const shape = known ?? shapeText(schema);
  shapeDigests.set(schema, shape);
  await session.execute(`INSERT INTO ${books.shapes} (digest, schema) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
    shape.digest,
    shape.text,
  ]);
  return shape.digest;
}

async function insert(
  session: Session,
  { books }: Writing,
  slice: SliceKey,
  run: string,
  unordered: readonly Kept[],
): Promise<void> {
  // In one order, so that two writers never wait for each other.
  const group = [...unordered].sort((left, right) => (left.key < right.key ? -1 : 1));
  const texts = (pick: (kept: Kept) => string | undefined) =>
    arrayLiteral(group.map((kept) => (pick(kept) ?? '').replaceAll('\0', '\ufffd')));
  await session.execute(
    `INSERT INTO ${books.quarantine} AS q
       (integration, stream, run, partition, load, reason, field, rule, record, record_key, shape, op, reasons)
     SELECT $1, $2, $3, $4, $5, reason, nullif(field, ''), nullif(rule, ''), record::json, record_key,
       nullif(shape, ''), op::smallint, reasons::json
     FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
       AS r(reason, field, rule, record, record_key, shape, op, reasons)
     ON CONFLICT (integration, stream, record_key) DO UPDATE SET id = DEFAULT, run = excluded.run,
       partition = excluded.partition, load = excluded.load, reason = excluded.reason, field = excluded.field,
       rule = excluded.rule, record = excluded.record, shape = excluded.shape, op = excluded.op,
       reasons = excluded.reasons, at = excluded.at`,
    [
      slice.integration,
      slice.stream,
      run,
      slice.partition,
      slice.load ?? null,
      texts(({ rejection }) => rejection.reasons.map(({ message }) => message).join('; ')),
      texts(({ rejection }) => rejection.reasons[0]?.field),
      texts(({ rejection }) => rejection.reasons[0]?.rule),
      arrayLiteral(group.map(({ record }) => record)),
      texts(({ key }) => key),
      texts(({ shape }) => shape),
      texts(({ rejection }) => String(rejection.op ?? Op.Insert)),
      arrayLiteral(group.map(({ rejection }) => JSON.stringify(rejection.reasons))),
    ],
  );
}

/** What the source deleted is not to come back: its entries go, too. */
export async function forgetDeleted(
  session: Session,
  { books, cipher }: Writing,
  { integration, stream }: SliceKey,
  batch: Batch,
  sources: Sources | undefined,
): Promise<void> {
  if (batch.kind === 'truncate') {
    await session.execute(`DELETE FROM ${books.quarantine} WHERE integration = $1 AND stream = $2`, [
      integration,
      stream,
    ]);
    return;
  }
  const { schema } = sources ?? batch;
  if (batch.kind !== 'rows' || !batch.ops?.includes(Op.Delete) || schema.key.length === 0) return;
  const context = sealContext(integration, stream);
  const rows = (sources ?? batch).rows.filter((_, index) => batch.ops?.[index] === Op.Delete);
  const keys = rows.map((row) => cipher.digest(`${context}\0${identityText({ row, schema, reasons: [] })}`));
  await session.execute(
    `DELETE FROM ${books.quarantine} WHERE integration = $1 AND stream = $2 AND record_key = ANY($3::text[])`,
    [integration, stream, arrayLiteral(keys)],
  );
}

/** See `Destination.quarantined`. */
export async function listQuarantine(
  session: Session,
  { books, cipher }: Writing,
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
  return rows.map((row) => {
    const opened = openedRecord(row.record ?? '{}', (text) =>
      cipher.open(text, sealContext(integration, row.stream ?? '')),
    );
    return {
      id: row.id ?? '',
      stream: row.stream ?? '',
      run: row.run ?? '',
      reason: row.reason ?? '',
      ...(row.field != null && { field: row.field }),
      ...(row.rule != null && { rule: row.rule }),
      record: opened ?? UNREADABLE,
      at: row.at ?? '',
    };
  });
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
