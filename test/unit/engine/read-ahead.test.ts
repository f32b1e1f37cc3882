import { setImmediate } from 'node:timers/promises';
import type { Batch } from '../../../lib/core/batch';
import { readAhead } from '../../../lib/engine/read-ahead';
import { memorySchema } from '../../memory/source';

const schema = memorySchema('orders');
const rows = (value: number): Batch => ({ kind: 'rows', schema, after: { format: 1, value }, rows: [] });
const bytes = (value: number): Batch => ({
  kind: 'bytes',
  schema,
  after: { format: 1, value },
  format: 'csv',
  body: (async function* () {
    yield new Uint8Array();
  })(),
});

/** A source that counts what is asked of it, and whether it was closed. */
function source(make: (value: number) => Batch, count = 5, failAt = -1) {
  const seen = { asked: 0, closed: 0, stopped: 0 };
  async function* generate(): AsyncGenerator<Batch> {
    try {
      for (let value = 0; value < count; value++) {
        seen.asked++;
        await setImmediate();
        if (value === failAt) throw new Error(`failed at ${value}`);
        yield make(value);
      }
    } finally {
      seen.closed++;
    }
  }
  return { seen, batches: () => readAhead(generate(), () => void seen.stopped++) };
}

describe('readAhead', () => {
  it.each([
    ['rows', rows],
    ['bytes', bytes],
  ])('gives every batch of %s in order, and neither stops nor repeats', async (_kind, make) => {
    const { seen, batches } = source(make);
    const given: unknown[] = [];
    for await (const batch of batches()) given.push(batch.after.value);
    expect(given).toEqual([0, 1, 2, 3, 4]);
    expect(seen).toEqual({ asked: 5, closed: 1, stopped: 0 });
  });

  it('asks for one more batch of rows while one is written, and not for two', async () => {
    const { seen, batches } = source(rows);
    const iterator = batches();
    await iterator.next();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(seen.asked).toBe(2);
    await iterator.return(undefined);
  });

  it('does not ask for more before a batch of bytes was consumed', async () => {
    const { seen, batches } = source(bytes);
    const iterator = batches();
    await iterator.next();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(seen.asked).toBe(1);
    await iterator.return(undefined);
  });

  it.each([
    ['rows', rows],
    ['bytes', bytes],
  ])('stops and closes the source of %s when the reader leaves early', async (_kind, make) => {
    const { seen, batches } = source(make);
    for await (const _batch of batches()) break;
    expect(seen).toMatchObject({ closed: 1, stopped: 1 });
  });

  it('stops and closes the source when the reader fails, and the reader keeps its error', async () => {
    const { seen, batches } = source(rows);
    const read = async () => {
      for await (const _batch of batches()) throw new Error('disk full');
    };
    await expect(read()).rejects.toThrow('disk full');
    expect(seen).toMatchObject({ closed: 1, stopped: 1 });
  });

  it('gives the batches before an error, then the error, once', async () => {
    const { seen, batches } = source(rows, 5, 2);
    const given: unknown[] = [];
    const read = async () => {
      for await (const batch of batches()) given.push(batch.after.value);
    };
    await expect(read()).rejects.toThrow('failed at 2');
    expect(given).toEqual([0, 1]);
    expect(seen).toMatchObject({ closed: 1, stopped: 0 });
  });

  it('leaves no rejection behind when the read-ahead fails after the reader has left', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const { seen, batches } = source(rows, 5, 1);
      for await (const _batch of batches()) {
        for (let turn = 0; turn < 5; turn++) await setImmediate();
        break;
      }
      for (let turn = 0; turn < 10; turn++) await setImmediate();
      expect(seen.closed).toBe(1);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });
});
