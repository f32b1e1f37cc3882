import { encodeJson, LARGEST_ITEM } from '../../../lib/core/item-limits';
import type { Json } from '../../../lib/core/json';
import type { Clock, Expected, StateItem, StateKey, StateQuery, StateStore } from '../../../lib/core/ports';

interface Stored {
  readonly revision: number;
  readonly text: string;
  readonly expiresAt: number;
}

interface Partition {
  readonly items: Map<string, Stored>;
  readonly sorts: string[];
}

/**
 * State in memory for ASCII keys that counts its calls and remembers what was written last; its listings cost what they
 * give, so that thousands of streams can be tested in a second.
 */
export class ObservedState implements StateStore {
  readonly #clock: Clock;
  readonly #partitions = new Map<string, Partition>();
  #revision = 0;
  calls = 0;
  /** Items given by queries. */
  listed = 0;
  /** Called before each write; a test may act in between. */
  beforePut: (key: StateKey) => Promise<void> | void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: StateKey): Promise<StateItem | undefined> {
    this.calls++;
    const stored = this.#live(key);
    return stored && { ...key, revision: stored.revision, value: JSON.parse(stored.text) as Json };
  }

  async put(key: StateKey, value: Json, expected: Expected | undefined, expiresAt = Number.POSITIVE_INFINITY) {
    this.calls++;
    await this.beforePut(key);
    const text = encodeJson(value, LARGEST_ITEM, 'writing state');
    if (!this.#holds(key, expected)) return undefined;
    const { items, sorts } = this.#partition(key.partition);
    if (!items.has(key.sort)) sorts.splice(place(sorts, key.sort), 0, key.sort);
    items.set(key.sort, { revision: ++this.#revision, text, expiresAt });
    return this.#revision;
  }

  async query(partition: string, { prefix = '', after, limit, reverse = false }: StateQuery = {}) {
    this.calls++;
    const { items, sorts } = this.#partition(partition);
    const found = reverse
      ? sorts.filter((sort) => sort.startsWith(prefix) && (after === undefined || sort < after)).reverse()
      : forward(sorts, prefix, after, limit);
    const result = found.slice(0, limit).flatMap((sort): StateItem[] => {
      const stored = items.get(sort);
      const live = stored !== undefined && stored.expiresAt > this.#clock.now();
      return live ? [{ partition, sort, revision: stored.revision, value: JSON.parse(stored.text) as Json }] : [];
    });
    this.listed += result.length;
    return result;
  }

  async delete(key: StateKey, expected?: number): Promise<boolean> {
    this.calls++;
    if (!this.#holds(key, expected)) return false;
    const { items, sorts } = this.#partition(key.partition);
    if (items.delete(key.sort)) sorts.splice(place(sorts, key.sort), 1);
    return true;
  }

  /** Addresses of the stored items that would stay for ever, as `partition sort`. */
  everlasting(): string[] {
    return [...this.#partitions].flatMap(([partition, { items }]) =>
      [...items]
        .filter(([, { expiresAt }]) => expiresAt === Number.POSITIVE_INFINITY)
        .map(([s]) => `${partition} ${s}`),
    );
  }

  #holds(key: StateKey, expected: Expected | undefined): boolean {
    return expected === undefined || (this.#live(key)?.revision ?? 'absent') === expected;
  }

  #live({ partition, sort }: StateKey): Stored | undefined {
    const stored = this.#partition(partition).items.get(sort);
    return stored !== undefined && stored.expiresAt > this.#clock.now() ? stored : undefined;
  }

  #partition(name: string): Partition {
    const known = this.#partitions.get(name) ?? { items: new Map<string, Stored>(), sorts: [] };
    this.#partitions.set(name, known);
    return known;
  }
}

function forward(sorts: readonly string[], prefix: string, after: string | undefined, limit = sorts.length): string[] {
  const found: string[] = [];
  for (let at = place(sorts, after !== undefined && after > prefix ? after : prefix); at < sorts.length; at++) {
    const sort = sorts[at];
    if (sort === undefined || found.length === limit || !sort.startsWith(prefix)) break;
    if (sort !== after) found.push(sort);
  }
  return found;
}

/** The index of the first member that is not before `sort`. */
function place(sorts: readonly string[], sort: string): number {
  let low = 0;
  let high = sorts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorts[middle] ?? '') < sort) low = middle + 1;
    else high = middle;
  }
  return low;
}
