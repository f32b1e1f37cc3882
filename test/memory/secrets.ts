import type { Secrets } from '../../lib/core/ports';
import { Secret } from '../../lib/core/secret';

/** Secrets that a test sets. */
export class MemorySecrets implements Secrets {
  readonly values: Map<string, string>;

  constructor(values: { readonly [name: string]: string } = {}) {
    this.values = new Map(Object.entries(values));
  }

  async get(name: string): Promise<Secret | undefined> {
    const value = this.values.get(name);
    return value === undefined ? undefined : new Secret(value);
  }
}
