import { type Batch, Op, type Row, UNCHANGED } from '../../lib/core/batch';
import { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import {
  column,
  type DestinationFixture,
  type Harness,
  options,
  orders,
  position,
  rowBatch,
} from './destination-harness';

/** Registers the tests of `write`. */
export function writingContract(fixture: () => DestinationFixture, { startWriting, pairs }: Harness): void {
  describe('write', () => {
    it('upserts by key; the last change of a key wins inside a batch and between batches', async () => {
      const { write, read, schema } = await startWriting();
      const twice = await write(
        rowBatch(schema, [
          [1n, 'a'],
          [2n, 'b'],
          [1n, 'c'],
        ]),
      );
      expect(twice).toMatchObject({ rows: 3, quarantined: 0 });
      await write(
        rowBatch(
          schema,
          [
            [2n, 'd'],
            [3n, 'e'],
          ],
          2,
        ),
      );
      expect(pairs(await read())).toEqual(['1=c', '2=d', '3=e']);
    });

    it('applies operations in order', async () => {
      const { write, read, schema } = await startWriting();
      await write(
        rowBatch(schema, [
          [1n, 'a'],
          [2n, 'b'],
          [3n, 'c'],
        ]),
      );
      const { Insert, Update, Delete } = Op;
      await write(
        rowBatch(
          schema,
          [
            [1n, 'x'],
            [1n, null],
            [2n, null],
            [2n, 'again'],
            [3n, 'y'],
            [4n, 'new'],
            [5n, 'gone'],
            [5n, null],
          ],
          2,
          [Update, Delete, Delete, Insert, Update, Insert, Insert, Delete],
        ),
      );
      expect(pairs(await read())).toEqual(['2=again', '3=y', '4=new']);
    });

    it('changes nothing when any suffix is written again', async () => {
      const { write, read, schema } = await startWriting();
      const batches = [
        rowBatch(schema, [
          [1n, 'a'],
          [2n, 'b'],
        ]),
        rowBatch(
          schema,
          [
            [1n, 'c'],
            [2n, null],
          ],
          2,
          [Op.Update, Op.Delete],
        ),
      ];
      for (const batch of [...batches, ...batches, ...batches.slice(1)]) await write(batch);
      expect(pairs(await read())).toEqual(['1=c']);
    });

    it('keeps unchanged cells, joins the changes of one key, and quarantines a change of nothing', async () => {
      const schema = orders([column('id', 'int64'), column('a', 'text'), column('b', 'text')]);
      const { write, read, destination } = await startWriting({}, schema);
      await write(
        rowBatch(schema, [
          [1n, 'a1', 'b1'],
          [2n, 'a2', 'b2'],
        ]),
      );
      const { Update, Insert } = Op;
      const result = await write(
        rowBatch(
          schema,
          [
            [1n, 'A', UNCHANGED],
            [1n, UNCHANGED, 'B'],
            [2n, UNCHANGED, 'B2'],
            [3n, 'a3', 'b3'],
            [3n, UNCHANGED, 'B3'],
            [9n, 'x', UNCHANGED],
          ],
          2,
          [Update, Update, Update, Insert, Update, Update],
        ),
      );
      expect(result).toMatchObject({ rows: 5, quarantined: 1 });
      expect((await read())?.map(({ id, a, b }) => `${id}${a}${b}`).sort()).toEqual(['1AB', '2a2B2', '3a3B3']);
      expect((await destination.quarantined({ limit: 10 }))[0]).toMatchObject({ record: { id: '9', a: 'x' } });
    });

    it('stores the position, rows and rejected records together', async () => {
      const { destination, slice, read, schema } = await startWriting();
      const rejected = [
        { row: [7n, 'bad \0 \ud800'], schema, reasons: [{ message: 'name is bad', field: 'name', rule: 'no_bad' }] },
      ];
      await destination.write(rowBatch(schema, [[1n, 'ok']], 'p'), slice, options(1, { rejected }));
      expect(pairs(await read())).toEqual(['1=ok']);
      expect(await destination.claim(slice, 1)).toEqual(position('p'));
      const [record, ...more] = await destination.quarantined({ stream: 'orders', limit: 10 });
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        stream: 'orders',
        run: 'run-1',
        reason: 'name is bad',
        field: 'name',
        rule: 'no_bad',
      });
      expect(record?.record).toEqual({ id: '7', name: 'bad \0 \ud800' });
      expect(Date.parse(record?.at ?? '')).not.toBeNaN();
    });

    it('moves only the position for a heartbeat', async () => {
      const { destination, slice, write, schema, read } = await startWriting();
      expect(await write(rowBatch(schema, [], 'later'))).toMatchObject({ rows: 0, quarantined: 0 });
      expect(await destination.claim(slice, 1)).toEqual(position('later'));
      expect(await read()).toEqual([]);
    });

    it('quarantines what cannot be stored and loads the rest', async () => {
      const { write, read, destination, schema } = await startWriting();
      const rows: Row[] = [
        [1n, 'ok'],
        [2n, 'nul \0'],
        [3n, 'half \ud83d'],
        [null, 'no key'],
        [4n, '\u{1f600} \t\n\r\\N'],
      ];
      expect(await write(rowBatch(schema, rows))).toMatchObject({ rows: 2, quarantined: 3 });
      expect(pairs(await read())).toEqual(['1=ok', '4=\u{1f600} \t\n\r\\N']);
      const records = await destination.quarantined({ limit: 10 });
      expect(records.map(({ field }) => field).sort()).toEqual(['id', 'name', 'name']);
    });

    it('adds the rows of a stream without a key', async () => {
      const keyless = orders(undefined, []);
      const { write, read } = await startWriting({}, keyless);
      await write(
        rowBatch(keyless, [
          [1n, 'a'],
          [1n, 'a'],
        ]),
      );
      expect(pairs(await read())).toEqual(['1=a', '1=a']);
      const changed = await write(
        rowBatch(
          keyless,
          [
            [1n, 'b'],
            [2n, 'c'],
          ],
          2,
          [Op.Update, Op.Insert],
        ),
      );
      expect(changed).toMatchObject({ rows: 1, quarantined: 1 });
    });

    it('empties the table when the source did', async () => {
      const { write, read, schema } = await startWriting();
      await write(rowBatch(schema, [[1n, 'a']]));
      await write({ kind: 'truncate', schema, after: position(2) });
      expect(await read()).toEqual([]);
    });

    it('marks deleted rows where deletes are soft, and a new record of the key comes back', async () => {
      const { write, read, schema } = await startWriting({ deletes: 'soft' });
      await write(
        rowBatch(schema, [
          [1n, 'a'],
          [2n, 'b'],
        ]),
      );
      await write(rowBatch(schema, [[1n, null]], 2, [Op.Delete]));
      expect(pairs(await read())).toEqual(['2=b']);
      await write(rowBatch(schema, [[1n, 'back']], 3));
      expect(pairs(await read())).toEqual(['1=back', '2=b']);
      await write({ kind: 'truncate', schema, after: position(4) });
      expect(await read()).toEqual([]);
    });

    it('throws a fault when it is interrupted, and writes nothing', async () => {
      const { destination, slice, schema, read } = await startWriting();
      const writing = destination.write(
        rowBatch(schema, [[1n, 'a']]),
        slice,
        options(1, { signal: AbortSignal.abort() }),
      );
      await expect(writing).rejects.toBeInstanceOf(Fault);
      expect(await read()).toEqual([]);
    });
  });

  describe('bytes', () => {
    it('loads a document, and nothing of one whose body breaks off or that holds what cannot be loaded', async () => {
      const { document } = fixture();
      if (!document) return;
      const { write, read, destination, slice, schema } = await startWriting();
      const bytes = (rows: readonly (readonly [bigint, string])[], after: Json): Batch => ({
        kind: 'bytes',
        schema,
        after: position(after),
        ...document(rows),
      });
      expect(
        await write(
          bytes(
            [
              [1n, 'a'],
              [2n, 'b'],
              [1n, 'c'],
            ],
            1,
          ),
        ),
      ).toMatchObject({ rows: 3, quarantined: 0 });
      expect(pairs(await read())).toEqual(['1=c', '2=b']);
      await expect(
        write(
          bytes(
            [
              [3n, 'x'],
              [99999999999999999999n, 'y'],
            ],
            2,
          ),
        ),
      ).rejects.toMatchObject({
        kind: 'data',
        code: 'bytes_rejected',
      });
      async function* broken() {
        yield* document?.([[4n, 'z']]).body ?? [];
        throw new Fault('transient', 'source_gone', 'reading orders: gone');
      }
      const batch: Batch = { kind: 'bytes', schema, after: position(3), format: 'pgcopy-text', body: broken() };
      await expect(write(batch)).rejects.toMatchObject({ code: 'source_gone' });
      expect(pairs(await read())).toEqual(['1=c', '2=b']);
      expect(await destination.claim(slice, 1)).toEqual(position(1));
    });
  });
}
