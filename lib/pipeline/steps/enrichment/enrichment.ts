import type { PipelineServices } from '../../../core/pipeline';
import type { ColumnType } from '../../../core/schema';
import type { Slot } from '../../layout';
import { type Binding, type BoundStep, wrong } from '../../step';

/** One enrichment, to be bound to a shape; `undefined` where it does not concern the stream. */
export type Enrichment = (binding: Binding) => BoundStep | undefined;

/** What an enrichment is made with beside its configuration: its place within its step, and in the document. */
export type MakeEnrichment = readonly [at: string, path: string, services: PipelineServices];

/** Adds the field that an enrichment fills. */
export function newField({ layout, path }: Binding, at: string, name: string, type: ColumnType): Slot {
  if (layout.find(name)?.isKey) throw wrong(`${path}.${at}.field`, `"${name}" is part of the key of ${layout.stream}`);
  return layout.put(name, type);
}

/** One step of several, of which each may build on what those before it have filled. */
export function runInTurn(steps: readonly BoundStep[]): BoundStep | undefined {
  if (steps.length === 0) return undefined;
  if (steps.every((step) => step.prefetch === undefined)) {
    return { run: (frame) => steps.forEach((step) => void step.run(frame)) };
  }
  return {
    async prefetch(frame) {
      for (const step of steps) {
        await step.prefetch?.(frame);
        step.run(frame);
      }
    },
    // All was done while prefetching.
    run: () => undefined,
  };
}
