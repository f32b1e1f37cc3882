import type { Batch } from '../core/batch';
import type { Feed, Source } from '../core/connector';
import { Fault } from '../core/fault';
import { type Attempt, checkRenewing, type Renewing } from './renewing';

/** A source whose login is made again with other values of its secrets when it is refused, whichever call finds that out. */
export async function renewedSource(renewing: Renewing<Source>): Promise<Source> {
  const { partitions, scan, feed } = (await renewing.current()).opened;
  return {
    check: (signal) => checkRenewing(renewing, signal),
    discover: (signal) => renewing.use((source) => source.discover(signal)),
    ...(partitions && {
      partitions: (request) => renewing.use((source) => able(source.partitions?.(request))),
    }),
    ...(scan && {
      scan: (request) => renewedBatches(renewing, (source) => able(source.scan?.(request))),
    }),
    ...(feed && { feed: renewedFeed(renewing, feed) }),
    close: () => renewing.close(),
  };
}

function renewedFeed(renewing: Renewing<Source>, { resume, forget }: Feed): Feed {
  return {
    resume,
    head: (request) => renewing.use((source) => able(source.feed).head(request)),
    read: (request) => renewedBatches(renewing, (source) => able(source.feed).read(request)),
    acknowledge: (position) => renewing.use((source) => able(source.feed).acknowledge(position)),
    ...(forget && { forget: (signal) => renewing.use((source) => able(source.feed?.forget?.(signal))) }),
  };
}

async function* renewedBatches(
  renewing: Renewing<Source>,
  read: (source: Source) => AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  let begun = false;
  for (;;) {
    const attempt = await renewing.current();
    try {
      for await (const batch of read(attempt.opened)) {
        begun = true;
        renewing.accepted(attempt);
        yield batch.kind === 'bytes' ? { ...batch, body: renewedBody(renewing, attempt, batch.body) } : batch;
      }
      return;
    } catch (error) {
      await renewing.refused(attempt, error, !begun);
    }
  }
}

async function* renewedBody(renewing: Renewing<Source>, attempt: Attempt<Source>, body: AsyncIterable<Uint8Array>) {
  try {
    yield* body;
  } catch (error) {
    await renewing.refused(attempt, error, false);
  }
}

/** Whatever one source of a connector can do, the next can. */
function able<T>(ability: T | undefined): T {
  if (ability !== undefined) return ability;
  throw new Fault('bug', 'ability_lost', 'reading: a source that was opened anew can do less than before');
}
