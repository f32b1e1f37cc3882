import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's heap close to what is alive: the space for new objects as small as it is at the start, and the others are
 * cleared when half as much again has come together. Batches are many and short-lived, so that more room costs memory
 * and saves no time (docs/decisions/0036-memory.md). Called first of all.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
}
