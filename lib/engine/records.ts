import { Fault } from '../core/fault';
import type { Json } from '../core/json';
import type { StateItem, StateKey, StateQuery, StateStore } from '../core/ports';

/** A value read from the state store, with what is needed to write it back. */
export interface Stored<T> {
  readonly key: StateKey;
  readonly value: T;
  readonly revision: number;
}

const MAX_CONFLICTS = 100;

/** Reads one typed value. */
export async function read<T>(state: StateStore, key: StateKey): Promise<Stored<T> | undefined> {
  const item = await state.get(key);
  return item && stored<T>(item);
}

/** Lists typed values of one partition. */
export async function list<T>(state: StateStore, partition: string, query?: StateQuery): Promise<Stored<T>[]> {
  return (await state.query(partition, query)).map((item) => stored<T>(item));
}

/** Writes a value that must not be there yet; gives whether it was written. */
export async function create<T>(state: StateStore, key: StateKey, value: T, expiresAt?: number): Promise<boolean> {
  return (await state.put(key, json(value), 'absent', expiresAt)) !== undefined;
}

/**
 * Changes one value, however many others change it at the same time. `change` gets the current value (`undefined` when
 * there is none) and gives the new one, or `undefined` to leave it as it is. Gives the value that is stored in the end.
 */
export async function update<T>(
  state: StateStore,
  key: StateKey,
  change: (current: T | undefined) => T | undefined,
  expiresAt?: number | ((value: T) => number),
): Promise<{ readonly value: T | undefined; readonly changed: boolean }> {
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    const current = await read<T>(state, key);
    const next = change(current?.value);
    if (next === undefined) return { value: current?.value, changed: false };
    const expiry = typeof expiresAt === 'function' ? expiresAt(next) : expiresAt;
    const revision = await state.put(key, json(next), current?.revision ?? 'absent', expiry);
    if (revision !== undefined) return { value: next, changed: true };
  }
  throw new Fault('transient', 'state_contention', `changing ${key.partition}/${key.sort}: too many writers at once`);
}

/** A value without `undefined` members, as the store keeps it. */
export function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function stored<T>(item: StateItem): Stored<T> {
  return { key: { partition: item.partition, sort: item.sort }, value: item.value as T, revision: item.revision };
}
