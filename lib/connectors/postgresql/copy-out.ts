import type { Duplex } from 'node:stream';
import type pg from 'pg';

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
// What may come before and between: CopyOutResponse, notices, settings, notifications.
const SKIPPED = new Set([0x48, 0x4e, 0x53, 0x41]);
const HEADER_BYTES = 5;
const HELD_BYTES = 256 * 1024;

type DataListener = (chunk: Buffer) => void;

/**
 * `COPY ... TO STDOUT` as chunks of its data: one for each that the socket gives, without copying it or making an object
 * for each row, which is what the driver would do. The socket is paused while the reader is busy.
 */
export class CopyOut implements AsyncIterableIterator<Buffer> {
  readonly text: string;
  #connection: pg.Connection | undefined;
  #driver: DataListener | undefined;
  #header: Buffer = Buffer.alloc(0);
  #code = 0;
  /** Bytes of the current message that have not come yet. */
  #left = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Called by the driver when the connection is free. */
  submit(connection: pg.Connection): void {
    this.#connection = connection;
    const socket: Duplex = connection.stream;
    this.#driver = socket.listeners('data')[0] as DataListener;
    socket.off('data', this.#driver);
    socket.on('data', this.#take);
    connection.query(this.text);
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const chunk = this.#held.shift();
      if (chunk) {
        this.#heldBytes -= chunk.length;
        return { value: chunk, done: false };
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return { value: undefined, done: true };
      this.#connection?.stream.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  handleError(error: unknown): void {
    this.#error = error;
    this.#held = [];
    this.#notify();
  }

  handleReadyForQuery(): void {
    this.#ended = true;
    this.#notify();
  }

  handleCommandComplete(): void {
    // the server is about to be ready
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  readonly #take = (chunk: Buffer): void => {
    const whole = this.#header.length === 0 ? chunk : Buffer.concat([this.#header, chunk]);
    this.#header = Buffer.alloc(0);
    const { data, rest, over } = this.#dataOf(whole);
    if (data > 0) {
      this.#held.push(whole.subarray(0, data));
      this.#heldBytes += data;
      if (this.#heldBytes >= HELD_BYTES) this.#connection?.stream.pause();
      this.#notify();
    }
    if (over) this.#giveBack(whole.subarray(rest));
    else this.#header = whole.subarray(rest);
  };

  // Moves the data of all messages to the front, so that it is one piece; tells its length and where what is not part of
  // it begins: half a header, or, when the copy is over, messages for the driver.
  #dataOf(bytes: Buffer): { readonly data: number; readonly rest: number; readonly over: boolean } {
    let data = 0;
    let at = 0;
    for (;;) {
      const end = Math.min(bytes.length, at + this.#left);
      if (this.#code === COPY_DATA) {
        bytes.copyWithin(data, at, end);
        data += end - at;
      }
      this.#left -= end - at;
      at = end;
      if (this.#left > 0 || bytes.length - at < HEADER_BYTES) return { data, rest: at, over: false };
      const code = bytes[at] ?? 0;
      if (code !== COPY_DATA && !SKIPPED.has(code)) {
        return { data, rest: code === COPY_DONE ? at + HEADER_BYTES : at, over: true };
      }
      this.#code = code;
      this.#left = bytes.readUInt32BE(at + 1) - 4;
      at += HEADER_BYTES;
    }
  }

  #giveBack(rest: Buffer): void {
    const socket = this.#connection?.stream;
    if (socket === undefined || this.#driver === undefined) return;
    socket.off('data', this.#take);
    socket.on('data', this.#driver);
    // A copy, as the reader still holds the front of it.
    this.#driver(Buffer.from(rest));
    socket.resume();
  }
}
