import { BSON, type Document } from 'mongodb';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import { MAX_POSITION_BYTES, type Position } from '../../core/position';

/** What a change stream gives to resume from; its members are the server's own affair. */
export type ResumeToken = Document;

/** Where a change stream begins: behind a token, or at a time of the cluster, with what happened at that time. */
export type FeedStart = { readonly token: ResumeToken } | { readonly time: bigint };

interface FeedValue {
  readonly token?: Json;
  readonly time?: string;
  /** Why nothing can be read from here. */
  readonly lost?: string;
}

const FORMAT = 1;

/** The position of a start. @throws Fault where it is too long for one */
export function feedPosition(start: FeedStart): Position {
  if ('time' in start) return { format: FORMAT, value: { time: String(start.time) } };
  const token = BSON.EJSON.serialize(start.token, { relaxed: false }) as Json;
  const position = { format: FORMAT, value: { token } };
  if (JSON.stringify(position).length <= MAX_POSITION_BYTES) return position;
  throw new Fault('data', 'id_too_long', 'a document has an _id that is too long to resume behind it', {
    hint: 'A resume token holds the _id: leave the collection out by "collections", or give its documents shorter ones.',
  });
}

/** The position behind something that no reader can go past: all has to be read again. */
export function lostPosition(reason: string): Position {
  return { format: FORMAT, value: { lost: reason } };
}

/** Where a position begins. @throws Fault `lost` where nothing can be read from it */
export function feedStart({ value }: Position): FeedStart {
  const { token, time, lost } = value as FeedValue;
  if (lost !== undefined) throw broken(lost);
  if (time !== undefined) return { time: BigInt(time) };
  return { token: BSON.EJSON.deserialize(token as Document, { relaxed: false }) };
}

/** The fault of changes that do not say what a collection holds now. */
export function broken(reason: string): Fault {
  return new Fault('lost', 'change_stream_broken', reason, { hint: 'The collections are read again from the start.' });
}

// The type of a timestamp in the server's KeyString, then its seconds and its number among those of the second.
const TIMED_TOKEN = /^82([0-9A-F]{16})/i;

/** The time of the cluster that a token stands for; `undefined` where a server makes its tokens otherwise. */
export function timeOf({ _data }: ResumeToken): bigint | undefined {
  const [, time] = (typeof _data === 'string' && TIMED_TOKEN.exec(_data)) || [];
  return time === undefined ? undefined : BigInt(`0x${time}`);
}
