import { Fault } from '../../core/fault';

const QUOTE = 0x22;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Depth inside of an object in the list that an answer holds. */
const ELEMENT_DEPTH = 3;

/** Takes the objects of the list in an answer `{..., "rows": [{...}, ...], ...}` out of its bytes, one after another. */
export class ElementSplitter {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #pieces: Buffer[] = [];
  /** The list has begun, and has ended. */
  #lists = 0;

  /** The answer came whole. */
  get isComplete(): boolean {
    return this.#depth === 0 && this.#lists > 0;
  }

  /** The texts of the objects that end in a chunk. */
  push(chunk: Buffer): string[] {
    const found: string[] = [];
    let start = this.#depth >= ELEMENT_DEPTH ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const change = this.#step(chunk[at] ?? 0);
      if (change === 0) continue;
      this.#depth += change;
      if (change > 0 && this.#depth === ELEMENT_DEPTH) start = at;
      if (change > 0 || this.#depth !== ELEMENT_DEPTH - 1) continue;
      this.#pieces.push(chunk.subarray(start, at + 1));
      found.push(Buffer.concat(this.#pieces).toString('utf8'));
      this.#pieces = [];
      start = -1;
    }
    // A copy: the chunk is used again, or much larger than the piece.
    if (start >= 0) this.#pieces.push(Buffer.from(chunk.subarray(start)));
    return found;
  }

  /** How the depth changes by a byte. */
  #step(byte: number): -1 | 0 | 1 {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return 0;
    }
    if (byte === QUOTE) {
      this.#inString = true;
      return 0;
    }
    if (byte === OPEN_LIST && this.#depth === 1) this.#lists++;
    if (byte === OPEN || byte === OPEN_LIST) return 1;
    return byte === CLOSE || byte === CLOSE_LIST ? -1 : 0;
  }
}

/** The objects of the list in the answer for `path`, which comes in chunks. @throws Fault where it ends too early */
export async function* jsonElements(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const splitter = new ElementSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  if (splitter.isComplete) return;
  throw new Fault('transient', 'incomplete_answer', `asking for ${path}: the answer ends in the middle`, {
    hint: 'It is tried again by itself; if it stays, look at the log of the server.',
  });
}
