import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's space for new objects as small as it is at the start. Batches are many and short-lived, so a space that
 * grows to its usual 3 x 16 MB costs memory and saves no time (docs/decisions/0036-memory.md). Called first of all.
 */
export function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
