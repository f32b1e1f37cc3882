import { setTimeout as sleep } from 'node:timers/promises';
import { SilenceWatch } from '../../../../lib/connectors/shared/silence';
import type { Classify } from '../../../../lib/core/fault';
import { Fault } from '../../../../lib/core/fault';

const PATIENCE_MS = 10;
const classify: Classify = (error) => (error instanceof Fault ? error : undefined);
const fault = (code: string) => new Fault('transient', code, code);

describe('a server that is silent', () => {
  const watched = (ask: () => Promise<void>, paused = false) => {
    const line = { bytes: 0, asked: 0, faults: [] as Fault[] };
    const watch = new SilenceWatch(
      {
        heard: () => line.bytes,
        isPaused: () => paused,
        ask() {
          line.asked++;
          return ask();
        },
        giveUp: (given) => void line.faults.push(given),
      },
      PATIENCE_MS,
      classify,
    );
    return { line, watch };
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(1);
  };

  it.each([
    ['does not answer another connection', () => new Promise<void>(() => undefined)],
    ['cannot be reached any more', () => Promise.reject(fault('unreachable'))],
  ])('is given up where it %s', async (_what, ask) => {
    const { line, watch } = watched(ask);
    watch.begin();
    await until(() => line.faults.length > 0);
    watch.end();
    expect(line.faults).toMatchObject([{ kind: 'transient', code: 'no_answer', hint: expect.any(String) }]);
  });

  it.each([
    ['answers another connection', () => Promise.resolve()],
    ['refuses it for another reason', () => Promise.reject(fault('too_many_connections'))],
    ['refuses it for a reason that nobody knows', () => Promise.reject(new Error('?'))],
  ])('is waited for where it %s', async (_what, ask) => {
    const { line, watch } = watched(ask);
    watch.begin();
    await until(() => line.asked > 3);
    watch.end();
    expect(line.faults).toEqual([]);
  });

  it('is not asked while it is held back, while something comes, or while nothing is awaited', async () => {
    const held = watched(() => Promise.reject(fault('unreachable')), true);
    const coming = watched(() => Promise.reject(fault('unreachable')));
    const idle = watched(() => Promise.reject(fault('unreachable')));
    const sender = setInterval(() => coming.line.bytes++, 1);
    await idle.watch.during(async () => undefined);
    for (const { watch } of [held, coming]) watch.begin();
    await sleep(10 * PATIENCE_MS);
    for (const { watch } of [held, coming]) watch.end();
    clearInterval(sender);
    for (const { line } of [held, coming, idle]) expect(line).toMatchObject({ asked: 0, faults: [] });
  });
});
