import { openDatabase, type StateDatabase } from '../../lib/adapters/embedded/database';
import { SqliteStateStore } from '../../lib/adapters/embedded/state';
import { systemClock } from '../../lib/core/system-clock';
import { list, read } from '../../lib/engine/records';
import { keys, type Lease, type RunItem, type SliceItem, type StreamItem } from '../../lib/engine/state';

/** What a process is doing with an integration, by the leases that it holds. `idle`: it holds none. */
export type Phase = 'start' | 'planning' | 'load' | 'increment' | 'publish' | 'idle';

const BUSIEST: readonly Phase[] = ['publish', 'load', 'increment', 'planning'];

/** Reads the state file of a data folder from beside its owner. */
export class RunObserver {
  readonly #database: StateDatabase;
  readonly #state: SqliteStateStore;

  constructor(dataFolder: string) {
    this.#database = openDatabase(`${dataFolder}/state.db`);
    this.#state = new SqliteStateStore(this.#database, systemClock);
  }

  /** What the process `pid` is doing, or was when it was killed. */
  async phase(integration: string, pid: number): Promise<Phase> {
    const active = await read<string>(this.#state, keys.active(integration));
    if (active === undefined) return 'idle';
    const run = await read<RunItem>(this.#state, keys.run(active.value));
    if (run === undefined) return 'start';
    const phases = await this.#held(active.value, (lease) => lease?.owner.startsWith(`embedded/${pid}/`) === true);
    const busiest = BUSIEST.find((phase) => phases.has(phase));
    if (busiest) return busiest;
    return run.value.planned ? 'start' : run.value.state === 'running' ? 'planning' : 'start';
  }

  /** Whether a run goes on, or was left behind. */
  async isActive(integration: string): Promise<boolean> {
    return (await read<string>(this.#state, keys.active(integration))) !== undefined;
  }

  close(): void {
    this.#database.close();
  }

  async #held(run: string, isOurs: (lease: Lease | undefined) => boolean): Promise<Set<Phase>> {
    const streams = await list<StreamItem>(this.#state, keys.parts(run), { prefix: keys.streamPrefix });
    const phases = new Set<Phase>();
    for (const { value: stream } of streams) {
      if (isOurs(stream.lease)) phases.add(stream.parts === undefined ? 'planning' : 'publish');
      const prefix = keys.slicePrefix(stream.stream, stream.restarts);
      for (const { value: slice } of await list<SliceItem>(this.#state, keys.parts(run), { prefix })) {
        if (!slice.done && isOurs(slice.lease)) phases.add(stream.load === undefined ? 'increment' : 'load');
      }
    }
    return phases;
  }
}
