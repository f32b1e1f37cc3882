import { messageOf } from '../core/fault';
import { advance } from './advance';
import type { EngineContext } from './context';
import { backoffMs } from './retry';

const POLL_MS = 1000;

/** Receives messages and advances their runs, `workers` at a time, until `stop` aborts and all of them have ended. */
export async function work(context: EngineContext, workers: number, stop: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: workers }, () => workOne(context, stop)));
  await context.sessions.endAll();
}

async function workOne(context: EngineContext, stop: AbortSignal): Promise<void> {
  let failures = 0;
  while (!stop.aborted) {
    try {
      await step(context, POLL_MS, stop);
      failures = 0;
    } catch (error) {
      failures++;
      context.ports.log.error('a worker failed and tries again', { error: messageOf(error), failures });
      await context.ports.clock.sleep(backoffMs(failures, context.ports.random()), stop);
    }
  }
}

/** Handles at most one message; gives whether there was one. A message whose handling throws comes back by itself. */
export async function step(context: EngineContext, waitMs: number, stop: AbortSignal): Promise<boolean> {
  const [delivery] = await context.ports.queue.receive({
    max: 1,
    visibilityMs: context.options.leaseMs,
    waitMs,
    signal: stop,
  });
  if (delivery === undefined) return false;
  await advance(context, delivery, stop);
  return true;
}
