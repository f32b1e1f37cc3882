import { sweepSeeds, sweepSingles } from './sweep';
import type { Setup } from './world';

const SETUPS: readonly [string, Setup][] = [
  ['full reads as rows', { mode: 'full', bytes: false, workers: 1, processes: 1 }],
  ['full reads as bytes, two workers', { mode: 'full', bytes: true, workers: 2, processes: 1 }],
  ['increments', { mode: 'incremental', bytes: false, workers: 1, processes: 1 }],
  ['increments as bytes, two workers', { mode: 'incremental', bytes: true, workers: 2, processes: 1 }],
  ['changes, two workers', { mode: 'changes', bytes: false, workers: 2, processes: 1 }],
  ['full reads by two processes', { mode: 'full', bytes: false, workers: 1, processes: 2 }],
  ['increments by two processes', { mode: 'incremental', bytes: false, workers: 1, processes: 2 }],
];

describe.each(SETUPS)('every fault at every call: %s', (_name, setup) => {
  it('one fault, exhaustively: nothing is lost, doubled or stuck', async () => {
    const { histories, failures } = await sweepSingles(setup);
    expect(failures.slice(0, 5)).toEqual([]);
    expect(histories).toBeGreaterThan(200);
  }, 300_000);

  it.each([2, 3])(
    '%i faults by seed: nothing is lost, doubled or stuck',
    async (faults) => {
      expect((await sweepSeeds(setup, faults, 150)).slice(0, 5)).toEqual([]);
    },
    300_000,
  );
});
