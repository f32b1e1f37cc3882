import { createHash } from 'node:crypto';
import type { Json } from '../../core/json';
import type { Position } from '../../core/position';
import type { CursorKind } from './cursor-kind';

/**
 * How far increments have come. All documents up to the cursor value `low` were read, and of times no other with such a
 * value can come. `seen` are the hashes of those after it that were read (of numbers: and of those with it), so that
 * they are not given twice; `null` where there were too many, which are then given again. Without `low` there is no such value.
 */
export interface Progress {
  readonly low: string | null;
  readonly seen: readonly string[] | null;
}

/** Where a scan stopped inside. */
export interface Reached {
  /** Cursor value of the last document; `null` among those without one. */
  readonly cursor: string | null;
  readonly id: string;
}

/** A position inside an increment, or between two. */
export interface CursorState {
  readonly progress: Progress;
  /** Inside: where, what was found so far, and how far `low` may come. */
  readonly inside?: { readonly at: Reached; readonly next: Progress; readonly horizon: number | null };
}

const FORMAT = 1;
// Two lists of them, two cursor values and an _id fit into a position.
const MOST_SEEN = 250;
const HASH_BYTES = 12;

/** Before everything. */
export const NOTHING_READ: Progress = { low: null, seen: [] };

/** The position of a state. */
export function statePosition(state: CursorState): Position {
  return { format: FORMAT, value: state as unknown as Json };
}

/** Reads a position of this module. */
export function cursorState(from: Position | undefined): CursorState {
  return from === undefined ? { progress: NOTHING_READ } : (from.value as unknown as CursorState);
}

/** Follows a scan in the order of the cursor, and tells which documents are new. */
export class Follower {
  readonly #kind: CursorKind;
  readonly #horizon: number | null;
  readonly #before: ReadonlySet<string>;
  #low: string | null;
  #seen: string[] | null;
  // From the first value on that another document may still get, none that follows is the last for sure.
  #isOpen: boolean;

  constructor({ progress, inside }: CursorState, kind: CursorKind, horizon: number | null) {
    this.#kind = kind;
    this.#horizon = inside ? inside.horizon : horizon;
    this.#before = new Set(progress.seen ?? []);
    const { low, seen } = inside?.next ?? { low: progress.low, seen: [] };
    this.#low = low;
    this.#isOpen = inside !== undefined && inside.at.cursor !== low;
    this.#seen = seen === null ? null : [...seen];
  }

  get horizon(): number | null {
    return this.#horizon;
  }

  /** What the progress will be if the scan ends here. */
  get next(): Progress {
    return { low: this.#low, seen: this.#seen === null ? null : [...this.#seen] };
  }

  /** Notes a document with its cursor value, and says whether it has to be given. */
  isNew(document: Buffer, cursor: string): boolean {
    this.#isOpen ||= !this.#kind.isSettled(cursor, this.#horizon);
    const settled = !this.#isOpen;
    if (settled && cursor !== this.#low) {
      this.#low = cursor;
      this.#seen = [];
    }
    const isKept = this.#seen !== null && !(settled && this.#kind.isTime);
    if (!isKept && this.#before.size === 0) return true;
    const hash = createHash('sha256')
      .update(document)
      .digest('base64')
      .slice(0, (HASH_BYTES * 4) / 3);
    if (isKept && this.#seen !== null && this.#seen.push(hash) > MOST_SEEN) this.#seen = null;
    return !this.#before.has(hash);
  }
}
