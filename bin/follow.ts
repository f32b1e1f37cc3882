import { setTimeout as sleep } from 'node:timers/promises';
import { FINAL_STATES } from '../lib/core/run';
import type { Client } from './client';
import type { Progress } from './output/progress';
import type { RunDetails } from './wire';

const FIRST_POLL_MS = 50;
const LONGEST_POLL_MS = 500;

/** Watches runs until all have ended, or until `signal` aborts; gives each as it then is. */
export async function followRuns(
  client: Client,
  ids: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly RunDetails[]> {
  const runs = new Map<string, RunDetails>();
  const open = new Set(ids);
  let pause = FIRST_POLL_MS;
  try {
    for (;;) {
      for (const id of open) {
        const run = await client.request<RunDetails>('GET', `/api/runs/${encodeURIComponent(id)}`);
        runs.set(id, run);
        progress.update(run);
        if (FINAL_STATES.includes(run.state)) open.delete(id);
      }
      if (open.size === 0 || signal.aborted) break;
      await wait(pause, signal);
      pause = Math.min(LONGEST_POLL_MS, pause * 1.5);
    }
  } finally {
    progress.stop();
  }
  return ids.flatMap((id) => runs.get(id) ?? []);
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
