import { checkKey, checkKeyPart, encodeJson, LARGEST_ITEM } from '../../lib/core/item-limits';
import type { Json } from '../../lib/core/json';
import type { Clock, Expected, StateItem, StateKey, StateQuery, StateStore } from '../../lib/core/ports';

interface Stored {
  readonly revision: number;
  readonly text: string;
  readonly expiresAt: number;
}

/** State that lives as long as the object. */
export class MemoryStateStore implements StateStore {
  readonly #clock: Clock;
  readonly #partitions = new Map<string, Map<string, Stored>>();
  #removedRevision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: StateKey): Promise<StateItem | undefined> {
    checkKey(key, 'using state');
    const stored = this.#live(key);
    return stored && item(key.partition, key.sort, stored);
  }

  async put(
    key: StateKey,
    value: Json,
    expected: Expected | undefined,
    expiresAt?: number,
  ): Promise<number | undefined> {
    checkKey(key, 'using state');
    const text = encodeJson(value, LARGEST_ITEM, 'writing state');
    if (!this.#holds(key, expected)) return undefined;
    const revision = (this.#items(key.partition).get(key.sort)?.revision ?? this.#removedRevision) + 1;
    this.#items(key.partition).set(key.sort, { revision, text, expiresAt: expiresAt ?? Number.POSITIVE_INFINITY });
    return revision;
  }

  async query(partition: string, query: StateQuery = {}): Promise<readonly StateItem[]> {
    checkKeyPart(partition, 'listing state');
    const { prefix = '', after, limit, reverse = false } = query;
    const items = [...this.#items(partition)]
      .filter(([sort, stored]) => stored.expiresAt > this.#clock.now() && sort.startsWith(prefix))
      .sort(([left], [right]) => (reverse ? compare(right, left) : compare(left, right)))
      .filter(([sort]) => after === undefined || (reverse ? compare(sort, after) < 0 : compare(sort, after) > 0));
    return items.slice(0, limit).map(([sort, stored]) => item(partition, sort, stored));
  }

  async delete(key: StateKey, expected?: number): Promise<boolean> {
    checkKey(key, 'using state');
    if (!this.#holds(key, expected)) return false;
    const stored = this.#items(key.partition).get(key.sort);
    this.#removedRevision = Math.max(this.#removedRevision, stored?.revision ?? 0);
    this.#items(key.partition).delete(key.sort);
    return true;
  }

  #holds(key: StateKey, expected: Expected | undefined): boolean {
    return expected === undefined || (this.#live(key)?.revision ?? 'absent') === expected;
  }

  #live({ partition, sort }: StateKey): Stored | undefined {
    const stored = this.#items(partition).get(sort);
    return stored !== undefined && stored.expiresAt > this.#clock.now() ? stored : undefined;
  }

  #items(partition: string): Map<string, Stored> {
    const items = this.#partitions.get(partition) ?? new Map<string, Stored>();
    this.#partitions.set(partition, items);
    return items;
  }
}

function item(partition: string, sort: string, { revision, text }: Stored): StateItem {
  return { partition, sort, revision, value: JSON.parse(text) as Json };
}

// By the bytes of UTF-8, as SQLite and DynamoDB order; UTF-16 would put emoji elsewhere.
function compare(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
