import type { Json } from '../../../../lib/core/json';
import type { Expected, StateItem, StateKey, StateQuery, StateStore } from '../../../../lib/core/ports';

/** Dies at one write, before or after it; from then on nothing works, as in a process that was killed. */
export class MortalState implements StateStore {
  writes = 0;
  dead = false;

  constructor(
    readonly inner: StateStore,
    readonly diesAt: number,
    readonly after: boolean,
  ) {}

  get(key: StateKey): Promise<StateItem | undefined> {
    this.#alive();
    return this.inner.get(key);
  }

  query(partition: string, query?: StateQuery): Promise<readonly StateItem[]> {
    this.#alive();
    return this.inner.query(partition, query);
  }

  put(key: StateKey, value: Json, expected: Expected | undefined, expiresAt?: number): Promise<number | undefined> {
    return this.#write(() => this.inner.put(key, value, expected, expiresAt));
  }

  delete(key: StateKey, expected?: number): Promise<boolean> {
    return this.#write(() => this.inner.delete(key, expected));
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    this.#alive();
    this.writes += 1;
    if (this.writes !== this.diesAt) return work();
    if (this.after) await work();
    this.dead = true;
    throw new Error('killed');
  }

  #alive(): void {
    if (this.dead) throw new Error('killed');
  }
}
