import { Fault } from '../../core/fault';
import { aborted } from './aborted';
import { Slots } from './slots';

/** A connection that can be kept for the next user. */
export interface Pooled {
  readonly closed: boolean;
  /** Drops it at once, and what the server is doing for it. */
  destroy(): void;
  close(): Promise<void>;
}

/** A connection on loan. `finished` says that it is at rest, `release` must always follow. */
export interface Lease<S extends Pooled> {
  readonly session: S;
  finished(): void;
  release(): void;
}

/** A bounded set of connections, kept for the next user. */
export class Pool<S extends Pooled> {
  readonly #connect: () => Promise<S>;
  readonly #slots: Slots;
  readonly #idle: S[] = [];
  readonly #open = new Set<S>();
  #closed = false;

  constructor(most: number, connect: () => Promise<S>) {
    this.#connect = connect;
    this.#slots = new Slots(most);
  }

  /** All open connections, those on loan as well. */
  get open(): readonly S[] {
    return [...this.#open].filter((session) => !session.closed);
  }

  /** A connection beyond the bound, for the caller alone to close; it counts as our own. */
  async dedicated(signal: AbortSignal): Promise<S> {
    return this.#opened(signal);
  }

  /**
   * Runs `work` on a connection. An abort ends the statement and the connection, and so does an error or an early
   * exit of a reader, as the server may be in the middle of anything then.
   */
  async use<T>(signal: AbortSignal, work: (session: S) => Promise<T>): Promise<T> {
    const lease = await this.acquire(signal);
    try {
      const result = await work(lease.session);
      lease.finished();
      return result;
    } finally {
      lease.release();
    }
  }

  /** Like {@link use}, for generators. */
  async acquire(signal: AbortSignal): Promise<Lease<S>> {
    await this.#slots.take(signal);
    try {
      const session = this.#takeIdle() ?? (await this.#opened(signal));
      return lend(session, signal, (atRest) => {
        if (atRest && !session.closed && !this.#closed) this.#idle.push(session);
        else this.#drop(session);
        this.#slots.give();
      });
    } catch (error) {
      this.#slots.give();
      throw error;
    }
  }

  /** Ends all connections; those in use are dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = new Set(this.#idle.splice(0));
    const ends = [...this.#open].map(async (session) => (idle.has(session) ? session.close() : session.destroy()));
    this.#open.clear();
    await Promise.allSettled(ends);
  }

  #takeIdle(): S | undefined {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (!session.closed) return session;
      this.#open.delete(session);
    }
    return undefined;
  }

  #drop(session: S): void {
    this.#open.delete(session);
    session.destroy();
  }

  async #opened(signal: AbortSignal): Promise<S> {
    if (this.#closed) throw new Fault('bug', 'source_closed', 'the source is closed');
    if (signal.aborted) throw aborted();
    const session = await raceAbort(this.#connect(), signal);
    for (const former of this.#open) if (former.closed) this.#open.delete(former);
    this.#open.add(session);
    return session;
  }
}

/** Lends a session until it is released, or ends it at an abort. */
export function lend<S extends Pooled>(session: S, signal: AbortSignal, back: (atRest: boolean) => void): Lease<S> {
  let atRest = false;
  let released = false;
  const abort = () => session.destroy();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return {
    session,
    finished: () => {
      atRest = true;
    },
    release: () => {
      if (released) return;
      released = true;
      signal.removeEventListener('abort', abort);
      back(atRest);
    },
  };
}

/** Ends the wait at an abort; a connection that arrives later is dropped at once. */
async function raceAbort<S extends Pooled>(opening: Promise<S>, signal: AbortSignal): Promise<S> {
  let abort: () => void = () => undefined;
  const abandoned = new Promise<never>((_, reject) => {
    abort = () => {
      reject(aborted());
      opening.then(
        (session) => session.destroy(),
        () => undefined, // it failed as well; the abort has been reported
      );
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([opening, abandoned]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
