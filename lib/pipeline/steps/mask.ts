import type { TransformationOf } from '../../core/transformations';
import { fieldOf, type Step, wrong } from '../step';
import { rewriting } from './hash';

const SHOWN = /[\p{L}\p{N}\p{M}]/gu;

/**
 * Hides letters and digits; other characters stay, so that the form of a value can still be seen. A value that is no
 * longer than what would be kept of it is hidden whole.
 */
export function mask({
  fields,
  keep_start: start = 0,
  keep_end: end = 0,
  character = '*',
}: TransformationOf<'mask'>): Step {
  const hide = (text: string) => text.replace(SHOWN, () => character);
  const masked = (text: string) => {
    if (start + end === 0) return hide(text);
    const points = [...text];
    if (points.length <= start + end) return hide(text);
    const tail = points.length - end;
    return points.slice(0, start).join('') + hide(points.slice(start, tail).join('')) + points.slice(tail).join('');
  };
  return {
    bind(binding) {
      const slots = fields.flatMap((name, index) => {
        const at = `fields[${index}]`;
        const slot = fieldOf(binding, name, at);
        if (slot?.isKey) throw wrong(`${binding.path}.${at}`, keyNeeded(binding.layout.stream, name));
        if (slot?.column.type === 'bytes') throw wrong(`${binding.path}.${at}`, `"${name}" holds bytes; use "hash"`);
        return slot ?? [];
      });
      if (slots.length === 0) return undefined;
      for (const slot of slots) binding.layout.replace(slot, 'text');
      return rewriting(slots, (value) => masked(String(value)));
    },
  };
}

function keyNeeded(stream: string, name: string): string {
  return `"${name}" is part of the key of ${stream}, and different keys would become equal; use "hash" to hide it`;
}
