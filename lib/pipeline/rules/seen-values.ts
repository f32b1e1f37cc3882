const SMALLEST = 1024;
const FULLEST = 0.6;
/** Cells of an entry: both halves of the value's hash, both of its owner's. */
const CELLS = 4;

/**
 * Remembers, by hashes of 64 bits, who had a value first. Two of five million values have the same hash once in about a
 * million runs. An entry takes 16 bytes, in a table that is three to six tenths full.
 */
export class SeenValues {
  #table = new Uint32Array(SMALLEST * CELLS);
  #size = 0;
  readonly #most: number;
  readonly #seed: number;

  constructor(most: number, seed = Math.floor(Math.random() * 2 ** 32)) {
    this.#most = most;
    this.#seed = seed;
  }

  /** Whether the value is free or this owner's own; `full` when there is no room to remember it. */
  take(value: string, owner: string): boolean | 'full' {
    const [high, low] = hash64(value, this.#seed);
    const [ownerHigh, ownerLow] = hash64(owner, ~this.#seed);
    const at = place(this.#table, high, low);
    const table = this.#table;
    if (((table[at] ?? 0) | (table[at + 1] ?? 0)) !== 0)
      return table[at + 2] === ownerHigh && table[at + 3] === ownerLow;
    if (this.#size >= this.#most) return 'full';
    table.set([high, low, ownerHigh, ownerLow], at);
    this.#size++;
    if (this.#size * CELLS > table.length * FULLEST) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += CELLS) {
      const [high = 0, low = 0] = [old[at], old[at + 1]];
      if ((high | low) !== 0) this.#table.set(old.subarray(at, at + CELLS), place(this.#table, high, low));
    }
  }
}

/** Where the hash is, or would be. */
function place(table: Uint32Array, high: number, low: number): number {
  const mask = table.length / CELLS - 1;
  for (let slot = low & mask; ; slot = (slot + 1) & mask) {
    const at = slot * CELLS;
    const [first, second] = [table[at], table[at + 1]];
    if ((first === high && second === low) || (first === 0 && second === 0)) return at;
  }
}

/** Two multiplicative hashes side by side, mixed at the end (cyrb53 by bryc, public domain, with all of its 64 bits). */
function hash64(text: string, seed: number): [number, number] {
  let left = 0xdeadbeef ^ seed;
  let right = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    left = Math.imul(left ^ code, 2654435761);
    right = Math.imul(right ^ code, 1597334677);
  }
  left = Math.imul(left ^ (left >>> 16), 2246822507) ^ Math.imul(right ^ (right >>> 13), 3266489909);
  right = Math.imul(right ^ (right >>> 16), 2246822507) ^ Math.imul(left ^ (left >>> 13), 3266489909);
  // All zero is the mark of a free place.
  return [left >>> 0, right >>> 0 || 1];
}
