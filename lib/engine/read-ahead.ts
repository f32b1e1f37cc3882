import type { Batch } from '../core/batch';

/**
 * Asks for the next batch of rows while the current one is written. A batch of bytes is a stream that the source is
 * still feeding, so the next one is asked for only when it was consumed. On leaving early, `stop` interrupts a read
 * that is under way, and the source's generator is closed before this ends.
 */
export async function* readAhead(batches: AsyncIterable<Batch>, stop: () => void): AsyncGenerator<Batch> {
  const iterator = batches[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<Batch>> | undefined;
  let finished = false;
  try {
    for (;;) {
      const result: IteratorResult<Batch> = await (next ?? iterator.next());
      next = undefined;
      if (result.done) {
        finished = true;
        return;
      }
      if (result.value.kind === 'rows') {
        next = iterator.next();
        // Handled when it is awaited; this only keeps an early failure from being reported as unhandled.
        next.catch(() => undefined);
      }
      yield result.value;
    }
  } catch (error) {
    finished = true;
    throw error;
  } finally {
    if (!finished) {
      stop();
      await iterator.return?.();
    }
  }
}
