import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '../../lib/core/batch';
import type { Connector } from '../../lib/core/connector';
import { Fault } from '../../lib/core/fault';
import { patient } from '../servers/patience';
import {
  applied,
  change,
  changesOf,
  drained,
  type Following,
  headOf,
  requestOf,
  rowsNow,
  saved,
  sound,
  withFeed,
  withFeedAgain,
  within,
} from './feed-reading';
import { FEED } from './feed-titles';
import {
  able,
  type Check,
  eventually,
  faultOf,
  memory,
  type Running,
  type RunningSource,
  schemaOf,
  signal,
  sorted,
} from './source-reading';

const END_MS = 5000;
const PAUSE_MS = 200;
const LARGE = 96 << 20;

/** Checks of how reading begins and ends, and of what is kept for it. */
export function feedLifeContract(connector: Connector, running: Running, check: Check): void {
  endContract(connector, running, check);
  recordContract(connector, running, check);
  streamContract(connector, running, check);
  resourceContract(connector, running, check);
}

function endContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.end, async () => {
    await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { schema } = following;
      const { position } = await headOf(following);
      const before = await rowsNow(connector, running());
      const soon = () => ({ signal: AbortSignal.timeout(patient(END_MS)) });
      for (let round = 0; round < 3; round++) {
        expect(changesOf(await drained(following, position, soon()), schema)).toEqual([]);
      }
      const [row] = await running().insert([601]);
      const read = new AbortController();
      const [batches] = await Promise.all([
        drained(following, position, soon()).finally(() => read.abort()),
        writeUntil(read.signal, running()),
      ]);
      expect(changesOf(batches, schema)[0]).toBe(change('insert', row));
      const rest = await drained(following, batches.at(-1)?.after ?? position);
      expect(sorted(applied(schema, before, [...batches, ...rest]))).toEqual(
        sorted(await rowsNow(connector, running())),
      );
    });
  });

  check(FEED.wait, async () => {
    await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { feed, schema } = following;
      const { position } = await headOf(following);
      const stop = new AbortController();
      const request = requestOf(following, position, { follow: true, signal: stop.signal });
      const batches = feed.read(request)[Symbol.asyncIterator]();
      for (const id of [601, 602]) {
        const [filled, [row]] = await Promise.all([
          within(2 * END_MS, 'being told of a change', nextFilled(batches)),
          sleep(PAUSE_MS).then(() => running().insert([id])),
        ]);
        expect(changesOf([filled], schema)).toEqual([change('insert', row)]);
      }
      const end = untilEnd(batches);
      const began = sleep(PAUSE_MS).then(() => stop.abort());
      await within(END_MS + PAUSE_MS, 'ending after an abort', Promise.all([end, began]));
      const [row] = await running().insert([603]);
      const all = changesOf(await drained(following, position), schema);
      expect(all.slice(2)).toEqual([change('insert', row)]);
    });
  });
}

async function writeUntil(end: AbortSignal, running: RunningSource): Promise<void> {
  while (!end.aborted) {
    await running.update([1]);
    await sleep(1);
  }
}

async function nextFilled(batches: AsyncIterator<Batch>): Promise<Batch> {
  for (;;) {
    const { value, done } = await batches.next();
    if (done === true) throw new Error('who follows came to an end');
    const batch: Batch = sound(value);
    if (batch.kind !== 'rows' || batch.rows.length > 0) return batch;
  }
}

async function untilEnd(batches: AsyncIterator<Batch>): Promise<void> {
  try {
    while (!(await batches.next()).done);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'aborted') throw error;
  }
}

function recordContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.lost, async () => {
    await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { position } = await headOf(following);
      await running().insert([601]);
      await able(running().changes, 'loseLog')();
      const { kind } = await faultOf(() => drained(following, position));
      expect(kind).toBe('lost');
      const fault = await faultOf(() => headOf(following, { from: position }));
      expect(fault).toMatchObject({ kind: 'lost', hint: expect.any(String) });
      const anew = await headOf(following);
      const [row] = await running().insert([602]);
      expect(changesOf(await drained(following, anew.position), following.schema)).toEqual([change('insert', row)]);
    });
  });

  check(FEED.forgotten, async () => {
    await running().seed(10);
    const kept = async () => (await running().changes?.kept?.()) ?? [];
    const before = await withFeed(connector, running(), kept);
    const position = await withFeed(connector, running(), async (following) => {
      const head = await headOf(following);
      await running().insert([601]);
      return saved((await drained(following, head.position)).at(-1)?.after ?? head.position);
    });
    await withFeedAgain(connector, running(), async (following) => {
      const { forget } = following.feed;
      if (forget === undefined) return;
      if (running().changes?.kept) expect(await kept()).not.toEqual(before);
      await forget(signal());
      await forget(signal());
      expect(await kept()).toEqual(before);
      const fault = await faultOf(() => headOf(following, { from: position }));
      expect(fault.kind).toBe('lost');
    });
  });
}

function streamContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.added, async () => {
    await running().seed(10);
    const first = await running().seedLarge(1);
    await withFeed(connector, running(), async (following) => {
      const { schema, source } = following;
      const large = await schemaOf(source, first);
      const { position: from } = await headOf(following, { streams: [large] });
      const before = await rowsNow(connector, running());
      const [missed] = await running().insert([601]);
      const streams = [large, schema];
      const { begun = [] } = await headOf(following, { streams, from });
      expect(begun).not.toContain(first);
      const [row] = await running().insert([602]);
      const changes = changesOf(await drained(following, from, { streams }), schema);
      expect(changes).toContain(change('insert', row));
      if (!begun.includes(schema.stream)) expect(changes).toContain(change('insert', missed));
      expect((await headOf(following, { streams, from })).begun ?? []).toEqual([]);
      const batches = await drained(following, from, { streams });
      const rows = begun.includes(schema.stream) ? await rowsNow(connector, running()) : before;
      expect(sorted(applied(schema, rows, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });

  check(FEED.anew, async () => {
    const old = await running().seed(10);
    const from = await withFeed(connector, running(), async (following) => (await headOf(following)).position);
    await running().insert([601]);
    await running().remove([2]);
    await running().seed(5);
    await withFeedAgain(connector, running(), async (following) => {
      const { schema } = following;
      const { begun = [] } = await headOf(following, { from });
      const rows = begun.includes(schema.stream) ? await rowsNow(connector, running()) : old;
      const [row] = await running().insert([602]);
      const batches = await drained(following, from);
      expect(changesOf(batches, schema)).toContain(change('insert', row));
      expect(sorted(applied(schema, rows, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });
}

function resourceContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.early, async () => {
    await running().seed(10);
    const before = await running().openConnections();
    await withFeed(connector, running(), async (following) => {
      const { position } = await headOf(following);
      for (const id of [601, 602, 603, 604]) await running().insert([id]);
      for (let round = 0; round < 12; round++) await readOne(following, position, round % 2 === 0);
      expect((await running().openConnections()) - before).toBeLessThanOrEqual(8);
      expect(changesOf(await drained(following, position), following.schema).length).toBe(4);
    });
    await eventually(async () => expect(await running().openConnections()).toBe(before));
  });

  check(
    FEED.slow,
    async () => {
      await running().seed(1);
      const stream = await running().seedLarge(LARGE);
      await withFeed(connector, running(), async (following) => {
        const streams = [await schemaOf(following.source, stream)];
        const { position } = await headOf(following, { streams });
        await able(running().changes, 'rewriteLarge')();
        const size = { rows: 1000, bytes: 1 << 20 };
        let most = 0;
        let batches = 0;
        const before = memory();
        for await (const batch of following.feed.read(requestOf(following, position, { streams, size }))) {
          if (++batches > 12) break;
          await sleep(60);
          if (sound(batch)) most = Math.max(most, memory() - before);
        }
        expect(batches).toBeGreaterThan(12);
        expect(most).toBeLessThan(LARGE / 3);
      });
    },
    60_000,
  );
}

/** Leaves behind the first batch. */
async function readOne(following: Following, from: Parameters<typeof requestOf>[1], follow: boolean): Promise<void> {
  const size = { rows: 1, bytes: 1 << 20 };
  for await (const batch of following.feed.read(requestOf(following, from, { follow, size }))) {
    if (sound(batch)) return;
  }
}
