import type { Row } from '../../../core/batch';
import type { Size } from './session';

/** The side of a driver that hands over rows by itself. */
export interface RowFlow {
  /** Holds the driver, and with it the server, back. */
  pause(): void;
  resume(): void;
}

/**
 * Between a driver that hands over rows and a reader that asks for them: makes batches of the size that is wanted, and holds
 * the driver back while one is waiting to be taken.
 */
export class RowPump {
  readonly #flow: RowFlow;
  readonly #size: Size;
  readonly #ready: Row[][] = [];
  #filling: Row[] = [];
  #bytes = 0;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(flow: RowFlow, size: Size) {
    this.#flow = flow;
    this.#size = size;
  }

  /** Takes a row that came as so many bytes. */
  push(row: Row, bytes: number): void {
    if (this.#ended) return; // after an error a driver may still hand over what it has
    this.#filling.push(row);
    this.#bytes += bytes;
    if (this.#filling.length < this.#size.rows && this.#bytes < this.#size.bytes) return;
    this.#cut();
    this.#flow.pause();
    this.#wake?.();
  }

  /** No row follows; with an error, what has not been taken yet does not count. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#cut();
    this.#wake?.();
  }

  async *batches(): AsyncGenerator<Row[]> {
    for (;;) {
      const batch = this.#error === undefined ? this.#ready.shift() : undefined;
      if (batch) yield batch;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#ended) return;
      else await this.#more();
    }
  }

  async #more(): Promise<void> {
    const more = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#flow.resume();
    await more;
    this.#wake = undefined;
  }

  #cut(): void {
    if (this.#filling.length > 0) this.#ready.push(this.#filling);
    this.#filling = [];
    this.#bytes = 0;
  }
}
