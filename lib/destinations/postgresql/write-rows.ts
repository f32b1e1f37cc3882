import { Op, type RowBatch, UNCHANGED } from '../../core/batch';
import type { Rejection, Sources } from '../../core/destination';
import { errorCode, errorMessage, isDataError } from './classify';
import { encodeRows, type Refusal, reasonOf } from './encode';
import { type Folded, foldChanges } from './fold';
import { quoted } from './names';
import type { Session } from './session';
import { STAGING_PREFIX, stagingColumn } from './staging';
import {
  lastUpsertStatement,
  type Move,
  missingStatement,
  operationStatements,
  partialStatement,
  upsertStatement,
} from './upsert';

/** What the rows of a batch came to. */
export interface Written {
  readonly rows: number;
  readonly bytes: number;
  readonly rejected: readonly Rejection[];
}

/** How a batch goes into its table: through `staging` by key, or added as it is. */
export interface Way {
  readonly move: Omit<Move, 'staging'> & { readonly staging: string | undefined };
  /** The table is the shadow of a load. */
  readonly load: boolean;
  /** Rows that the server refuses are found one by one. Otherwise the first of them ends the attempt, which costs less. */
  readonly careful: boolean;
  readonly sources?: Sources | undefined;
}

/** What to write. Where rows were left out or joined, `origin` tells the place in the batch of each. */
type Changes = Omit<Folded, 'origin' | 'ops'> & { readonly ops?: Uint8Array; readonly origin?: readonly number[] };

/** One attempt's rows, and what was found out about them. */
interface Attempt {
  readonly way: Way;
  readonly changes: Changes;
  readonly partial: boolean;
  readonly operations: boolean;
  /** Reason by place in the batch. */
  readonly refused: Map<number, Refusal>;
  bytes: number;
}

/** CARDINALITY_VIOLATION: a key is in the batch more than once. */
const SAME_KEY_TWICE = '21000';

/** Writes rows inside the caller's transaction. */
export async function writeRows(session: Session, batch: RowBatch, way: Way): Promise<Written> {
  const refused = new Map<number, Refusal>();
  const refuse = (refusal: Refusal) => void refused.set(refusal.index, refusal);
  const partial = way.move.staging !== undefined && batch.rows.some((row) => row.includes(UNCHANGED));
  const changes = partial
    ? foldChanges(batch, way.move.shape, way.move.softDeletes, refuse)
    : applicable(batch, way, refuse);
  const operations = changes.ops?.includes(Op.Delete) === true;
  const attempt: Attempt = { way, changes, partial, operations, refused, bytes: 0 };
  if (way.careful) await writeRange(session, attempt, 0, changes.rows.length);
  else if (changes.rows.length > 0) await writeWhole(session, attempt, 0, changes.rows.length);
  const rejected = [...refused.values()]
    .sort((left, right) => left.index - right.index)
    .map(({ index, field, reason }): Rejection => {
      const { schema, rows } = way.sources ?? batch;
      const op = batch.ops?.[index];
      return { row: rows[index] ?? [], schema, reasons: [reasonOf(reason, field)], ...(op !== undefined && { op }) };
    });
  return { rows: batch.rows.length - rejected.length, bytes: attempt.bytes, rejected };
}

/** Without a key only additions can be applied. */
function applicable({ rows, ops }: RowBatch, way: Way, refuse: (refusal: Refusal) => void): Changes {
  if (way.move.staging !== undefined || ops === undefined) return { rows, ...(ops && { ops }) };
  const reason = way.load
    ? 'a full load takes only whole records, and this is a change of one'
    : 'the stream has no key, so the record that this changes cannot be found';
  const all = rows.map((_, index) => index);
  const kept = all.filter((index) => ops[index] === Op.Insert || (way.load && ops[index] === Op.Update));
  const wanted = new Set(kept);
  for (const index of all) if (!wanted.has(index)) refuse({ index, reason });
  return {
    rows: kept.flatMap((index) => [rows[index] ?? []]),
    origin: kept,
  };
}

/** Tries a range under a savepoint; one that holds refused rows is halved until they stand alone. */
async function writeRange(session: Session, attempt: Attempt, from: number, to: number): Promise<void> {
  if (from >= to) return;
  await session.query('SAVEPOINT range');
  try {
    await writeWhole(session, attempt, from, to);
    await session.query('RELEASE SAVEPOINT range');
  } catch (error) {
    if (!isDataError(error)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT range');
    await session.query('RELEASE SAVEPOINT range');
    if (to - from === 1) {
      attempt.refused.set(originOf(attempt.changes, from), refusal(error, attempt, from));
      return;
    }
    const middle = (from + to) >>> 1;
    await writeRange(session, attempt, from, middle);
    await writeRange(session, attempt, middle, to);
  }
}

/** The place in the batch of a row. */
function originOf({ origin }: Changes, place: number): number {
  return origin?.[place] ?? place;
}

function refusal(error: unknown, { changes, way }: Attempt, place: number): Refusal {
  const index = originOf(changes, place);
  const reason = `the database refused the record: ${withoutValues(error)}`;
  const stored = error instanceof Error && 'column' in error ? error.column : undefined;
  const field = way.move.shape.columns.find(({ name }) => name === stored)?.source.name;
  return { index, reason, ...(field !== undefined && { field }) };
}

/** The server quotes the value that it refuses, and a reason holds none. */
function withoutValues(error: unknown): string {
  const { column, constraint, table } = error as { readonly [part: string]: unknown };
  const names = [column, constraint, table];
  return errorMessage(error).replaceAll(/"[^"]*"/g, (quote) => (names.includes(quote.slice(1, -1)) ? quote : '"…"'));
}

async function writeWhole(session: Session, attempt: Attempt, from: number, to: number): Promise<void> {
  const { move } = attempt.way;
  const { staging } = move;
  if (staging === undefined) {
    const columns = move.shape.columns.map(({ name }) => quoted(name));
    await copyRange(session, attempt, `COPY ${move.table} (${columns.join(', ')}) FROM STDIN`, from, to);
    return;
  }
  const staged = { ...move, staging };
  const columns = [...STAGING_PREFIX, ...move.shape.columns.map((_, place) => stagingColumn(place))];
  if (to - from < attempt.changes.rows.length) await session.query(`DELETE FROM ${staging}`);
  await copyRange(session, attempt, `COPY ${staging} (${columns.join(', ')}) FROM STDIN`, from, to);
  if (attempt.partial) await refuseMissing(session, attempt, staged, from);
  if (attempt.operations || attempt.partial) {
    const statements = operationStatements(staged);
    const partial = attempt.partial ? [partialStatement(staged)] : [];
    // A mark of deletion comes after the row that it marks.
    const order = move.softDeletes ? [statements[0], ...partial, statements[1]] : [...statements, ...partial];
    for (const statement of order) if (statement !== undefined) await session.query(statement);
    return;
  }
  await upsert(session, staged);
}

/** Most batches hold each key once: sorting them to find the last is tried only where that proves wrong. */
async function upsert(session: Session, move: Move): Promise<void> {
  await session.query('SAVEPOINT upsert');
  try {
    await session.query(upsertStatement(move));
  } catch (error) {
    if (errorCode(error) !== SAME_KEY_TWICE) throw error;
    await session.query('ROLLBACK TO SAVEPOINT upsert');
    await session.query(lastUpsertStatement(move, 'seq'));
  }
  await session.query('RELEASE SAVEPOINT upsert');
}

async function copyRange(session: Session, attempt: Attempt, text: string, from: number, to: number): Promise<void> {
  const { way, changes, refused } = attempt;
  const whole = from === 0 && to === changes.rows.length;
  const lines = encodeRows({
    shape: way.move.shape,
    rows: whole ? changes.rows : changes.rows.slice(from, to),
    ops: whole ? changes.ops : changes.ops?.subarray(from, to),
    staged: way.move.staging !== undefined,
    refuse: ({ index, ...why }) => {
      const origin = originOf(changes, from + index);
      refused.set(origin, { index: origin, ...why });
    },
  });
  let bytes = 0;
  await session.copy(
    text,
    counted(lines, (length) => {
      bytes += length;
    }),
  );
  attempt.bytes = whole ? bytes : attempt.bytes + bytes;
}

function* counted(chunks: Iterable<Uint8Array>, count: (length: number) => void): Generator<Uint8Array> {
  for (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

async function refuseMissing(session: Session, attempt: Attempt, move: Move, from: number): Promise<void> {
  for (const { seq } of await session.query(missingStatement(move))) {
    const index = originOf(attempt.changes, from + Number(seq));
    attempt.refused.set(index, { index, reason: 'the change keeps fields of a record that is not stored' });
  }
}
