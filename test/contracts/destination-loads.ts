import type { Row, RowBatch } from '../../lib/core/batch';
import type { Addition, Rejection } from '../../lib/core/destination';
import { Fault } from '../../lib/core/fault';
import type { SliceKey } from '../../lib/core/position';
import { type Harness, options, orders, position, rowBatch, signal } from './destination-harness';

async function* additionsOf(
  batches: readonly RowBatch[],
  rejected: readonly Rejection[] = [],
): AsyncGenerator<Addition> {
  for (const [place, batch] of batches.entries()) yield { batch, rejected: place === 0 ? rejected : [] };
}

/** Registers the tests of loads: prepare, publish, discard. */
export function loadContract({ start, pairs }: Harness): void {
  describe('loads', () => {
    async function load(started: Awaited<ReturnType<Harness['start']>>, name: string, rows: Row[], schema = orders()) {
      const slice: SliceKey = { ...started.slice, partition: 'part-1', load: name };
      await started.destination.prepare(slice, schema);
      await started.destination.claim(slice, 1);
      await started.destination.write(rowBatch(schema, rows, name), slice, options());
      return slice;
    }

    it('shows nothing before it is published, all after, and can be published again', async () => {
      const started = await start();
      const { destination, slice, read } = started;
      await load(started, 'one', [
        [1n, 'a'],
        [2n, 'b'],
      ]);
      expect((await read()) ?? []).toEqual([]);
      const first = await destination.publish(orders(), 'one', { next: position('from here'), signal });
      expect(first.rows).toBe(2);
      expect(pairs(await read())).toEqual(['1=a', '2=b']);
      expect(await destination.claim(slice, 1)).toEqual(position('from here'));
      await destination.write(rowBatch(orders(), [[3n, 'c']], 'on'), slice, options());
      expect(await destination.publish(orders(), 'one', { next: position('from here'), signal })).toEqual(first);
      expect(pairs(await read())).toEqual(['1=a', '2=b', '3=c']);
      expect(await destination.claim(slice, 1)).toEqual(position('on'));
    });

    it('replaces all rows, and removes the position of the increments when there is no next one', async () => {
      const started = await start();
      const { destination, slice, read } = started;
      await load(started, 'one', [[1n, 'a']]);
      await destination.publish(orders(), 'one', { next: position(1), signal });
      await load(started, 'two', [[2n, 'b']]);
      expect(pairs(await read())).toEqual(['1=a']);
      await destination.publish(orders(), 'two', { signal });
      expect(pairs(await read())).toEqual(['2=b']);
      expect(await destination.claim(slice, 1)).toBeUndefined();
    });

    it('adds many batches with the position of the last, or none of them', async () => {
      const { destination, slice, read } = await start();
      const { append } = destination;
      if (!append) return;
      const schema = orders();
      const part: SliceKey = { ...slice, partition: 'part-1', load: 'many' };
      await destination.prepare(part, schema);
      await destination.claim(part, 1);
      const batches = [1, 2, 3].map((value) => rowBatch(schema, [[BigInt(value), `row ${value}`]], value));
      const add = (additions: AsyncIterable<Addition>, fence = 1) =>
        append.call(destination, additions, part, options(fence));
      async function* failing() {
        yield* additionsOf(batches);
        throw new Fault('transient', 'source_gone', 'reading orders: gone');
      }
      await expect(add(failing())).rejects.toMatchObject({ code: 'source_gone' });
      await expect(add(additionsOf(batches), 0)).rejects.toMatchObject({ code: 'fenced' });
      expect(await destination.claim(part, 1)).toBeUndefined();
      const rejected = [{ row: [4n, 'bad'], schema, reasons: [{ message: 'a rule says no' }] }];
      expect(await add(additionsOf(batches, rejected))).toMatchObject({ rows: 3, quarantined: 0 });
      expect(await destination.claim(part, 1)).toEqual(position(3));
      expect(await destination.publish(schema, 'many', { signal })).toMatchObject({ rows: 3 });
      expect(pairs(await read())).toEqual(['1=row 1', '2=row 2', '3=row 3']);
    });

    it('keeps one record of each key, the last written', async () => {
      const started = await start();
      await load(started, 'one', [
        [1n, 'a'],
        [2n, 'b'],
        [1n, 'c'],
      ]);
      const { rows, notes } = await started.destination.publish(orders(), 'one', { signal });
      expect(rows).toBe(2);
      expect(notes.join()).toMatch(/key/);
      expect(pairs(await started.read())).toEqual(['1=c', '2=b']);
    });

    it('forgets the positions of a load when it is published or discarded, and shuts its writers out', async () => {
      const started = await start();
      for (const end of ['publish', 'discard'] as const) {
        const slice = await load(started, end, [[1n, 'a']]);
        if (end === 'publish') await started.destination.publish(orders(), end, { signal });
        else await started.destination.discard('orders', end);
        const late = started.destination.write(rowBatch(orders(), [[2n, 'late']]), slice, options());
        await expect(late).rejects.toMatchObject({ kind: 'lost' });
        await expect(started.destination.claim(slice, 1)).rejects.toMatchObject({ kind: 'lost' });
      }
      expect(pairs(await started.read())).toEqual(['1=a']);
    });

    it('discards again and again, also what never was; a discarded load cannot be published', async () => {
      const started = await start();
      await load(started, 'one', [[1n, 'a']]);
      for (const name of ['one', 'one', 'never']) await started.destination.discard('orders', name);
      await expect(started.destination.publish(orders(), 'one', { signal })).rejects.toMatchObject({ kind: 'lost' });
      expect((await started.read()) ?? []).toEqual([]);
    });

    it('keeps what the load no longer found, marked, where deletes are soft', async () => {
      const started = await start({ deletes: 'soft' });
      await load(started, 'one', [
        [1n, 'a'],
        [2n, 'b'],
      ]);
      await started.destination.publish(orders(), 'one', { signal });
      await load(started, 'two', [[2n, 'B']]);
      await started.destination.publish(orders(), 'two', { signal });
      expect(pairs(await started.read())).toEqual(['2=B']);
    });
  });
}
