import { memorySource, memoryStore } from './parts';
import { play, type Scenario, sweepSeeds, sweepSingles } from './sweep';
import type { Setup } from './world';

/** A scenario with source and store in memory; `bytes`: rows travel undecoded; `groups`: in transactions of many batches. */
export function inMemory(mode: Setup['mode'], bytes: boolean, workers: number, processes = 1, groups = true): Scenario {
  return {
    setup: { mode, workers, processes },
    parts: async () => ({ source: memorySource(), store: memoryStore(bytes, groups) }),
  };
}

/** Sweeps a scenario: one fault exhaustively, two and three by seed. */
export function describeSweep(name: string, scenario: Scenario): void {
  describe(`every fault at every call: ${name}`, () => {
    it('one fault, exhaustively: nothing is lost, doubled or stuck', async () => {
      const { histories, failures } = await sweepSingles(scenario);
      expect(failures.slice(0, 5)).toEqual([]);
      expect(histories).toBeGreaterThan(200);
    }, 900_000);

    it.each([2, 3])(
      '%i faults by seed: nothing is lost, doubled or stuck',
      async (faults) => {
        expect((await sweepSeeds(scenario, faults, 150)).slice(0, 5)).toEqual([]);
      },
      900_000,
    );
  });
}

/** Sweeps histories by seed in which the clock ends transactions of many batches after any of them. */
export function describeClockedSweep(mode: Setup['mode'], bytes: boolean, workers: number, processes = 1): void {
  const { parts, setup } = inMemory(mode, bytes, workers, processes);
  const scenario: Scenario = { parts, setup: { ...setup, clocked: true } };

  describe(`faults by seed while the clock ends transactions: ${JSON.stringify({ ...setup, bytes })}`, () => {
    it('the clock ends some of them', async () => {
      const { problems, timeouts } = await play(scenario, new Map(), 1);
      expect(problems).toEqual([]);
      expect(timeouts).toBeGreaterThan(1);
    });

    it.each([0, 1, 3])(
      '%i faults: nothing is lost, doubled or stuck',
      async (faults) => {
        expect((await sweepSeeds(scenario, faults, 100)).slice(0, 5)).toEqual([]);
      },
      600_000,
    );
  });
}
