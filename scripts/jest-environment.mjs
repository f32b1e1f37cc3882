import { TestEnvironment } from 'jest-environment-node';

const patience = Number(process.env.TEST_PATIENCE || 1);
const seen = new WeakSet();

/** Gives each test and hook TEST_PATIENCE times its time: the limit is there to find what hangs, not what is slow. */
export default class PatientEnvironment extends TestEnvironment {
  handleTestEvent(event, state) {
    const timed = event.name === 'test_start' ? event.test : event.name === 'hook_start' ? event.hook : undefined;
    // A hook starts once for each test.
    if (timed === undefined || seen.has(timed)) return;
    seen.add(timed);
    timed.timeout = patience * (timed.timeout ?? state.testTimeout);
  }
}
