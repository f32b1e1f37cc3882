import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Json } from '../../core/json';
import type { Position } from '../../core/position';
import type { Item } from './client';

const FORMAT = 1;

/** After everything. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

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
  const stored = Object.entries(key).map(([name, value]) => [name, store(value)] as const);
  return { format: FORMAT, value: { key: Object.fromEntries(stored) as unknown as Json } };
}

/** Where `from` is; the beginning without it. */
export function placeOf(from: Position | undefined): Place {
  const { done = false, key } = (from?.value ?? {}) as Stored;
  if (key === undefined) return { done };
  return { done, key: Object.fromEntries(Object.entries(key).map(([name, value]) => [name, restore(value)])) };
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
