import type { Json } from './json';

/** The largest position allowed, in bytes of its JSON text. */
export const MAX_POSITION_BYTES = 16 * 1024;

/** Where to resume: plain JSON of at most {@link MAX_POSITION_BYTES}, opaque to all but the connector that made it. */
export interface Position {
  /** Version of the connector's own layout of `value`, so that a newer connector can read an older position. */
  readonly format: number;
  readonly value: Json;
}

/**
 * Names the part of a stream that one worker reads. `load` is set while a full load fills a shadow table, and names
 * that load; without it the slice writes to the visible table.
 */
export interface SliceKey {
  readonly integration: string;
  readonly stream: string;
  readonly partition: string;
  readonly load?: string;
}

/** The partition under which the position of a stream's increments is stored. */
export const INCREMENT = 'increment';
