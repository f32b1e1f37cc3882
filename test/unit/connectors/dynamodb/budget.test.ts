import { setTimeout as sleep } from 'node:timers/promises';
import { openBudget, type Pace } from '../../../../lib/connectors/dynamodb/budget';

/** Time that passes only while somebody waits. */
function pace(): Pace & { at: number } {
  const clock = { at: 0, now: () => clock.at, sleep: async (ms: number) => advance(ms) };
  const advance = (ms: number) => {
    clock.at += ms;
  };
  return clock;
}
const signal = new AbortController().signal;

describe('a budget of read capacity', () => {
  it('is without limit where none is given', async () => {
    const budget = openBudget(undefined);
    budget.spend('t', 1_000_000, 1);
    expect(await budget.wait('t', signal)).toBe(Number.POSITIVE_INFINITY);
  });

  it('waits until what was used is paid for, whoever used it', async () => {
    const time = pace();
    const budget = openBudget(50, time);
    await budget.wait('t', signal);
    budget.spend('t', 100, 1000);
    budget.spend('other', 25, 10);
    await budget.wait('t', signal);
    expect(time.at).toBe(2500);
    time.at += 60_000; // what nobody used is not saved up
    budget.spend('t', 50, 500);
    await budget.wait('t', signal);
    expect(time.at).toBe(63_500);
  });

  it('asks for pages of about one second, once it is known what items cost', async () => {
    const budget = openBudget(50, pace());
    expect(await budget.wait('t', signal)).toBe(100);
    budget.spend('t', 10, 100);
    expect(await budget.wait('t', signal)).toBe(500);
    budget.spend('t', 5000, 100);
    expect(await budget.wait('t', signal)).toBe(1);
    expect(await budget.wait('other', signal)).toBe(100);
  });

  it('ends its wait at an abort', async () => {
    const budget = openBudget(1);
    budget.spend('t', 1_000_000, 1);
    const controller = new AbortController();
    const waiting = budget.wait('t', controller.signal);
    await sleep(1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
