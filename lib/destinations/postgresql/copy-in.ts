import type { Connection } from 'pg';

const COPY_DATA = 0x64;
const HEADER_BYTES = 5;
/** So much may wait in the socket's queue before the next chunk is made. */
const QUEUED_BYTES = 256 * 1024;

/** What the driver has for its own copies, and its types leave out. */
type CopyConnection = Connection & { endCopyFrom(): void; sendCopyFail(reason: string): void };

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * `COPY ... FROM STDIN` as a query of the driver. Chunks go straight to the socket, each with its header in one call of
 * the system: a stream around them costs more than the writing of a small batch.
 */
export class CopyIn {
  readonly #text: string;
  readonly #chunks: Chunks;
  readonly #resolve: (rows: number) => void;
  readonly #reject: (error: unknown) => void;
  #rows = 0;
  #ended = false;
  #wake: (() => void) | undefined;
  /** What went wrong while the chunks were made; the server then ends the copy with an error of its own. */
  #cause: { readonly error: unknown } | undefined;

  constructor(text: string, chunks: Chunks, resolve: (rows: number) => void, reject: (error: unknown) => void) {
    this.#text = text;
    this.#chunks = chunks;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Called by the driver when the connection is free. */
  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#send(connection).then(
      () => {
        if (!this.#ended) connection.endCopyFrom();
      },
      (error) => {
        // Where the server has ended the copy, nobody waits for this any more.
        if (this.#ended) return;
        this.#cause = { error };
        connection.sendCopyFail('the data could not be read');
      },
    );
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#end();
    this.#resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#end();
    this.#reject(this.#cause ? this.#cause.error : error);
  }

  async #send({ stream }: Connection): Promise<void> {
    for await (const chunk of this.#chunks) {
      if (this.#ended) return;
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      header[0] = COPY_DATA;
      header.writeUInt32BE(chunk.length + HEADER_BYTES - 1, 1);
      stream.cork();
      stream.write(header);
      stream.write(chunk);
      stream.uncork();
      if (stream.writableLength < QUEUED_BYTES) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        stream.once('drain', resolve);
      });
    }
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
