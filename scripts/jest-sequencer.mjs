import TestSequencer from '@jest/test-sequencer';

/** The files that take longest; begun last, one of them would keep one core busy while the other has nothing to do. */
const LONGEST = [
  'test/connectors.test.ts',
  'test/chaos/full.sweep.test.ts',
  'test/chaos/incremental.sweep.test.ts',
  'test/chaos/changes.sweep.test.ts',
  'test/adapters/aws/state.test.ts',
  'test/e2e/deploy.test.ts',
  'test/chaos/kill.test.ts',
  'test/functions/faults.test.ts',
  'test/unit/engine/notify/crash.test.ts',
  'test/chaos/postgresql.sweep.test.ts',
  'test/functions/functions.test.ts',
  'test/e2e/destination.test.ts',
];

/** Longest first. A machine that has never run them does not know how long each takes. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = LONGEST.findIndex((file) => path.endsWith(file));
      return index < 0 ? LONGEST.length : index;
    };
    return super.sort(tests).sort((left, right) => rank(left) - rank(right));
  }
}
