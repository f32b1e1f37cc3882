import { messageOf } from '../core/fault';
import type { Delivery } from '../core/ports';
import type { EngineContext } from './context';
import { read, update } from './records';
import { keys, RUN_RETENTION_MS, type RunItem, type SliceItem, type StreamItem } from './state';
import type { Claimed } from './tasks';

const BEATS_PER_LEASE = 3;

/** Keeps a worker's message hidden, and its lease alive, for as long as it works. */
export interface Heartbeat {
  /** From now on the lease of this piece of work is renewed; `lost` is aborted when somebody else has taken it. */
  hold(run: RunItem, task: Claimed, lost: AbortController): void;
  letGo(): void;
  end(): void;
}

interface Held {
  readonly run: RunItem;
  readonly task: Claimed;
  readonly lost: AbortController;
}

/** Begins to renew the message, and what is held, several times in the length of a lease. */
export function startHeartbeat(context: EngineContext, id: string, delivery: Delivery): Heartbeat {
  const { leaseMs } = context.options;
  let held: Held | undefined;
  const beat = async () => {
    await context.ports.queue.extend(delivery.receipt, leaseMs);
    const now = held;
    if (now && !(await renew(context, now)) && held === now) now.lost.abort();
    const run = await read<RunItem>(context.ports.state, keys.run(id));
    if (run?.value.cancelRequested) context.cancellations.get(id)?.abort();
  };
  const stop = context.ports.every(leaseMs / BEATS_PER_LEASE, () => {
    beat().catch((error) => context.ports.log.warn('renewing a lease failed', { run: id, error: messageOf(error) }));
  });
  return {
    hold(run, task, lost) {
      held = { run, task, lost };
    },
    letGo() {
      held = undefined;
    },
    end: stop,
  };
}

async function renew(context: EngineContext, { run, task }: Held): Promise<boolean> {
  const { state, clock } = context.ports;
  const until = clock.now() + context.options.leaseMs;
  const { stream } = task;
  const lease = task.kind === 'slice' ? task.item.lease : stream.lease;
  const key =
    task.kind === 'slice'
      ? keys.slice(run.id, stream.stream, stream.restarts, task.index)
      : keys.stream(run.id, stream.stream);
  const { changed } = await update<SliceItem | StreamItem>(
    state,
    key,
    (current) => {
      if (current?.lease === undefined || current.lease.owner !== lease?.owner) return undefined;
      return { ...current, lease: { ...current.lease, until } };
    },
    run.createdAt + RUN_RETENTION_MS,
  );
  return changed;
}
