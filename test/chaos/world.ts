import { FINAL_STATES, type Run } from '../../lib/core/run';
import { Redactor } from '../../lib/core/secret';
import { createEngine, type Engine } from '../../lib/engine/engine';
import { ManualClock } from '../memory/clock';
import { MemoryQueue } from '../memory/queue';
import { memoryScheduler, silentLog } from '../memory/scheduler';
import { MemorySecrets } from '../memory/secrets';
import { MemoryStateStore } from '../memory/state';
import type { CallClock } from './call-clock';
import { Crash, type Injector, type SimulatedProcess } from './injector';
import { INTEGRATION, type Parts } from './parts';
import { generator } from './random';

const LEASE_MS = 60_000;
const MOST_STEPS = 2000;
const GROUP_MS = 1000;

/** How a simulated system is set up. */
export interface Setup {
  readonly mode: 'full' | 'incremental' | 'changes';
  /** Workers that advance at the same time in each process. */
  readonly workers: number;
  readonly processes: number;
  /** Transactions of many batches end by the clock, at any batch; else after two. */
  readonly clocked?: boolean;
}

interface Member {
  readonly process: SimulatedProcess;
  readonly engine: Engine;
  /** What the process holds open; closed by the operating system when it dies. */
  readonly open: { close(): Promise<void> }[];
}

/** A source, a destination and a state that outlive the simulated processes which work on them. */
export class World {
  readonly parts: Parts;
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly queue = new MemoryQueue(this.clock, { maxReceives: 20 });
  readonly state = new MemoryStateStore(this.clock);
  readonly setup: Setup;
  readonly #injector: Injector;
  readonly #timers: CallClock;
  readonly #random: () => number;
  #members: Member[] = [];
  #started = 0;

  constructor(setup: Setup, parts: Parts, injector: Injector, timers: CallClock, seed: number) {
    this.setup = setup;
    this.#timers = timers;
    this.parts = parts;
    this.#injector = injector;
    this.#random = generator(seed);
  }

  async begin(): Promise<void> {
    for (let index = 0; index < this.setup.processes; index++) await this.#startProcess();
    await this.#ask((engine) =>
      engine.service.create({
        ...this.parts.source.document,
        name: INTEGRATION,
        sync_settings: { parallel: 2, batch_size: this.setup.clocked ? 1 : 2 },
        sync_strategy: STRATEGIES[this.setup.mode],
      }),
    );
  }

  /** Asks for a sync as a patient client does, and works until it has ended. */
  async sync(label: string): Promise<Run> {
    const request = { trigger: 'manual', whenRunning: 'queue', idempotencyKey: label } as const;
    const run = await this.#ask((engine) => engine.service.sync(INTEGRATION, request));
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const now = await this.#ask((engine) => engine.service.run(run.id));
      if (FINAL_STATES.includes(now.state)) return now;
      await this.#work();
    }
    throw new Error(`stuck: ${run.id} did not end within ${MOST_STEPS} steps`);
  }

  /** Works until no message is left, so that nothing is forgotten after the last run. */
  async drain(): Promise<void> {
    let idle = 0;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      await this.clock.jump(LEASE_MS);
      idle = (await this.#work()) ? 0 : idle + 1;
      // Looking for what was left behind sends a message itself, so one idle round proves nothing.
      if (idle === 3) return;
    }
    throw new Error('stuck: there is always a message left');
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await closeAll(this.#members.splice(0));
  }

  async #startProcess(): Promise<void> {
    for (;;) {
      const process: SimulatedProcess = { name: `p${this.#started}`, dead: false };
      const open: Member['open'] = [];
      const engine = this.#engine(process, `process-${this.#started++}`, open);
      try {
        if (this.setup.processes === 1) await this.queue.resetVisibility();
        await engine.recover();
        this.#members.push({ process, engine, open });
        return;
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
    }
  }

  #engine(process: SimulatedProcess, owner: string, open: Member['open']): Engine {
    const wrap = <T extends object>(name: string, target: T) => this.#injector.wrap(process, name, target);
    const held = <T extends { close(): Promise<void> }>(name: string, target: T) => {
      open.push(target);
      return wrap(name, target);
    };
    const connector = this.parts.source.connector((source) => held('source', source));
    return createEngine(
      {
        state: wrap('state', this.state),
        queue: wrap('queue', this.queue),
        scheduler: wrap('scheduler', memoryScheduler(this.clock)),
        secrets: new MemorySecrets({}),
        clock: this.clock,
        log: silentLog,
        redactor: new Redactor(),
        random: this.#random,
        loadConnector: async () => connector,
        connectorTypes: [connector.type],
        openDestination: async (context) => held('destination', await this.parts.store.open(context)),
        every: (ms, work) => {
          const isOfGroup = this.setup.clocked === true && ms === GROUP_MS;
          return isOfGroup ? this.#timers.every(() => process.dead || work()) : () => undefined;
        },
      },
      {
        owner,
        group: { batches: this.setup.clocked ? Number.POSITIVE_INFINITY : 2, ms: GROUP_MS },
        leaseMs: LEASE_MS,
        exclusive: this.setup.processes === 1,
        parallel: 2,
        maxAttempts: 8,
      },
    );
  }

  /** One request to a living process; a client repeats it when it fails. */
  async #ask<T>(request: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const [member] = this.#members;
      if (member === undefined) {
        await this.#startProcess();
        continue;
      }
      try {
        return await request(member.engine);
      } catch (error) {
        if ((error as { readonly code?: string }).code === 'already_exists') return undefined as T;
        if (!isExpected(error)) throw error;
        await this.#bury();
      }
    }
  }

  async #work(): Promise<boolean> {
    const steps = this.#members.flatMap((member) =>
      Array.from({ length: this.setup.workers }, () => member.engine.step(0, NEVER).catch(expected)),
    );
    const busy = (await Promise.all(steps)).some(Boolean);
    await this.#bury();
    if (busy) return true;
    // Nothing to do now: time goes on, and the home looks for what was left behind, as it does every minute.
    await this.clock.jump(LEASE_MS / 4);
    for (const member of this.#members) await member.engine.recover().catch(expected);
    await this.#bury();
    return false;
  }

  async #bury(): Promise<void> {
    const dead = this.#members.filter((member) => member.process.dead);
    this.#members = this.#members.filter((member) => !member.process.dead);
    await closeAll(dead);
    for (let index = 0; index < dead.length; index++) await this.#startProcess();
  }
}

async function closeAll(members: readonly Member[]): Promise<void> {
  // The engine has closed some of them already, and a second time may be refused.
  for (const member of members) await Promise.allSettled(member.open.splice(0).map((target) => target.close()));
}

const STRATEGIES = {
  full: { type: 'full' },
  incremental: { type: 'incremental', timestamp_field: 'changed' },
  changes: { type: 'cdc' },
};

const NEVER = new AbortController().signal;

function expected(error: unknown): true {
  if (!isExpected(error)) throw error;
  return true;
}

/** What an injection may surface as: itself, or a fault that it caused. */
function isExpected(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Crash || (cause as { readonly code?: string }).code === 'injected') return true;
  }
  return false;
}
