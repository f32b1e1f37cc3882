import { CallClock } from './call-clock';
import { INJECTIONS, type Injection, Injector } from './injector';
import type { Parts, SourcePart } from './parts';
import { generator } from './random';
import { type Setup, World } from './world';

const STREAMS = ['orders', 'people'];
const WRITE_EVERY_CALLS = 9;

/** What is played: the set-up, and where each history gets its own source and store from. */
export interface Scenario {
  readonly setup: Setup;
  parts(): Promise<Parts>;
}

/** What one whole history ended with. */
export interface History {
  readonly calls: number;
  /** How often the clock ended a transaction of many batches. */
  readonly timeouts: number;
  readonly problems: readonly string[];
}

/**
 * Plays one whole history (a first sync, two more with writes going on, and a last one with nothing injected) with faults
 * at the given calls, and compares source and destination.
 */
export async function play(
  { setup, parts }: Scenario,
  plan: ReadonlyMap<number, Injection>,
  seed: number,
): Promise<History> {
  const random = generator(seed);
  const own = await parts();
  const timers = new CallClock(generator(seed * 31));
  const writeSometimes = (call: number) =>
    call % WRITE_EVERY_CALLS === 0 ? write(own.source, setup, random) : undefined;
  const injector = new Injector(plan, writeSometimes, () => timers.tick());
  const world = new World(setup, own, injector, timers, seed);
  for (let id = 1; id <= 7; id++) for (const stream of STREAMS) await own.source.put(stream, id, `first ${id}`);
  const problems: string[] = [];
  try {
    await world.begin();
    for (const label of ['first', 'second', 'third']) await expectSuccess(world, label, problems);
    const { calls } = injector;
    injector.armed = false;
    await expectSuccess(world, 'last', problems);
    await world.drain();
    await compare(world, problems);
    return { calls, timeouts: timers.fired, problems };
  } catch (error) {
    problems.push(String(error instanceof Error ? error.stack : error));
    return { calls: injector.calls, timeouts: timers.fired, problems };
  } finally {
    await world.end();
  }
}

async function expectSuccess(world: World, label: string, problems: string[]): Promise<void> {
  const run = await world.sync(label);
  if (run.state !== 'succeeded') problems.push(`${label} ${run.state}: ${run.fault?.message}`);
}

function write(source: SourcePart, { mode }: Setup, random: () => number): Promise<void> {
  const stream = STREAMS[Math.floor(random() * STREAMS.length)] ?? 'orders';
  const id = 1 + Math.floor(random() * 12);
  // A deletion is invisible to increments by a cursor, so only the other modes get them.
  if (mode !== 'incremental' && random() < 0.3) return source.remove(stream, id);
  return source.put(stream, id, `text ${Math.floor(random() * 1000)}`);
}

async function compare(world: World, problems: string[]): Promise<void> {
  for (const stream of STREAMS) {
    const source = await world.parts.source.rows(stream);
    const stored = await world.parts.store.rows(stream);
    const missing = source.filter((row) => !stored.includes(row));
    const surplus = stored.filter((row) => !source.includes(row));
    if (missing.length > 0) problems.push(`${stream}: missing ${missing.join(', ')}`);
    if (surplus.length > 0) problems.push(`${stream}: surplus ${surplus.join(', ')}`);
    if (new Set(stored).size !== stored.length) problems.push(`${stream}: duplicates in ${stored.join(', ')}`);
  }
  const shadows = await world.parts.store.leftovers();
  if (shadows.length > 0) problems.push(`left behind: ${shadows.join(', ')}`);
  const active = await world.state.query('active');
  if (active.length > 0) problems.push('a run is still active');
}

/** Every history with exactly one fault: each kind at each call. */
export async function sweepSingles(
  scenario: Scenario,
): Promise<{ readonly histories: number; readonly failures: string[] }> {
  const { calls, problems } = await play(scenario, new Map(), 1);
  const failures = problems.map((problem) => `no fault: ${problem}`);
  let histories = 1;
  for (let call = 1; call <= calls; call++) {
    for (const injection of INJECTIONS) {
      const history = await play(scenario, new Map([[call, injection]]), 1);
      histories++;
      failures.push(...history.problems.map((problem) => `${injection} at call ${call}: ${problem}`));
    }
  }
  return { histories, failures };
}

/** Histories with `faults` faults at places that follow from their seeds. */
export async function sweepSeeds(scenario: Scenario, faults: number, seeds: number, first = 1): Promise<string[]> {
  const { calls } = await play(scenario, new Map(), 1);
  const failures: string[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const random = generator(seed * 7919);
    const plan = new Map<number, Injection>();
    while (plan.size < faults) {
      const injection = INJECTIONS[Math.floor(random() * INJECTIONS.length)] ?? 'crash-before';
      plan.set(1 + Math.floor(random() * calls), injection);
    }
    const history = await play(scenario, plan, seed);
    failures.push(...history.problems.map((problem) => `seed ${seed} (${describePlan(plan)}): ${problem}`));
  }
  return failures;
}

function describePlan(plan: ReadonlyMap<number, Injection>): string {
  return [...plan].map(([call, injection]) => `${injection} at ${call}`).join(', ');
}
