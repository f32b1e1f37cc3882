import type { Destination } from '../../lib/core/destination';
import { memorySource, memoryStore } from './parts';
import { describeSweep, inMemory } from './suite';
import { sweepSeeds } from './sweep';

describeSweep('changes, two workers', inMemory('changes', false, 2));

describe('the sweep itself', () => {
  it.each<[string, (honest: Destination) => Partial<Destination>]>([
    [
      'has another key than the stream',
      (honest) => ({ prepare: (slice, next) => honest.prepare(slice, { ...next, key: ['text'] }) }),
    ],
    [
      'stores a position ahead of the data',
      (honest) => ({ write: (batch, ...rest) => honest.write({ ...batch, ...skipOne(batch.after) }, ...rest) }),
    ],
  ])(
    'finds a destination that %s',
    async (_name, dishonest) => {
      const failures = await sweepSeeds(
        {
          setup: { mode: 'incremental', workers: 1, processes: 1 },
          parts: async () => {
            const store = memoryStore(false, true);
            return {
              source: memorySource(),
              store: {
                ...store,
                async open(context) {
                  const destination = await store.open(context);
                  return { ...destination, ...dishonest(destination) };
                },
              },
            };
          },
        },
        2,
        40,
      );
      expect(failures.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

/** The position one row further than the batch went. */
function skipOne(after: { readonly format: number; readonly value: unknown }) {
  const value = after.value as { readonly changed?: number; readonly id: number };
  const next = value.changed === undefined ? { id: value.id + 1 } : { ...value, changed: value.changed + 1 };
  return { after: { format: after.format, value: next } };
}
