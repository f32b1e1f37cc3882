import type { Batch } from '../../lib/core/batch';
import type { Connector, FeedRequest } from '../../lib/core/connector';
import type { Position } from '../../lib/core/position';
import {
  applied,
  change,
  changesOf,
  drained,
  expectExactRest,
  type Following,
  headOf,
  requestOf,
  restOf,
  rowsNow,
  saved,
  sound,
  withFeed,
  withFeedAgain,
} from './feed-reading';
import { FEED } from './feed-titles';
import { able, type Check, type Running, type RunningSource, SIZE, schemaOf, sorted } from './source-reading';

const FEW = { rows: 5, bytes: 1 << 20 };
const LARGE = 1 << 18;
const MOST_BATCHES = 1000;

/** Checks of the positions of a feed. */
export function feedPositionContract(connector: Connector, running: Running, check: Check): void {
  resumeContract(connector, running, check);
  transactionContract(connector, running, check);
  acknowledgeContract(connector, running, check);

  check(FEED.others, async () => {
    await running().seed(10);
    const other = await running().seedLarge(LARGE);
    await withFeed(connector, running(), async (following) => {
      const { schema, source } = following;
      const both = [schema, await schemaOf(source, other)];
      for (const streams of [[schema], both]) {
        const { position } = await headOf(following, { streams });
        await able(running().changes, 'rewriteLarge')();
        const [heartbeat, ...more] = await drained(following, position);
        expect(changesOf(heartbeat ? [heartbeat, ...more] : [], schema)).toEqual([]);
        const last = more.at(-1) ?? heartbeat;
        expect(last?.schema.stream).toBe(schema.stream);
        expect(last?.after).not.toEqual(position);
        const from = saved(last?.after ?? position);
        const again = await drained(following, from, { streams: both });
        expect(both.map((one) => changesOf(again, one))).toEqual([[], []]);
        const [row] = await running().update([1]);
        expect(changesOf(await drained(following, from), schema)).toEqual([change('update', row)]);
      }
    });
  });
}

function resumeContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.resume, async () => {
    await running().seed(20);
    await withFeed(connector, running(), async (following) => {
      const { schema } = following;
      const { position } = await headOf(following);
      const before = await rowsNow(connector, running());
      for (const id of [601, 602, 603]) await running().insert([id, id + 100, id + 200]);
      await running().update([1, 2, 3, 4, 5, 6, 7, 8]);
      await running().remove([3, 601, 602]);
      for (const id of [604, 605]) await running().insert([id, id + 100]);
      await running().update([2, 604]);
      const read = (from: Position) => drained(following, from, { size: FEW });
      const batches = await expectExactRest(read, position, [schema]);
      expect(batches.length).toBeGreaterThan(3);
      expect(sorted(applied(schema, before, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });

  check(FEED.several, async () => {
    await running().seed(20);
    const large = await running().seedLarge(LARGE);
    await withFeed(connector, running(), async (following) => {
      const streams = [following.schema, await schemaOf(following.source, large)];
      const { position } = await headOf(following, { streams });
      const before = await rowsNow(connector, running());
      for (const id of [601, 611]) {
        await running().insert([id, id + 1]);
        await able(running().changes, 'rewriteLarge')();
        await running().update([1, id]);
      }
      await running().remove([601]);
      const read = (from: Position) => drained(following, from, { streams, size: { rows: 20, bytes: 1 << 20 } });
      const batches = await expectExactRest(read, position, streams);
      for (const schema of streams) expect(changesOf(batches, schema).length).toBeGreaterThan(4);
      expect(sorted(applied(following.schema, before, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });
}

function transactionContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.size, async () => {
    for (const size of [SIZE, { rows: 1_000_000, bytes: 2048 }]) {
      await running().seed(20);
      await withFeed(connector, running(), async (following) => {
        const { schema } = following;
        const { position } = await headOf(following);
        await writeLargeTransaction(running());
        const batches = (await drained(following, position, { size })).filter(isFilled);
        expect(batches.length).toBeGreaterThan(3);
        expect(Math.max(...batches.map(({ rows }) => rows.length))).toBeLessThanOrEqual(size.rows);
        expect(new Set(batches.map((batch) => batch.schema)).size).toBe(1);
        expect(batches.at(-1)?.open).toBeUndefined();
        const within = batches.slice(0, -1).map(({ open }) => open);
        if (running().changes?.together) expect(within).toEqual(within.map(() => true));
        const ones = await readByOnes(following, position, size);
        expect(changesOf(ones, schema, 'all')).toEqual(changesOf(batches, schema, 'all'));
      });
    }
  });
}

/** About five times what fits into a batch. */
async function writeLargeTransaction(running: RunningSource): Promise<void> {
  const together = running.changes?.together ?? ((work: () => Promise<unknown>) => work());
  await together(async () => {
    await running.insert(Array.from({ length: 4 * SIZE.rows }, (_, index) => 601 + index));
    await running.update(Array.from({ length: SIZE.rows }, (_, index) => 601 + index));
    await running.remove([1, 2, 640]);
  });
}

type Filled = Extract<Batch, { kind: 'rows' }>;

function isFilled(batch: Batch): batch is Filled {
  return batch.kind === 'rows' && batch.rows.length > 0;
}

/** Leaves after each batch and goes on from its position, until nothing comes any more. */
async function readByOnes(following: Following, from: Position, size: FeedRequest['size']): Promise<Batch[]> {
  const batches: Batch[] = [];
  let position = from;
  for (let inVain = 0; inVain < 2; ) {
    inVain++;
    for await (const batch of following.feed.read(requestOf(following, position, { size }))) {
      batches.push(sound(batch));
      position = batch.after;
      if (isFilled(batch)) inVain = 0;
      break;
    }
    if (batches.length > MOST_BATCHES) throw new Error('who leaves after each batch never comes to an end');
  }
  return batches;
}

function acknowledgeContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.acknowledged, async () => {
    await running().seed(20);
    const from = await withFeed(connector, running(), (following) => acknowledgeSome(following, running()));
    await writeLargeTransaction(running());
    const batches = await withFeedAgain(connector, running(), async (following) => {
      await headOf(following, { from });
      return drained(following, from);
    });
    expect(batches.length).toBeGreaterThan(3);
    for (const { after } of batches) {
      await withFeedAgain(connector, running(), async (following) => {
        await following.feed.acknowledge(saved(after));
        await headOf(following, { from: after });
        const expected = changesOf(restOf(batches, from, after), following.schema);
        expect(changesOf(await drained(following, after), following.schema)).toEqual(expected);
      });
    }
  });

  check(FEED.older, async () => {
    await running().seed(20);
    const expected: string[] = [];
    const position = await withFeed(connector, running(), async (following) => {
      const head = await headOf(following);
      let from = head.position;
      for (const id of [601, 602, 603]) {
        const [row] = await running().insert([id]);
        expected.push(change('insert', row));
        from = saved((await drained(following, from)).at(-1)?.after ?? from);
        await following.feed.acknowledge(from);
      }
      return head.position;
    });
    const asks = [
      (following: Following): Promise<unknown> => headOf(following, { from: position }),
      (following: Following): Promise<unknown> => drained(following, position),
    ];
    for (const ask of asks) {
      await withFeedAgain(connector, running(), async (following) => {
        const lost = await ask(following).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (lost !== undefined) expect(lost).toMatchObject({ kind: 'lost' });
        else expect(changesOf(await drained(following, position), following.schema)).toEqual(expected);
      });
    }
  });
}

/** Acknowledges what was read, older positions as well, and gives the last. */
async function acknowledgeSome(following: Following, running: RunningSource): Promise<Position> {
  const { feed, schema } = following;
  const { position } = await headOf(following);
  await running.insert([501, 502]);
  const after = saved((await drained(following, position)).at(-1)?.after ?? position);
  await feed.acknowledge(after);
  const [row] = await running.insert([503]);
  await feed.acknowledge(position);
  const rest = await drained(following, after);
  expect(changesOf(rest, schema)).toEqual([change('insert', row)]);
  const last = saved(rest.at(-1)?.after ?? after);
  await feed.acknowledge(last);
  expect(changesOf(await drained(following, last), schema)).toEqual([]);
  return last;
}
