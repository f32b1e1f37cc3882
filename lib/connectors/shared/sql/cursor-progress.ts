import type { Json } from '../../../core/json';
import type { Position } from '../../../core/position';
import { isEmpty, NO_TRANSACTIONS, type OpenTransactions } from './open-transactions';

/** A cursor value, and which rows had exactly this value when it was read: others may get it later. */
export interface Mark {
  readonly value: string;
  readonly count: string;
  readonly hash: string;
}

/**
 * How far increments have come. All rows up to `low` have been read. So have all up to `high`, but for those that
 * transactions in `open` may still commit: when one of them has ended, reading starts at `low` again. When all of
 * `anchor.open` have ended, `anchor.mark` is the new `low`. A null mark is before everything.
 */
export interface CursorProgress {
  readonly low: Mark | null;
  readonly high: Mark | null;
  readonly open: OpenTransactions;
  readonly anchor?: { readonly mark: Mark | null; readonly open: OpenTransactions };
}

/** Where a scan stopped inside: the last row's cursor and key, or among the rows without a cursor value. */
export interface Reached {
  readonly cursor: string | null;
  readonly key?: readonly string[];
}

const FORMAT = 1;
// Two lists of as many ids of at most 20 characters stay well below the largest position.
const MOST_TRANSACTIONS = 150;

/** Before everything. */
export const NOTHING_READ: CursorProgress = { low: null, high: null, open: NO_TRANSACTIONS };

/** Where an increment has to start, when of all transactions only `now` are still open. */
export function startMark(progress: CursorProgress, now: OpenTransactions): Mark | null {
  const open = new Set(now.ids);
  // On a standby single transactions cannot be followed, so any may have ended.
  const ended = progress.open.until !== undefined || progress.open.ids.some((id) => !open.has(id));
  return ended ? progress.low : progress.high;
}

/**
 * The progress after an increment that started at {@link startMark}. `newest` was the newest value before `left` were
 * found to be the only transactions then open that had not ended.
 */
export function nextProgress(progress: CursorProgress, newest: Mark | null, left: OpenTransactions): CursorProgress {
  if (isEmpty(left)) return { low: newest, high: newest, open: NO_TRANSACTIONS };
  const { anchor } = progress;
  const passed = anchor !== undefined && allEnded(anchor.open, left);
  const settled = isEmpty(progress.open);
  const low = passed ? anchor.mark : settled ? progress.high : progress.low;
  const kept = passed ? undefined : anchor;
  if (left.ids.length > MOST_TRANSACTIONS)
    return { low, high: low, open: NO_TRANSACTIONS, ...(kept && { anchor: kept }) };
  return { low, high: newest, open: left, anchor: kept ?? { mark: newest, open: left } };
}

function allEnded(open: OpenTransactions, now: OpenTransactions): boolean {
  const still = new Set(now.ids);
  if (open.ids.some((id) => still.has(id))) return false;
  return open.until === undefined || now.oldest === undefined || BigInt(now.oldest) >= BigInt(open.until);
}

/** The position after a finished increment. */
export function progressPosition(progress: CursorProgress): Position {
  return { format: FORMAT, value: { progress: progress as unknown as Json } };
}

/** The position inside an increment, which ends at `end`. */
export function reachedPosition(end: Position, reached: Reached): Position {
  return { format: FORMAT, value: { end: end.value, reached: reached as unknown as Json } };
}

/** What a position says: a finished increment, or where one stopped inside and where it would have ended. */
export type CursorState = { readonly progress: CursorProgress } | { readonly end: Position; readonly reached: Reached };

/** Reads a position of this module. */
export function cursorState(from: Position | undefined): CursorState {
  if (from === undefined) return { progress: NOTHING_READ };
  const value = from.value as { progress?: CursorProgress; end?: Json; reached?: Reached };
  if (value.progress) return { progress: value.progress };
  return { end: { format: FORMAT, value: value.end ?? null }, reached: value.reached ?? { cursor: null } };
}
