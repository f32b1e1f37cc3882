import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Json } from '../../core/json';
import type { Position } from '../../core/position';
import type { Item } from './client';

const FORMAT = 1;

/** After everything. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

/** Which writes an increment takes, by times in milliseconds since 1970: from `since` on, before `until`. */
export interface Window {
  /** `null`: from the beginning. */
  readonly since: number | null;
  readonly until: number;
  /** The id of the table. */
  readonly table: string;
}

/** How far increments have come. */
export interface Progress {
  readonly since: number | null;
  readonly table?: string;
  /** The increment that is under way, and the key of the last item that it read. */
  readonly window?: Window;
  readonly key?: Item;
}

/** The position between two increments. */
export function betweenPosition(since: number, table: string): Position {
  return { format: FORMAT, value: { since, table } };
}

/** The position in the middle of an increment. */
export function insidePosition(key: Item, { since, until, table }: Window): Position {
  return { format: FORMAT, value: { since, until, table, key: storedKey(key) } };
}

/** How far increments had come at `from`; the beginning without it. */
export function progressOf(from: Position | undefined): Progress {
  if (from === undefined) return { since: null };
  const { since, until, table, key } = from.value as unknown as Window & Stored;
  if (key === undefined) return { since, table };
  return { since, table, window: { since, until, table }, key: restoredKey(key) };
}

/** Where a scan of one part goes on. */
export interface Place {
  readonly done: boolean;
  /** The key of the last item that was read. */
  readonly key?: Item;
}

interface Stored {
  readonly done?: boolean;
  readonly key?: { readonly [attribute: string]: StoredValue };
}

/** DynamoDB's own JSON; `U` is a text of control characters, in base64, as JSON would make it six times as long. */
type StoredValue = { readonly [type in 'S' | 'N' | 'B' | 'U']?: string };

/** The position behind an item. */
export function positionBehind(key: Item): Position {
  return { format: FORMAT, value: { key: storedKey(key) } };
}

/** Where `from` is; the beginning without it. */
export function placeOf(from: Position | undefined): Place {
  const { done = false, key } = (from?.value ?? {}) as Stored;
  return key === undefined ? { done } : { done, key: restoredKey(key) };
}

function storedKey(key: Item): Json {
  return Object.fromEntries(Object.entries(key).map(([name, value]) => [name, store(value)])) as unknown as Json;
}

function restoredKey(key: NonNullable<Stored['key']>): Item {
  return Object.fromEntries(Object.entries(key).map(([name, value]) => [name, restore(value)]));
}

function store({ S, N, B }: AttributeValue): StoredValue {
  if (B !== undefined) return { B: Buffer.from(B).toString('base64') };
  if (S === undefined) return { N: N ?? '' };
  const base64 = Buffer.from(S).toString('base64');
  return JSON.stringify(S).length > base64.length + 2 ? { U: base64 } : { S };
}

function restore({ S, N, B, U }: StoredValue): AttributeValue {
  if (B !== undefined) return { B: Uint8Array.from(Buffer.from(B, 'base64')) };
  if (N !== undefined) return { N };
  return { S: S ?? Buffer.from(U ?? '', 'base64').toString('utf8') };
}
