import type { Secrets } from '../core/ports';
import type { Redactor } from '../core/secret';

/** The values of some secrets by their names; `undefined` for one that is not set. */
export type SecretValues = ReadonlyMap<string, string | undefined>;

/** Reads secrets, and registers what they are with the redactor. */
export async function readSecrets(
  names: Iterable<string>,
  secrets: Secrets,
  redactor: Redactor,
): Promise<SecretValues> {
  const values = new Map<string, string | undefined>();
  for (const name of names) {
    const value = (await secrets.get(name))?.reveal();
    if (value !== undefined) redactor.add(value);
    values.set(name, value);
  }
  return values;
}

/** Servers lock accounts after a few wrong passwords. */
const MOST_REFUSED = 3;

/**
 * The values of some secrets, for one login after another: what is remembered, then what is current, then what a rotation
 * is about to make current. None is given twice, and no more than three in a row.
 */
export class SecretAttempts {
  readonly #names: readonly string[];
  readonly #secrets: Secrets;
  readonly #redactor: Redactor;
  #refused: SecretValues[] = [];

  constructor(names: Iterable<string>, secrets: Secrets, redactor: Redactor) {
    this.#names = [...names];
    this.#secrets = secrets;
    this.#redactor = redactor;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** A login was refused before, and none was accepted since. */
  get again(): boolean {
    return this.#refused.length > 0;
  }

  /** The values for the next login; `undefined` when there are none that were not refused. Each is registered with the redactor. */
  async next(): Promise<SecretValues | undefined> {
    if (this.#refused.length >= MOST_REFUSED) return undefined;
    if (this.again) for (const name of this.#names) this.#secrets.refresh?.(name);
    const current = await readSecrets(this.#names, this.#secrets, this.#redactor);
    if (!this.#isRefused(current)) return current;
    const pending = await this.#withPending(current);
    return this.#isRefused(pending) ? undefined : pending;
  }

  /** A server has refused these. */
  refused(values: SecretValues): void {
    if (!this.#isRefused(values)) this.#refused.push(values);
  }

  /** A server has accepted what was given last. */
  accepted(): void {
    this.#refused = [];
  }

  async #withPending(current: SecretValues): Promise<SecretValues> {
    const values = new Map(current);
    for (const name of this.#names) {
      const value = (await this.#secrets.pending?.(name))?.reveal();
      if (value === undefined) continue;
      this.#redactor.add(value);
      values.set(name, value);
    }
    return values;
  }

  #isRefused(values: SecretValues): boolean {
    return this.#refused.some((refused) => this.#names.every((name) => refused.get(name) === values.get(name)));
  }
}
