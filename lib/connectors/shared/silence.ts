import { setTimeout as sleep } from 'node:timers/promises';
import { type Classify, Fault } from '../../core/fault';

/** One connection whose server may fall silent. */
export interface Line {
  /** How many bytes have come so far. */
  heard(): number;
  /** Whether nobody reads from it just now: then nothing can come. */
  isPaused(): boolean;
  /** Asks the server for a sign of life, by another connection. Rejects as connecting does. */
  ask(): Promise<void>;
  /** Ends the connection; whoever waits for it is told the fault. */
  giveUp(fault: Fault): void;
}

const LONGEST_MS = 5 * 60_000;
// What shows that nobody is there; any other answer is one.
const GONE = new Set(['connect_timeout', 'timed_out', 'unreachable', 'no_answer']);

/**
 * Listens while an answer is awaited. A statement may take hours before its first row, and a server that hangs, or that a
 * network has cut off, never answers: who is silent is asked by another connection, first after `patienceMs`, then less often.
 */
export class SilenceWatch {
  readonly #line: Line;
  readonly #patienceMs: number;
  readonly #classify: Classify;
  #awaited = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(line: Line, patienceMs: number, classify: Classify) {
    this.#line = line;
    this.#patienceMs = patienceMs;
    this.#classify = classify;
  }

  /** An answer is awaited from now on; `end` must follow. */
  begin(): void {
    if (this.#awaited++ === 0) this.#lookIn(this.#patienceMs);
  }

  end(): void {
    if (--this.#awaited === 0) clearTimeout(this.#timer);
  }

  /** Listens while `work` awaits its answer. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  #lookIn(milliseconds: number): void {
    const before = this.#line.heard();
    this.#timer = setTimeout(() => void this.#look(before, milliseconds), milliseconds).unref();
  }

  async #look(before: number, waited: number): Promise<void> {
    const silent = !this.#line.isPaused() && this.#line.heard() === before;
    const gone = silent && !(await this.#isThere());
    if (this.#awaited === 0) return;
    if (gone && this.#line.heard() === before) this.#line.giveUp(noAnswer());
    else this.#lookIn(silent ? Math.min(2 * waited, LONGEST_MS) : this.#patienceMs);
  }

  async #isThere(): Promise<boolean> {
    const late = new AbortController();
    const tooLate = sleep(this.#patienceMs, undefined, { signal: late.signal }).then(() => {
      throw noAnswer();
    });
    try {
      await Promise.race([this.#line.ask(), tooLate]);
      return true;
    } catch (error) {
      return !GONE.has(this.#classify(error)?.code ?? '');
    } finally {
      late.abort();
      tooLate.catch(() => undefined); // nobody waits for it any more
    }
  }
}

function noAnswer(): Fault {
  return new Fault('transient', 'no_answer', 'the server does not answer any more', {
    hint: 'It is tried again by itself; if it stays, see whether the server hangs, or what lies between drops connections.',
  });
}
