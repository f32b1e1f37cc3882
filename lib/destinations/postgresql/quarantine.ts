import { randomUUID } from 'node:crypto';
import { type Batch, Op } from '../../core/batch';
import type { Reason, Rejection, Sources, WriteOptions } from '../../core/destination';
import type { SliceKey } from '../../core/position';
import { hasIdentity, identityText, isWhole, recordText, shapeText } from './quarantine-record';
import type { Session } from './session';
import { arrayLiteral } from './types';
import type { Writing } from './write';

/** Records go in groups, so that one statement stays small. */
const GROUP_RECORDS = 500;
const GROUP_CHARACTERS = 8 * 1024 * 1024;

/** What the keys of entries begin with that only their load tells apart. */
export const OF_LOAD = 'load:';

interface Kept {
  readonly rejection: Rejection;
  readonly key: string;
  readonly record: string;
  readonly shape: string;
  /** Equal as long as the source gives the same record. */
  readonly digest: string;
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
  options: Pick<WriteOptions, 'run' | 'configuration'>,
  rejections: readonly Rejection[],
): Promise<void> {
  const shapes = new Set<string>();
  let group = new Map<string, Kept>();
  let characters = 0;
  const flush = async () => {
    if (group.size > 0) await put(session, writing, slice, options, [...group.values()]);
    group = new Map();
    characters = 0;
  };
  for (const rejection of rejections) {
    const context = sealContext(slice.integration, rejection.schema.stream);
    const key = entryKey(writing, slice, rejection);
    const text = recordText(rejection);
    const record = storedText(writing, text, context);
    const shape = isWhole(rejection) ? await shapeOf(session, writing, rejection, shapes) : '';
    const digest = writing.cipher.digest([context, shape, rejection.op ?? Op.Insert, text].join('\0'));
    group.set(key, { rejection, key, record, shape, digest });
    characters += record.length;
    if (group.size >= GROUP_RECORDS || characters >= GROUP_CHARACTERS) await flush();
  }
  await flush();
}

/** By what an entry is found again. A load reads each record once, so that equal ones without a key are different ones. */
export function entryKey({ cipher }: Pick<Writing, 'cipher'>, slice: SliceKey, rejection: Rejection): string {
  if (slice.load !== undefined && !hasIdentity(rejection)) return `${OF_LOAD}${randomUUID()}`;
  return cipher.digest(`${sealContext(slice.integration, rejection.schema.stream)}\0${identityText(rejection)}`);
}

/** The record as it is stored: sealed, where there is a key for it. */
export function storedText({ cipher }: Pick<Writing, 'cipher'>, text: string, context: string): string {
  const sealed = cipher.seal(text, context);
  return sealed.startsWith('v1:') ? JSON.stringify(sealed) : sealed;
}

const shapeDigests = new WeakMap<object, { readonly digest: string; readonly text: string }>();

async function shapeOf(session: Session, { books }: Writing, { schema }: Rejection, stored: Set<string>) {
  const known = shapeDigests.get(schema);
  const shape = known ?? shapeText(schema);
  shapeDigests.set(schema, shape);
  if (!stored.has(shape.digest)) {
    await session.execute(`INSERT INTO ${books.shapes} (digest, schema) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
      shape.digest,
      shape.text,
    ]);
  }
  stored.add(shape.digest);
  return shape.digest;
}

/** What each judgement of a record says anew: SQL that takes it from the alias `from`. */
function judged(from: string): string {
  const columns = ['run', 'partition', 'load', 'configuration', 'reason', 'field', 'rule', 'reasons', 'at', 'began_at'];
  return columns.map((column) => `${column} = ${from}.${column}`).join(', ');
}

async function put(
  session: Session,
  { books }: Writing,
  slice: SliceKey,
  { run, configuration }: Pick<WriteOptions, 'run' | 'configuration'>,
  unordered: readonly Kept[],
): Promise<void> {
  // In one order, so that two writers never wait for each other.
  const group = [...unordered].sort((left, right) => (left.key < right.key ? -1 : 1));
  const texts = (pick: (kept: Kept) => string | undefined) =>
    arrayLiteral(group.map((kept) => storable(pick(kept) ?? '')));
  const values = [
    slice.integration,
    run,
    slice.partition,
    slice.load ?? null,
    configuration ?? null,
    texts(({ rejection }) => rejection.schema.stream),
    texts(({ rejection }) => reasonText(rejection.reasons)),
    texts(({ rejection }) => rejection.reasons[0]?.field),
    texts(({ rejection }) => rejection.reasons[0]?.rule),
    arrayLiteral(group.map(({ record }) => record)),
    texts(({ key }) => key),
    texts(({ shape }) => shape),
    texts(({ rejection }) => String(rejection.op ?? Op.Insert)),
    arrayLiteral(group.map(({ rejection }) => reasonsJson(rejection.reasons))),
    texts(({ digest }) => digest),
  ];
  // A version is as old as the statement that puts it here: what waited for a lock did so before.
  const rows = `(SELECT $1::text AS integration, $2::text AS run, $3::text AS partition, $4::text AS load,
      $5::text AS configuration, statement_timestamp() AS at, now() AS began_at, stream, reason,
      nullif(field, '') AS field, nullif(rule, '') AS rule, record::json, record_key, nullif(shape, '') AS shape,
      op::smallint, reasons::json, source_digest
    FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
      $14::text[], $15::text[]) AS u(stream, reason, field, rule, record, record_key, shape, op, reasons, source_digest)) r`;
  // What the source gives as before keeps its id, and what was edited in it.
  await session.execute(
    `UPDATE ${books.quarantine} q SET ${judged('r')} FROM ${rows}
     WHERE q.integration = r.integration AND q.stream = r.stream AND q.record_key = r.record_key
       AND q.source_digest = r.source_digest`,
    values,
  );
  await session.execute(
    `INSERT INTO ${books.quarantine} AS q (integration, run, partition, load, configuration, at, began_at, stream,
       reason, field, rule, record, record_key, shape, op, reasons, source_digest)
     SELECT r.* FROM ${rows} WHERE NOT EXISTS (SELECT FROM ${books.quarantine} q WHERE q.integration = r.integration
       AND q.stream = r.stream AND q.record_key = r.record_key AND q.source_digest = r.source_digest)
     ON CONFLICT (integration, stream, record_key) DO UPDATE SET id = DEFAULT, ${judged('excluded')},
       record = excluded.record, shape = excluded.shape, op = excluded.op, source_digest = excluded.source_digest,
       revision = 0, edited_at = NULL, edited_fields = NULL`,
    values,
  );
}

/** All reasons in one text. */
export function reasonText(reasons: readonly Reason[]): string {
  return storable(reasons.map(({ message }) => message).join('; '));
}

/** The reasons as JSON that the server can look into. */
export function reasonsJson(reasons: readonly Reason[]): string {
  return JSON.stringify(reasons, (_name, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}

/** Names of fields come from the source, and may hold what no text of the server can. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/** What the source deleted is not to come back: its entries go, too. */
export async function forgetDeleted(
  session: Session,
  { books, cipher }: Writing,
  { integration }: SliceKey,
  batch: Batch,
  sources: Sources | undefined,
): Promise<void> {
  const { schema } = sources ?? batch;
  const { stream } = schema;
  if (batch.kind === 'truncate') {
    await session.execute(`DELETE FROM ${books.quarantine} WHERE integration = $1 AND stream = $2`, [
      integration,
      stream,
    ]);
    return;
  }
  if (batch.kind !== 'rows' || !batch.ops?.includes(Op.Delete) || schema.key.length === 0) return;
  const context = sealContext(integration, stream);
  const rows = (sources ?? batch).rows.filter((_, index) => batch.ops?.[index] === Op.Delete);
  const keys = rows.map((row) => cipher.digest(`${context}\0${identityText({ row, schema, reasons: [] })}`));
  await session.execute(
    `DELETE FROM ${books.quarantine} WHERE integration = $1 AND stream = $2 AND record_key = ANY($3::text[])`,
    [integration, stream, arrayLiteral(keys)],
  );
}
