import { invalidConfig } from '../../core/config';
import type { FieldIssue } from '../../core/fault';
import type { TransformationOf } from '../../core/transformations';
import type { Layout, Slot } from '../layout';
import { type Binding, movedField, type Step } from '../step';

/**
 * Renames fields: the name in the source to the new name, as in the specification's example, where what `customer_id` is
 * called becomes `id` and later steps speak of the new names. All names change at once, so that two may be swapped.
 */
export function fieldMapping({ mappings }: TransformationOf<'field_mapping'>): Step {
  return {
    bind(binding) {
      const renames = Object.entries(mappings).flatMap(([from, to]): Rename[] => {
        refuseReversed(binding, from, to);
        const slot = movedField(binding, from, `mappings.${from}`);
        return slot ? [{ slot, from, to }] : [];
      });
      refuseCollisions(binding, renames);
      for (const { slot, to } of renames) binding.layout.rename(slot, to);
      return undefined;
    },
  };
}

interface Rename {
  readonly slot: Slot;
  readonly from: string;
  readonly to: string;
}

/** `{"id": "customer_id"}` read the other way round would find its field; renaming nothing in silence would not. */
function refuseReversed({ layout, path }: Binding, from: string, to: string): void {
  if (layout.peek(from) !== undefined || layout.peek(to) === undefined) return;
  throw invalidConfig([
    {
      path: `${path}.mappings.${from}`,
      message: `${layout.stream} has no field "${from}", but "${to}": the name in the source comes first. Write "${to}": "${from}" to call it "${from}"; or name the streams that have "${from}" in "stream"`,
    },
  ]);
}

/** Two fields of one name would lose one of them. */
function refuseCollisions({ layout, path }: Binding, renames: readonly Rename[]): void {
  const renamed = new Set(renames.map(({ from }) => from));
  const names = new Set(layout.names.filter((name) => !renamed.has(name)));
  const issues: FieldIssue[] = [];
  for (const { from, to } of renames) {
    if (names.has(to)) issues.push({ path: `${path}.mappings.${from}`, message: collision(layout, from, to) });
    names.add(to);
  }
  if (issues.length > 0) throw invalidConfig(issues);
}

function collision({ stream }: Layout, from: string, to: string): string {
  return `${stream} would have two fields "${to}" and lose one. The name in the source comes first: this calls "${from}" "${to}". Drop or rename the other "${to}" as well`;
}
