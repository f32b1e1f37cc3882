import { Fault } from '../../core/fault';
import type { Endpoint } from './endpoint';
import { openSession, type Session } from './session';

/** A bounded set of connections, kept for the next user. */
export class Sessions {
  readonly #endpoint: Endpoint;
  readonly #idle: Session[] = [];
  readonly #open = new Set<Session>();
  readonly #waiting: (() => void)[] = [];
  #used = 0;
  #closed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Server process ids of all open connections. */
  get pids(): number[] {
    return [...this.#open].filter((session) => !session.closed).map((session) => session.pid);
  }

  /** A connection beyond the bound, for the caller alone to close. */
  async dedicated(signal: AbortSignal): Promise<Session> {
    return this.#connect(signal);
  }

  /**
   * Runs `work` on a connection. An abort ends the statement and the connection, and so does an error or an early
   * exit of a reader, as the server may be in the middle of anything then.
   */
  async use<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const lease = await this.acquire(signal);
    try {
      const result = await work(lease.session);
      lease.finished();
      return result;
    } finally {
      lease.release();
    }
  }

  /** Like {@link use}, for generators: `finished` says that the connection is at rest, `release` must always follow. */
  async acquire(signal: AbortSignal): Promise<Lease> {
    await this.#slot(signal);
    try {
      const session = this.#takeIdle() ?? (await this.#connect(signal));
      return this.#lease(session, signal);
    } catch (error) {
      this.#free();
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

  #lease(session: Session, signal: AbortSignal): Lease {
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
        if (atRest && !session.closed && !this.#closed) this.#idle.push(session);
        else this.#drop(session);
        this.#free();
      },
    };
  }

  #takeIdle(): Session | undefined {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (!session.closed) return session;
      this.#open.delete(session);
    }
    return undefined;
  }

  #drop(session: Session): void {
    this.#open.delete(session);
    session.destroy();
  }

  async #slot(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.#used < this.#endpoint.maxConnections) {
      this.#used++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const given = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(given), 1);
        reject(aborted());
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(given);
    });
  }

  #free(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#used--;
  }

  async #connect(signal: AbortSignal): Promise<Session> {
    if (this.#closed) throw new Fault('bug', 'source_closed', 'the source is closed');
    throwIfAborted(signal);
    const session = await raceAbort(openSession(this.#endpoint), signal);
    this.#open.add(session);
    return session;
  }
}

/** A connection on loan. */
export interface Lease {
  readonly session: Session;
  finished(): void;
  release(): void;
}

/** Ends the wait at an abort; a connection that arrives later is closed at once. */
async function raceAbort(opening: Promise<Session>, signal: AbortSignal): Promise<Session> {
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

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw aborted();
}

/** The fault of work that was stopped from outside. */
export function aborted(): Fault {
  return new Fault('transient', 'aborted', 'stopped on request');
}
