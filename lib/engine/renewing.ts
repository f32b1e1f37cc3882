import type { CheckReport } from '../core/check';
import { AUTHENTICATION_FAILED, Fault } from '../core/fault';
import type { Logger } from '../core/log';
import type { SecretAttempts, SecretValues } from './secret-values';

/** Something that was opened with some values of its secrets. */
export interface Attempt<T> {
  readonly opened: T;
  readonly values: SecretValues;
}

/** What can be opened and closed again. */
interface Closable {
  close(): Promise<void>;
}

// Of the source, thrown through the destination that reads from it: it says nothing about the destination's login.
const judged = new WeakSet<Fault>();

/**
 * A connection that is opened anew with other values of its secrets when the server refuses those it has. What was opened
 * before stays open until the end: others may work with it, and a snapshot may hang on it. When no values are left, the
 * first refusal is thrown, from then on without asking the server again.
 */
export class Renewing<T extends Closable> {
  readonly #attempts: SecretAttempts;
  readonly #open: (values: SecretValues) => Promise<T>;
  readonly #log: Logger;
  readonly #all: T[] = [];
  #opening: Promise<Attempt<T>> | undefined;
  #latest: Attempt<T> | undefined;
  #first: Fault | undefined;
  #final: Fault | undefined;

  constructor(attempts: SecretAttempts, open: (values: SecretValues) => Promise<T>, log: Logger) {
    this.#attempts = attempts;
    this.#open = open;
    this.#log = log;
  }

  /** What is open, or opened now. @throws Fault the first refusal, when all values were refused */
  async current(): Promise<Attempt<T>> {
    for (;;) {
      if (this.#final !== undefined) throw this.#final;
      this.#opening ??= this.#next();
      const opening = this.#opening;
      try {
        return await opening;
      } catch (error) {
        if (this.#opening === opening) this.#opening = undefined;
        if (!isRefusal(error)) throw error;
      }
    }
  }

  /**
   * Does `work`, and again with other values when the server refuses it. `repeatable`: whether it may be done again from its
   * beginning; if not, it ends with a `transient` fault once there is something to go on with.
   */
  async use<R>(work: (opened: T) => Promise<R>, repeatable: () => boolean = () => true): Promise<R> {
    for (;;) {
      const attempt = await this.current();
      try {
        const result = await work(attempt.opened);
        this.accepted(attempt);
        return result;
      } catch (error) {
        await this.refused(attempt, error, repeatable());
      }
    }
  }

  /** The server has let us in. */
  accepted(attempt: Attempt<T>): void {
    if (this.#latest !== attempt || !this.#attempts.again) return;
    this.#attempts.accepted();
    this.#first = undefined;
  }

  /** Resolves when the work that `error` has ended is to be done again. @throws what it ends with otherwise */
  async refused(attempt: Attempt<T>, error: unknown, repeatable: boolean): Promise<void> {
    if (!isRefusal(error)) throw error;
    this.#note(attempt.values, error);
    if (this.#latest === attempt) {
      this.#latest = undefined;
      this.#opening = undefined;
    }
    if (repeatable) return;
    await this.current();
    throw new Fault('transient', 'secrets_renewed', error.message, {
      hint: 'It goes on by itself, with the value that the secret has now.',
      cause: error,
    });
  }

  /** Closes all that was opened. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((opened) => opened.close()));
  }

  async #next(): Promise<Attempt<T>> {
    const values = await this.#attempts.next();
    if (values === undefined) throw this.#giveUp();
    if (this.#attempts.again) {
      this.#log.warn('a login was refused: it is tried with other values of the secrets', {
        secrets: this.#attempts.names,
      });
    }
    try {
      const opened = await this.#open(values);
      this.#all.push(opened);
      this.#latest = { opened, values };
      return this.#latest;
    } catch (error) {
      if (isRefusal(error)) this.#note(values, error);
      throw error;
    }
  }

  #note(values: SecretValues, refusal: Fault): void {
    this.#first ??= refusal;
    this.#attempts.refused(values);
  }

  #giveUp(): Fault {
    this.#final =
      this.#first ?? new Fault('bug', 'nothing_refused', 'logging in: no values are left, and none was refused');
    judged.add(this.#final);
    return this.#final;
  }
}

function isRefusal(error: unknown): error is Fault {
  return error instanceof Fault && error.code === AUTHENTICATION_FAILED && !judged.has(error);
}

/** Tests a connection, and again with other values when its login is refused. When all are, the first report is given. */
export async function checkRenewing(
  renewing: Renewing<Closable & { check(signal: AbortSignal): Promise<CheckReport> }>,
  signal: AbortSignal,
): Promise<CheckReport> {
  let first: CheckReport | undefined;
  try {
    return await renewing.use(async (opened) => {
      const report = await opened.check(signal);
      if (!refusesLogin(report)) return report;
      first ??= report;
      throw new Fault('config', AUTHENTICATION_FAILED, 'checking the connection: the login was refused');
    });
  } catch (error) {
    if (first === undefined || signal.aborted) throw error;
    return first;
  }
}

function refusesLogin({ steps }: CheckReport): boolean {
  return steps.some(({ name, state }) => name === 'authenticate' && state === 'failed');
}
