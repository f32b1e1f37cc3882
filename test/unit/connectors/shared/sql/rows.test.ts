import { Slots } from '../../../../../lib/connectors/shared/slots';
import { RecordIds } from '../../../../../lib/connectors/shared/sql/record-ids';
import { ending, rowBatches } from '../../../../../lib/connectors/shared/sql/row-batches';
import { RowPump } from '../../../../../lib/connectors/shared/sql/row-pump';
import type { Batch, Row } from '../../../../../lib/core/batch';
import type { StreamSchema } from '../../../../../lib/core/schema';

const SCHEMA: StreamSchema = {
  stream: 's',
  columns: [{ name: 'a', type: 'int32', nullable: false, native: 'test/int' }],
  key: ['a'],
};
const at = (value: number | string) => ({ format: 1, value });

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* given(...batches: Row[][]): AsyncGenerator<Row[]> {
  yield* batches;
}

describe('a row pump', () => {
  it('cuts batches by rows and by bytes, and holds the driver back until one is wanted', async () => {
    const calls: string[] = [];
    const pump = new RowPump(
      { pause: () => calls.push('pause'), resume: () => calls.push('resume') },
      { rows: 3, bytes: 10 },
    );
    for (let row = 0; row < 4; row++) pump.push([row], 1);
    pump.push([4], 9);
    pump.push([5], 1);
    expect(calls).toEqual(['pause', 'pause']);
    const batches = pump.batches();
    expect((await batches.next()).value).toEqual([[0], [1], [2]]);
    expect((await batches.next()).value).toEqual([[3], [4]]);
    const waiting = batches.next();
    expect(calls.at(-1)).toBe('resume');
    pump.end();
    expect((await waiting).value).toEqual([[5]]);
    expect((await batches.next()).done).toBe(true);
  });

  it('gives nothing more after an error', async () => {
    const pump = new RowPump({ pause: () => undefined, resume: () => undefined }, { rows: 1, bytes: 10 });
    pump.push([0], 1);
    pump.end(new Error('lost'));
    await expect(pump.batches().next()).rejects.toThrow('lost');
  });
});

describe('batches of rows', () => {
  it('end where the part ends, and lose the cells that are only for the position', async () => {
    const rows = given(
      [
        [1, 'x'],
        [2, 'y'],
      ],
      [[3, 'z']],
    );
    const batches = await all(
      rowBatches(rows, { schema: SCHEMA, after: (list) => at(String(list.at(-1)?.[1])), end: at(0) }),
    );
    expect(batches.map(({ rows: list, after }) => [list, after])).toEqual([
      [[[1], [2]], at('y')],
      [[[3]], at(0)],
    ]);
  });

  it('always reach the end, by one without rows if need be', async () => {
    const one: Batch = { kind: 'rows', schema: SCHEMA, rows: [[1]], after: at(1) };
    expect((await all(ending([one] as never, SCHEMA, undefined, at(2)))).map(({ after }) => after)).toEqual([
      at(1),
      at(2),
    ]);
    expect(await all(ending([] as never, SCHEMA, at(2), at(2)))).toEqual([]);
  });
});

describe('record ids', () => {
  const ids = (rows: readonly Row[]) => {
    const made = new RecordIds('s', 0);
    return rows.map((row) => made.add(row)[0]);
  };

  it('number equal rows of one cursor value, and begin anew with the next', () => {
    const rows = [
      [1, 'a'],
      [1, 'a'],
      [1, 'b'],
      [2, 'a'],
      [null, 'a'],
      [null, 'a'],
    ];
    const made = ids(rows);
    expect(new Set(made).size).toBe(6);
    expect(ids(rows.slice(3))).toEqual(made.slice(3));
  });

  it('tell apart what only looks the same', () => {
    expect(
      new Set(
        ids([
          [1, 'a', null],
          [1, null, 'a'],
          [1, '', 'a'],
          [1, 'a', ''],
          [1, 'null', ''],
        ]),
      ).size,
    ).toBe(5);
  });
});

describe('slots', () => {
  it('let in as many as there are, the next in order, and nobody who has stopped waiting', async () => {
    const slots = new Slots(1);
    const { signal } = new AbortController();
    const stopped = new AbortController();
    await slots.take(signal);
    const order: string[] = [];
    const gone = slots.take(stopped.signal);
    const next = slots.take(signal).then(() => order.push('next'));
    stopped.abort();
    await expect(gone).rejects.toMatchObject({ code: 'aborted' });
    expect(order).toEqual([]);
    slots.give();
    await next;
    expect(order).toEqual(['next']);
  });
});
