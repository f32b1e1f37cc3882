import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { canonicalJson, type Json } from '../core/json';
import { refusal } from './problem';

const MOST_KEYS = 1000;
const KEPT_MS = 24 * 3_600_000;

interface Entry {
  readonly key: string;
  readonly fingerprint: string;
  readonly at: number;
  answer?: Promise<unknown>;
}

/** Remembers the idempotency keys of the last day, at most a thousand; bodies only as hashes. */
export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Does `work` with the key of the request. A repeated request gets the answer of the first one, also while that is
   * still being worked on; with another body it is refused. What failed is forgotten and may be tried again.
   */
  async once<T>(c: Context, body: Json | undefined, work: () => Promise<T>): Promise<T> {
    const entry = this.#entry(c, body);
    if (entry === undefined) return work();
    if (entry.answer !== undefined) return entry.answer as Promise<T>;
    const answer = this.#forgetWhenFailed(c, entry, work);
    entry.answer = answer;
    return answer;
  }

  /** Like {@link once} for work that itself knows what to do with a key it has seen: it is done each time. */
  async each<T>(c: Context, body: Json | undefined, work: (key: string | undefined) => Promise<T>): Promise<T> {
    const entry = this.#entry(c, body);
    if (entry === undefined) return work(undefined);
    return this.#forgetWhenFailed(c, entry, () => work(entry.key));
  }

  async #forgetWhenFailed<T>(c: Context, entry: Entry, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const name = scoped(c, entry.key);
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
      throw error;
    }
  }

  #entry(c: Context, body: Json | undefined): Entry | undefined {
    const key = idempotencyKey(c);
    if (key === undefined) return undefined;
    const fingerprint = createHash('sha256')
      .update(canonicalJson(body ?? null))
      .digest('base64');
    const known = this.#entries.get(scoped(c, key));
    if (known === undefined || this.#now() - known.at > KEPT_MS)
      return this.#remember(scoped(c, key), key, fingerprint);
    if (known.fingerprint === fingerprint) return known;
    throw refusal(c, 'idempotency_conflict', 'reading the header Idempotency-Key: it came with another body before', {
      hint: 'Use a new key for a new request, and the same body for a repeated one.',
    });
  }

  #remember(name: string, key: string, fingerprint: string): Entry {
    const entry: Entry = { key, fingerprint, at: this.#now() };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_KEYS && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }
}

/** The idempotency key of a request, if it has one. @throws a refusal of one that has a wrong form */
export function idempotencyKey(c: Context): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const errors = [{ path: 'Idempotency-Key', message: 'expected 1 to 255 visible ASCII characters' }];
  throw refusal(c, 'invalid_parameter', 'reading the header Idempotency-Key: it has a wrong form', { errors });
}

function scoped(c: Context, key: string): string {
  return `${c.req.method} ${c.req.path} ${key}`;
}
