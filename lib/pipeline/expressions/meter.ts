import { LimitExceeded, MOST_CHARACTERS, MOST_ELEMENTS } from './functions';
import type { CelNode, Inventory } from './guard';

/** Operations inside of loops for one record, each counted with the characters that it looks at. */
const MOST_WORK = 4_000_000;
const FAILURE_WORK = 2000;
/** Made once, as it may be thrown often before an evaluation is given up. */
const TOO_MUCH = new LimitExceeded('too much work');

/** Bounds what one evaluation may do. An expression has no recursion, so outside of its loops its text is the bound. */
export class Meter {
  #left = MOST_WORK;

  start(): void {
    this.#left = MOST_WORK;
  }

  /** Watches the operations of a type-checked expression. */
  watch({ looped, growing }: Inventory): void {
    for (const node of looped) this.#wrap(node, true);
    for (const node of growing) if (!looped.includes(node)) this.#wrap(node, false);
  }

  #wrap(node: CelNode, counted: boolean): void {
    const inner = node.handle;
    if (inner === undefined) return;
    node.handle = (...given) => {
      if (!counted) return bounded(inner(...given));
      this.#charge(given);
      try {
        return bounded(inner(...given));
      } catch (error) {
        // CEL goes on after a failure where another operand decides, and failures are slow to make.
        this.#left -= FAILURE_WORK;
        throw error;
      }
    };
  }

  #charge([first, second]: readonly unknown[]): void {
    const work = Array.isArray(first) ? first.reduce<number>((sum, part) => sum + sizeOf(part), 1) : sizeOf(first) + 1;
    this.#left -= work + sizeOf(second);
    if (this.#left < 0) throw TOO_MUCH;
  }
}

function sizeOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value) ? value.length : 0;
}

function bounded(value: unknown): unknown {
  if (Array.isArray(value) && value.length > MOST_ELEMENTS) throw new LimitExceeded('list');
  if ((typeof value === 'string' || value instanceof Uint8Array) && value.length > MOST_CHARACTERS) {
    throw new LimitExceeded('text');
  }
  return value;
}
