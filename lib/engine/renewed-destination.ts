import type { Batch } from '../core/batch';
import type { Destination } from '../core/destination';
import type { QuarantineStore } from '../core/quarantine';
import { checkRenewing, type Renewing } from './renewing';

/** A destination whose login is made again with other values of its secrets when it is refused. */
export async function renewedDestination(renewing: Renewing<Destination>): Promise<Destination> {
  const { accepts, append, lookup, quarantine } = (await renewing.current()).opened;
  return {
    accepts,
    check: (signal) => checkRenewing(renewing, signal),
    prepare: (slice, next) => renewing.use((destination) => destination.prepare(slice, next)),
    claim: (slice, fence) => renewing.use((destination) => destination.claim(slice, fence)),
    write: (batch, slice, options) => {
      const [watched, isUnread] = watchBody(batch);
      return renewing.use((destination) => destination.write(watched, slice, options), isUnread);
    },
    ...(append && {
      append: (additions, slice, options) => {
        const [watched, isUnread] = watch(additions);
        return renewing.use(
          (destination) => (destination.append ?? append).call(destination, watched, slice, options),
          isUnread,
        );
      },
    }),
    publish: (stream, load, options) => renewing.use((destination) => destination.publish(stream, load, options)),
    discard: (stream, load) => renewing.use((destination) => destination.discard(stream, load)),
    seed: (...given) => renewing.use((destination) => destination.seed(...given)),
    quarantined: (query) => renewing.use((destination) => destination.quarantined(query)),
    ...(quarantine && { quarantine: renewedQuarantine(renewing, quarantine) }),
    ...(lookup && {
      lookup: (request) => renewing.use((destination) => (destination.lookup ?? lookup).call(destination, request)),
    }),
    drop: () => renewing.use((destination) => destination.drop()),
    close: () => renewing.close(),
  };
}

function renewedQuarantine(renewing: Renewing<Destination>, first: QuarantineStore): QuarantineStore {
  const use = <T>(work: (quarantine: QuarantineStore) => Promise<T>) =>
    renewing.use((destination) => work(destination.quarantine ?? first));
  return {
    entries: (filter, page) => use((quarantine) => quarantine.entries(filter, page)),
    remove: (filter) => use((quarantine) => quarantine.remove(filter)),
    edit: (id, fields) => use((quarantine) => quarantine.edit(id, fields)),
    prune: (bounds, signal) => use((quarantine) => quarantine.prune(bounds, signal)),
    replay: (request) => use((quarantine) => quarantine.replay(request)),
  };
}

function watchBody(batch: Batch): [Batch, () => boolean] {
  if (batch.kind !== 'bytes') return [batch, () => true];
  const [body, isUnread] = watch(batch.body);
  return [{ ...batch, body }, isUnread];
}

/** The same items, and whether nobody has begun to take them: they can be taken only once. */
function watch<T>(items: AsyncIterable<T>): [AsyncIterable<T>, () => boolean] {
  let begun = false;
  const watched = {
    [Symbol.asyncIterator]() {
      begun = true;
      return items[Symbol.asyncIterator]();
    },
  };
  return [watched, () => !begun];
}
