import { FINAL_STATES } from '../core/run';
import { type EngineContext, isHeld, newLease } from './context';
import { json, list, read, type Stored, update } from './records';
import {
  FEED,
  keys,
  type Lease,
  RUN_RETENTION_MS,
  type RunItem,
  type SliceItem,
  type StreamItem,
  streamOf,
} from './state';

/** What a worker does next for a run. A claimed stream or slice carries this worker's lease. */
export type Task =
  | { readonly kind: 'prepare' | 'finish'; readonly stream: StreamItem }
  | { readonly kind: 'slice'; readonly stream: StreamItem; readonly index: number; readonly item: SliceItem }
  | { readonly kind: 'close'; readonly stream: StreamItem }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'none' };

/** A piece of work that this worker holds. */
export type Claimed = Extract<Task, { readonly kind: 'prepare' | 'finish' | 'slice' }>;

const PAGE = 50;

/** Where a worker goes on searching: behind the streams that it has passed. */
export interface SearchStart {
  after?: string;
}

/**
 * Claims the first piece of work of a run that nobody holds: from `start` on in the order of its streams, and then from
 * the first one. `start` is moved on, so that streams which wait are not looked at again for every piece of work.
 */
export async function nextTask(
  context: EngineContext,
  run: RunItem,
  parallel: number,
  start: SearchStart,
): Promise<Task> {
  const search = new Search(context, run, parallel);
  const begun = start.after;
  const rest = await searchFrom(context, run, search, start);
  if (rest || begun === undefined) return rest ?? search.nothing();
  delete start.after;
  return (await searchFrom(context, run, search, start, begun)) ?? search.nothing();
}

async function searchFrom(
  context: EngineContext,
  run: RunItem,
  search: Search,
  start: SearchStart,
  until?: string,
): Promise<Task | undefined> {
  for (;;) {
    const { after } = start;
    const query = { prefix: keys.openPrefix, limit: PAGE, ...(after !== undefined && { after }) };
    const page = await list(context.ports.state, keys.parts(run.id), query);
    for (const { key } of page) {
      if (search.crowded) return search.nothing();
      const task = await search.claim(streamOf(key.sort));
      if (task) return task;
      if (until !== undefined && key.sort >= until) return undefined;
      start.after = key.sort;
    }
    if (page.length < PAGE) return undefined;
  }
}

class Search {
  readonly #context: EngineContext;
  readonly #run: RunItem;
  readonly #parallel: number;
  #held = 0;
  #waitUntil = Number.POSITIVE_INFINITY;

  constructor(context: EngineContext, run: RunItem, parallel: number) {
    this.#context = context;
    this.#run = run;
    this.#parallel = parallel;
  }

  /** As many workers as allowed are busy with this run. */
  get crowded(): boolean {
    return this.#held >= this.#parallel;
  }

  nothing(): Task {
    return Number.isFinite(this.#waitUntil) ? { kind: 'wait', until: this.#waitUntil } : { kind: 'none' };
  }

  async claim(name: string): Promise<Task | undefined> {
    const stored = await read<StreamItem>(this.#context.ports.state, keys.stream(this.#run.id, name));
    if (stored === undefined) return undefined;
    const stream = stored.value;
    if (FINAL_STATES.includes(stream.state)) return { kind: 'close', stream };
    if (name === FEED && (await this.#othersOpen())) return undefined;
    if (this.#isTaken(stream.lease)) return undefined;
    if (this.#mustWait(stream.retryAt) || this.#isReserved(stream)) return undefined;
    if (stream.parts === undefined) return this.#claimStream(stored, 'prepare');
    const slices = await this.#slices(stream);
    if (slices.every((slice) => slice?.done)) return this.#claimStream(stored, 'finish');
    return this.#claimSlice(stream, slices);
  }

  /** Changes are applied after every stream was read once. */
  async #othersOpen(): Promise<boolean> {
    const open = await this.#context.ports.state.query(keys.parts(this.#run.id), { prefix: keys.openPrefix, limit: 2 });
    return open.length > 1;
  }

  /** Another process that dies takes its message with it, so its leases are waited for. */
  #isTaken(lease: Lease | undefined): boolean {
    if (lease === undefined || !isHeld(this.#context, lease)) return false;
    this.#held++;
    if (!lease.owner.startsWith(`${this.#context.options.owner}/`)) this.#mustWait(lease.until);
    return true;
  }

  #mustWait(until: number): boolean {
    if (until <= this.#context.ports.clock.now()) return false;
    this.#waitUntil = Math.min(this.#waitUntil, until);
    return true;
  }

  #isReserved({ reserved }: StreamItem): boolean {
    if (reserved === undefined || reserved.owner.startsWith(`${this.#context.options.owner}/`)) return false;
    return this.#mustWait(reserved.until);
  }

  async #slices(stream: StreamItem): Promise<(SliceItem | undefined)[]> {
    const prefix = keys.slicePrefix(stream.stream, stream.restarts);
    const known = await list<SliceItem>(this.#context.ports.state, keys.parts(this.#run.id), { prefix });
    const byIndex = new Map(known.map((slice) => [Number(slice.key.sort.slice(prefix.length)), slice.value]));
    return (stream.parts ?? []).map((_, index) => byIndex.get(index));
  }

  async #claimStream(stored: Stored<StreamItem>, kind: 'prepare' | 'finish'): Promise<Task | undefined> {
    const lease = newLease(this.#context);
    const stream = { ...stored.value, lease, state: 'running' as const };
    const revision = await this.#context.ports.state.put(
      stored.key,
      json({ ...stream, startedAt: stream.startedAt ?? this.#context.ports.clock.now() }),
      stored.revision,
      this.#run.createdAt + RUN_RETENTION_MS,
    );
    if (revision !== undefined) return { kind, stream };
    this.#held++;
    return undefined;
  }

  async #claimSlice(stream: StreamItem, slices: readonly (SliceItem | undefined)[]): Promise<Task | undefined> {
    for (const [index, slice] of slices.entries()) {
      if (slice?.done) continue;
      if (this.crowded) return undefined;
      if (this.#isTaken(slice?.lease)) continue;
      if (slice && this.#mustWait(slice.retryAt)) continue;
      const item = await this.#takeSlice(stream, index);
      if (item) return { kind: 'slice', stream, index, item };
      this.#held++;
    }
    return undefined;
  }

  async #takeSlice(stream: StreamItem, index: number): Promise<SliceItem | undefined> {
    const { state } = this.#context.ports;
    const fence = await nextFence(this.#context, this.#run.integration, stream.stream);
    const lease = newLease(this.#context);
    const { value, changed } = await update<SliceItem>(
      state,
      keys.slice(this.#run.id, stream.stream, stream.restarts, index),
      (current) => {
        if (current && (current.done || isHeld(this.#context, current.lease))) return undefined;
        return { ...(current ? { ...current, resumed: true } : NEW_SLICE), lease, fence };
      },
      this.#run.createdAt + RUN_RETENTION_MS,
    );
    return changed ? value : undefined;
  }
}

const NEW_SLICE: Omit<SliceItem, 'lease'> = {
  fence: 0,
  done: false,
  rows: 0,
  bytes: 0,
  quarantined: 0,
  skipped: 0,
  retries: 0,
  attempts: 0,
  retryAt: 0,
  rowsOnly: false,
  changes: [],
};

/**
 * A number higher than all that were given for the stream before. It is not below the time in milliseconds, so that it
 * stays above what the destination has seen even when the state was lost.
 */
export async function nextFence(context: EngineContext, integration: string, stream: string): Promise<number> {
  const { value } = await update<number>(context.ports.state, keys.fence(integration, stream), (current) =>
    Math.max((current ?? 0) + 1, context.ports.clock.now()),
  );
  return value ?? 0;
}
