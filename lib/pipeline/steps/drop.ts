import type { TransformationOf } from '../../core/transformations';
import { movedField, type Step, wrong } from '../step';

/** Leaves fields out. */
export function drop({ fields }: TransformationOf<'drop'>): Step {
  return {
    bind(binding) {
      for (const [index, name] of fields.entries()) {
        const slot = movedField(binding, name, `fields[${index}]`);
        if (slot?.isKey) throw wrong(`${binding.path}.fields[${index}]`, keyNeeded(binding.layout.stream, name));
        if (slot) binding.layout.drop(slot);
      }
      return undefined;
    },
  };
}

function keyNeeded(stream: string, name: string): string {
  return `"${name}" is part of the key of ${stream}, by which records are found again; use "hash" to hide it`;
}
