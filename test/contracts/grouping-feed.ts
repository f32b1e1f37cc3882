import type { Batch } from '../../lib/core/batch';
import type { Feed } from '../../lib/core/connector';
import type { Position } from '../../lib/core/position';

const GROUP = 6;

/**
 * Reads several batches at once and gives those of one stream after the other. All but the last carry the position before
 * them, which is right, or that after them, which is not.
 */
export function grouped(honest: Feed, within: 'before' | 'after'): Feed['read'] {
  return async function* (request) {
    let group: Batch[] = [];
    let before = request.from;
    // Somebody waits for each of them.
    const most = request.follow ? 1 : GROUP;
    for await (const batch of honest.read(request)) {
      group.push(batch);
      if (group.length < most) continue;
      yield* regrouped(group, before, within);
      before = batch.after;
      group = [];
    }
    yield* regrouped(group, before, within);
  };
}

function regrouped(group: readonly Batch[], before: Position, within: 'before' | 'after'): Batch[] {
  const streams = [...new Set(group.map(({ schema }) => schema.stream))];
  const after = group.at(-1)?.after ?? before;
  if (streams.length < 2) return [...group];
  const sorted = streams.flatMap((stream) => group.filter(({ schema }) => schema.stream === stream));
  return sorted.map((batch, index) => ({
    ...batch,
    after: within === 'after' || index === sorted.length - 1 ? after : before,
  }));
}
