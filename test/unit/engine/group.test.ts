import { setImmediate } from 'node:timers/promises';
import type { Batch, RowBatch } from '../../../lib/core/batch';
import { BatchReader } from '../../../lib/engine/batch-reader';
import { Group, isAddition } from '../../../lib/engine/group';
import { memorySchema } from '../../memory/source';
import { gate } from './home';

const schema = memorySchema('orders');
const rows = (value: number, more: Partial<RowBatch> = {}): RowBatch => ({
  kind: 'rows',
  schema,
  after: { format: 1, value },
  rows: [],
  ...more,
});
const schemaOfOthers = memorySchema('orders');

/** A group over some batches, whose time is over when `end` is called. */
async function start(source: AsyncIterable<Batch>, batches = 10, rejectedEach = 0) {
  const reader = new BatchReader(source);
  let isOver = false;
  const timers = new Set<() => void>();
  const every = (_ms: number, work: () => void) => {
    timers.add(work);
    return () => timers.delete(work);
  };
  const rejected = Array.from({ length: rejectedEach }, () => ({ row: [], schema, reasons: [{ message: 'no' }] }));
  const first = (await reader.next()) as RowBatch;
  const group = new Group(first, reader, (batch) => ({ batch, rejected, skipped: 0 }), {
    batches,
    ms: 1000,
    every,
    isOver: () => isOver,
  });
  const given: unknown[] = [];
  const read = async () => {
    for await (const { batch } of group.additions()) given.push(batch.after.value);
    return given;
  };
  const leave = () => {
    isOver = true;
  };
  return { reader, group, given, read, timers, end: () => timers.forEach((work) => void work()), leave };
}

async function* from(...batches: readonly Batch[]): AsyncGenerator<Batch> {
  for (const batch of batches) {
    await setImmediate();
    yield batch;
  }
}

describe('a group of batches', () => {
  it('takes all to the end, and knows the last', async () => {
    const { read, group, reader, timers } = await start(from(rows(1), rows(2), rows(3)));
    expect(await read()).toEqual([1, 2, 3]);
    expect(group.last.after.value).toBe(3);
    expect(await reader.next()).toBeUndefined();
    expect(timers.size).toBe(0);
  });

  it('ends when it has as many as it may, and leaves the rest', async () => {
    const { read, reader } = await start(from(rows(1), rows(2), rows(3)), 2);
    expect(await read()).toEqual([1, 2]);
    expect((await reader.next())?.after.value).toBe(3);
  });

  it('ends at the next batch when the worker is to leave', async () => {
    const { read, reader, leave } = await start(from(rows(1), rows(2)));
    leave();
    expect(await read()).toEqual([1]);
    expect((await reader.next())?.after.value).toBe(2);
  });

  it('ends where many records were rejected, which are held', async () => {
    const { read, group } = await start(from(rows(1), rows(2), rows(3)), 10, 600);
    expect(await read()).toEqual([1, 2]);
    expect(group.rejected).toBe(1200);
  });

  it.each([
    ['changes', rows(2, { ops: new Uint8Array() })],
    ['another schema', rows(2, { schema: schemaOfOthers })],
    ['a truncation', { kind: 'truncate', schema, after: { format: 1, value: 2 } } as const],
  ])('ends before a batch of %s, which comes next', async (_what, other) => {
    const { read, reader } = await start(from(rows(1), other, rows(3)));
    expect(await read()).toEqual([1]);
    expect(await reader.next()).toBe(other);
    expect((await reader.next())?.after.value).toBe(3);
  });

  it('does not wait longer than its time for a slow source, and loses nothing', async () => {
    const { promise: held, letGo } = gate();
    async function* slow() {
      yield rows(1);
      await held;
      yield rows(2);
    }
    const { read, reader, end, given } = await start(slow());
    const reading = read();
    while (given.length === 0) await setImmediate();
    await setImmediate();
    end();
    expect(await reading).toEqual([1]);
    letGo();
    expect((await reader.next())?.after.value).toBe(2);
    expect(await reader.next()).toBeUndefined();
  });

  it('does not take a source for ended that fails after the group has left it waiting', async () => {
    const { promise: held, letGo: fail } = gate();
    async function* slow() {
      yield rows(1);
      await held;
      throw new Error('gone');
    }
    const { read, reader, end, given, group } = await start(slow());
    const reading = read();
    while (given.length === 0) await setImmediate();
    await setImmediate();
    end();
    expect(await reading).toEqual([1]);
    group.throwFailure();
    fail();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    await expect(reader.next()).rejects.toThrow('gone');
  });

  it('keeps what came before the source failed, and tells afterwards', async () => {
    async function* failing() {
      yield rows(1);
      yield rows(2);
      throw new Error('gone');
    }
    const { read, group } = await start(failing());
    expect(await read()).toEqual([1, 2]);
    expect(() => group.throwFailure()).toThrow('gone');
  });

  it('is made of whole records only', () => {
    expect(isAddition(rows(1))).toBe(true);
    expect(isAddition(rows(1, { ops: new Uint8Array() }))).toBe(false);
  });
});

describe('a reader of batches', () => {
  it('closes the source once, interrupting what is under way', async () => {
    let closed = 0;
    const { promise: held, letGo } = gate();
    async function* slow() {
      try {
        yield rows(1);
        await held;
      } finally {
        closed++;
      }
    }
    const reader = new BatchReader(slow());
    await reader.next();
    const pending = reader.next();
    await reader.close(letGo);
    await reader.close(() => expect('stopped twice').toBe(''));
    expect(await pending).toBeUndefined();
    expect(closed).toBe(1);
  });
});
