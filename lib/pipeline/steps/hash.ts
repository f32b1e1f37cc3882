import { createHash, createHmac } from 'node:crypto';
import { UNCHANGED } from '../../core/batch';
import type { TransformationOf } from '../../core/transformations';
import type { Present } from '../convert/converter';
import { eachRow } from '../each-row';
import { passedOver } from '../frame';
import type { Slot } from '../layout';
import { type BoundStep, fieldOf, type Step } from '../step';

/**
 * Replaces values by a digest of their text (of bytes, of the bytes), in hexadecimal. Equal values stay equal, so that
 * also a key may be hidden. NULL stays NULL.
 */
export function hash({ fields, key }: TransformationOf<'hash'>): Step {
  const digest = (value: Present) =>
    (key === undefined ? createHash('sha256') : createHmac('sha256', key))
      .update(value instanceof Uint8Array ? value : String(value))
      .digest('hex');
  return {
    bind(binding) {
      const slots = fields.flatMap((name, index) => fieldOf(binding, name, `fields[${index}]`) ?? []);
      if (slots.length === 0) return undefined;
      for (const slot of slots) binding.layout.replace(slot, 'text');
      return rewriting(slots, digest);
    },
  };
}

/** Rewrites every cell of the slots that holds something. */
export function rewriting(slots: readonly Slot[], change: (value: Present) => string): BoundStep {
  const places = slots.map((slot) => ({ index: slot.index, skip: passedOver(slot) }));
  return {
    run(frame) {
      for (const { index, skip } of places) {
        eachRow(frame, skip, (row) => {
          const value = row[index];
          if (value !== null && value !== undefined && value !== UNCHANGED) row[index] = change(value);
        });
      }
    },
  };
}
