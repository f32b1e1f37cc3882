import {
  column,
  type DestinationFixture,
  harness,
  options,
  orders,
  position,
  rowBatch,
  signal,
} from './destination-harness';
import { loadContract } from './destination-loads';
import { lookupContract } from './destination-lookup';
import { writingContract } from './destination-writing';

/** Registers the tests that every destination passes; each stands for a sentence of `lib/core/destination.ts`. */
export function destinationContract(fixture: () => DestinationFixture): void {
  const tools = harness(fixture);
  const { start, startWriting, pairs } = tools;

  describe('prepare', () => {
    it('creates the table, and does nothing the second time', async () => {
      const { destination, slice, read } = await start();
      expect((await destination.prepare(slice, orders())).changes).toHaveLength(1);
      expect(await read()).toEqual([]);
      expect((await destination.prepare(slice, orders())).changes).toEqual([]);
    });

    it('adds and widens columns and says so; stored rows stay', async () => {
      const { destination, slice, write, read } = await startWriting(
        {},
        orders([column('id', 'int32'), column('n', 'int32')]),
      );
      await write(rowBatch(orders([column('id', 'int32'), column('n', 'int32')]), [[1, 7]]));
      const wide = orders([column('id', 'int64'), column('n', 'text'), column('extra', 'bool')]);
      const { changes } = await destination.prepare(slice, wide);
      expect(changes.join('; ')).toMatch(/extra/);
      expect(changes.join('; ')).toMatch(/widened column n from integer to text/);
      await write(rowBatch(wide, [[9007199254740993n, 'x', true]], 2));
      expect(await read()).toEqual(
        expect.arrayContaining([
          { id: '1', n: '7', extra: null },
          { id: '9007199254740993', n: 'x', extra: expect.stringMatching(/^t/) },
        ]),
      );
    });

    it('never narrows or removes a column', async () => {
      const { destination, slice, write, read } = await startWriting();
      await write(rowBatch(orders(), [[1n, 'text stays text']]));
      const narrow = orders([column('id', 'int32')]);
      expect((await destination.prepare(slice, narrow)).changes).toEqual([]);
      await write(rowBatch(narrow, [[2]], 2));
      expect(pairs(await read())).toEqual(['1=text stays text', '2=null']);
    });

    it('may be called by several at once', async () => {
      const first = await start();
      const others = await Promise.all([1, 2, 3].map(() => start(first.context)));
      await Promise.all([first, ...others].map(({ destination, slice }) => destination.prepare(slice, orders())));
      expect(await first.read()).toEqual([]);
    });
  });

  describe('claim', () => {
    it('gives nothing at first, later the position that was stored with the rows', async () => {
      const { destination, slice, write } = await startWriting();
      expect(await destination.claim(slice, 1)).toBeUndefined();
      const value = { text: 'nul \0 and ü', list: [1, 2.5, null], deep: { a: true } };
      await write(rowBatch(orders(), [[1n, 'a']], value));
      expect(await destination.claim(slice, 1)).toEqual(position(value));
    });

    it('refuses a lower fence than the stored one, and writers that have one', async () => {
      const { destination, slice, write, read } = await startWriting();
      await destination.claim(slice, 5);
      await expect(destination.claim(slice, 4)).rejects.toMatchObject({ kind: 'lost', code: 'fenced' });
      await expect(write(rowBatch(orders(), [[1n, 'zombie']]), 1)).rejects.toMatchObject({
        kind: 'lost',
        code: 'fenced',
      });
      await expect(write(rowBatch(orders(), []), 1)).rejects.toMatchObject({ kind: 'lost', code: 'fenced' });
      expect(await read()).toEqual([]);
      expect(await destination.claim(slice, 5)).toBeUndefined();
    });
  });

  writingContract(fixture, tools);
  loadContract(tools);
  lookupContract(tools);

  it('seeds a position unless one is stored', async () => {
    const { destination, slice } = await start();
    await destination.seed(slice, position('first'));
    await destination.seed(slice, position('second'));
    expect(await destination.claim(slice, 1)).toEqual(position('first'));
  });

  it('writes the changes of several streams under the position of one', async () => {
    const { destination, read, slice, schema } = await startWriting();
    const feed = { ...slice, stream: '*' };
    const other = { ...schema, stream: 'others' };
    await destination.prepare(feed, schema);
    await destination.prepare(feed, other);
    await destination.claim(feed, 1);
    await destination.write(rowBatch(schema, [[1n, 'a']], 'first'), feed, options(1));
    await destination.write(rowBatch(other, [[1n, 'b']], 'second'), feed, options(1));
    expect(await read()).toHaveLength(1);
    expect(await destination.claim(feed, 2)).toEqual(position('second'));
    expect(await destination.claim(slice, 2)).toBeUndefined();
  });

  it('seeds a position in the place of the one that is named, and of no other', async () => {
    const { destination, slice } = await start();
    await destination.seed(slice, position('third'), position('second'));
    expect(await destination.claim(slice, 1)).toBeUndefined();
    await destination.seed(slice, position('first'));
    await destination.seed(slice, position('third'), position('second'));
    expect(await destination.claim(slice, 1)).toEqual(position('first'));
    await destination.seed(slice, position('second'), position('first'));
    expect(await destination.claim(slice, 2)).toEqual(position('second'));
  });

  it('lists quarantined records newest first, in pages, by stream', async () => {
    const { destination, slice, schema } = await startWriting();
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const rejected = [{ row: [BigInt(index), name], schema, reasons: [{ message: name }] }];
      await destination.write(rowBatch(schema, [], name), slice, options(1, { rejected }));
    }
    const first = await destination.quarantined({ limit: 2 });
    expect(first.map(({ reason }) => reason)).toEqual(['c', 'b']);
    const rest = await destination.quarantined({ limit: 2, after: first[1]?.id ?? '' });
    expect(rest.map(({ reason }) => reason)).toEqual(['a']);
    expect(await destination.quarantined({ limit: 2, stream: 'other' })).toEqual([]);
  });

  it('drops all that the integration stored, and nothing of another one', async () => {
    const mine = await startWriting();
    await mine.write(rowBatch(orders(), [[1n, 'a']]));
    const other = await start({ ...mine.context, integration: 'other' });
    await expect(other.destination.prepare(other.slice, orders())).rejects.toMatchObject({ kind: 'config' });
    const theirs = { ...orders(), stream: 'theirs' };
    const slice = { ...other.slice, stream: 'theirs' };
    await other.destination.prepare(slice, theirs);
    await mine.destination.drop();
    await mine.destination.drop();
    expect(await mine.read()).toBeUndefined();
    expect(await other.read('theirs')).toEqual([]);
    await mine.destination.prepare(mine.slice, orders());
    expect(await mine.destination.claim(mine.slice, 1)).toBeUndefined();
  });

  it('reports each step of a check', async () => {
    const { destination } = await start();
    const { passed, steps } = await destination.check(signal);
    expect(steps.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(passed).toBe(true);
  });
}
