import { FINAL_STATES } from '../core/run';
import type { EngineContext } from './context';
import { list } from './records';
import { keys, type RunItem } from './state';

/** Runs that are read at a time, and that health is told from. */
export const RECENT_RUNS = 200;

/** A run without its document, of which thousands are kept. */
export type KeptRun = Omit<RunItem, 'document'>;

/** The runs that are kept, newest first. */
export async function recentRuns(
  context: EngineContext,
  id: string,
  limit: number,
  after?: string,
): Promise<RunItem[]> {
  const query = { reverse: true, limit, ...(after !== undefined && { after }) };
  return (await list<RunItem>(context.ports.state, keys.runs(id), query)).map((stored) => stored.value);
}

/** All runs that are kept, newest first. */
export async function allRuns(context: EngineContext, id: string): Promise<KeptRun[]> {
  const runs: KeptRun[] = [];
  for (;;) {
    const page = await recentRuns(context, id, RECENT_RUNS, runs.at(-1)?.id);
    runs.push(...page.map(({ document, ...run }) => run));
    if (page.length < RECENT_RUNS) return runs;
  }
}

/** Those that say something about an integration: they ended, and by themselves. */
export function countedRuns<T extends KeptRun>(runs: readonly T[]): readonly T[] {
  return runs.filter((run) => FINAL_STATES.includes(run.state) && run.state !== 'cancelled');
}

/** When the source was last read completely: a run brings what was there when it began. */
export function freshest(runs: readonly KeptRun[]): number | undefined {
  return runs.find((run) => run.state === 'succeeded')?.startedAt;
}

/** How many of the newest runs failed without one between them that loaded something. */
export function failuresInARow(runs: readonly KeptRun[]): number {
  const failures = runs.findIndex((run) => run.state === 'succeeded' || run.state === 'partial');
  return failures === -1 ? runs.length : failures;
}

/** From start to end. */
export function secondsOf(run: KeptRun): number {
  return run.startedAt === undefined ? 0 : ((run.finishedAt ?? run.startedAt) - run.startedAt) / 1000;
}
