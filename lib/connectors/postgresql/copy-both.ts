import type pg from 'pg';

const HELD_BYTES = 1 << 20;

/** What the driver's connection can do beside what its types say. */
type CopyConnection = pg.Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
};

/**
 * `START_REPLICATION`: messages in both directions. The socket is paused while the reader is busy, so that what is held is
 * bounded by {@link HELD_BYTES} and one chunk of the socket, or one message.
 */
export class CopyBoth {
  readonly text: string;
  #connection: CopyConnection | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #begun = false;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  readonly #over: () => void;

  /** `over` is called once, at the end or an error. */
  constructor(text: string, over: () => void) {
    this.text = text;
    this.#over = over;
  }

  /** Called by the driver when the connection is free. */
  submit(connection: pg.Connection): void {
    this.#connection = connection as CopyConnection;
    connection.once('replicationStart', () => {
      this.#begun = true;
      this.#notify();
    });
    connection.query(this.text);
  }

  /** Resolves when the server has agreed. */
  async begun(): Promise<void> {
    while (!this.#begun && !this.#isOver) await this.#arrival(undefined);
    if (this.#error !== undefined) throw this.#error;
  }

  /** The messages that have come; none when none came within `milliseconds`, `undefined` at the end. */
  async take(milliseconds: number): Promise<readonly Buffer[] | undefined> {
    if (this.#held.length === 0 && !this.#isOver) await this.#arrival(milliseconds);
    if (this.#held.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      return this.#ended ? undefined : [];
    }
    const messages = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#connection?.stream.resume();
    return messages;
  }

  send(message: Buffer): void {
    if (!this.#isOver) this.#connection?.sendCopyFromChunk(message);
  }

  /** Asks the server to end; gives whether it did within `milliseconds`. What was sent before has been handled then. */
  async finish(milliseconds: number): Promise<boolean> {
    if (!this.#isOver) this.#connection?.endCopyFrom();
    const until = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0 && !this.#isOver; left = until - performance.now()) await this.take(left);
    return this.#ended;
  }

  // The driver's parser uses the bytes of a message again.
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= HELD_BYTES) this.#connection?.stream.pause();
    this.#notify();
  }

  handleError(error: unknown): void {
    if (!this.#isOver) this.#over();
    this.#error = error;
    this.#notify();
  }

  handleReadyForQuery(): void {
    if (!this.#isOver) this.#over();
    this.#ended = true;
    this.#notify();
  }

  handleCommandComplete(): void {
    // the server is about to be ready
  }

  get #isOver(): boolean {
    return this.#ended || this.#error !== undefined;
  }

  #arrival(milliseconds: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => this.#notify(), milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
