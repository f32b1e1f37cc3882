import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../lib/core/batch';
import type { Connector } from '../../lib/core/connector';
import type { Position } from '../../lib/core/position';
import { applied, change, changesOf, drained, type Following, headOf, rowsNow, withFeed } from './feed-reading';
import { FEED } from './feed-titles';
import { feedLifeContract } from './source-feed-life';
import { feedPositionContract } from './source-feed-positions';
import {
  able,
  type Check,
  partitions,
  type Running,
  type RunningSource,
  scan,
  schemaOf,
  sorted,
} from './source-reading';

const ROWS = 500;
const LATE_MS = 1000;

/** Checks of what a feed gives. Each asks the fixture for what it needs; one that cannot give it says why. */
export function feedContract(connector: Connector, running: Running, check: Check): void {
  changeContract(connector, running, check);
  gapContract(connector, running, check);
  shapeContract(connector, running, check);
  feedPositionContract(connector, running, check);
  feedLifeContract(connector, running, check);
}

function changeContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.changes, async () => {
    const seeded = await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { schema } = following;
      await running().insert([600]);
      await running().update([7]);
      const rows = await rowsNow(connector, running());
      const { position } = await headOf(following);
      const [first] = await running().insert([601]);
      const [second] = await running().insert([602]);
      const [third] = await running().update([1]);
      const [fourth] = await running().update([601]);
      await running().remove([2]);
      await running().remove([602]);
      const batches = await drained(following, position);
      expect(changesOf(batches, schema)).toEqual([
        change('insert', first),
        change('insert', second),
        change('update', third),
        change('update', fourth),
        change(
          'delete',
          seeded.find(([key]) => Number(key) === 2),
        ),
        change('delete', second),
      ]);
      for (const batch of batches) expect(batch.schema).toEqual(schema);
      expect(sorted(applied(schema, rows, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });

  check(FEED.key, async () => {
    const seeded = await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { position } = await headOf(following);
      const row = await able(running().changes, 'changeKey')(3, 1003);
      const batches = await drained(following, position);
      const old = seeded.find(([key]) => Number(key) === 3);
      expect(changesOf(batches, following.schema)).toEqual([change('delete', old), change('insert', row)]);
      expect(sorted(applied(following.schema, seeded, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });

  check(FEED.truncate, async () => {
    const seeded = await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { position } = await headOf(following);
      const [before] = await running().insert([601]);
      await able(running().changes, 'truncate')();
      const [after] = await running().insert([602]);
      const batches = await drained(following, position);
      expect(changesOf(batches, following.schema)).toEqual([
        change('insert', before),
        'truncate',
        change('insert', after),
      ]);
      expect(sorted(applied(following.schema, seeded, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });
}

function gapContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.scan, async () => {
    await running().seed(ROWS);
    await withFeed(connector, running(), async (following) => {
      const { position } = await headOf(following);
      await running().insert([ROWS + 1]);
      await running().update([ROWS]);
      const rows = await scannedWhile(following, running(), async (read) => {
        await running().insert([ROWS + 1 + read]);
        await running().update([1, ROWS + 1]);
        await running().remove([10 + read / 10]);
      });
      await running().remove([ROWS + 1]);
      const batches = await drained(following, position);
      const now = sorted(await rowsNow(connector, running()));
      expect(sorted(rows)).not.toEqual(now);
      expect(sorted(applied(following.schema, rows, batches))).toEqual(now);
    });
  });

  check(FEED.late, async () => {
    await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      await crossed(connector, running(), following, [21, 22]);
      const from = await crossed(connector, running(), following, [31, 32]);
      await crossed(connector, running(), following, [41, 42], from);
    });
  });
}

/** Reads a stream, and does something at most ten times behind its batches. */
async function scannedWhile(following: Following, running: RunningSource, work: (read: number) => Promise<void>) {
  const rows: Row[] = [];
  let times = 0;
  for (const partition of (await partitions(following.source, running, 2, undefined, following.schema)).parts) {
    for await (const batch of scan(following.source, running, { partition, repairable: true }, following.schema)) {
      if (batch.kind === 'rows') rows.push(...batch.rows);
      if (times++ < 10) await work(times * 10);
    }
  }
  expect(times).toBeGreaterThan(4);
  return rows;
}

/** Asks for the head, and reads from there, while a transaction is open. */
async function crossed(
  connector: Connector,
  running: RunningSource,
  following: Following,
  ids: readonly number[],
  from?: Position,
): Promise<Position> {
  const commit = once(await able(running, 'insertLate')(ids));
  try {
    const asked = headOf(following, from && { from });
    // A source may have to wait for open transactions before it can record anything.
    if (await Promise.race([asked.then(() => false), sleep(LATE_MS, true)])) await commit();
    const { position } = await asked;
    await running.insert([(ids[0] ?? 0) + 5]);
    const middle = await drained(following, position);
    const rows = await rowsNow(connector, running);
    await commit();
    const rest = await drained(following, middle.at(-1)?.after ?? position);
    const now = sorted(await rowsNow(connector, running));
    expect(sorted(applied(following.schema, rows, rest))).toEqual(now);
    expect(sorted(applied(following.schema, rows, [...middle, ...rest]))).toEqual(now);
    return rest.at(-1)?.after ?? position;
  } finally {
    await commit();
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

function shapeContract(connector: Connector, running: Running, check: Check): void {
  check(FEED.column, async () => {
    const seeded = await running().seed(10);
    await withFeed(connector, running(), async (following) => {
      const { schema } = following;
      const { position } = await headOf(following);
      const [before] = await running().insert([601]);
      await running().addColumn('added_later');
      const [after] = await running().update([3]);
      const [last] = await running().insert([602]);
      const batches = await drained(following, position);
      const filled = batches.filter((batch) => batch.kind === 'rows' && batch.rows.length > 0);
      const shapes = [...new Set(filled.map((batch) => batch.schema))];
      expect(shapes).toEqual([schema, await schemaOf(following.source, schema.stream)]);
      expect(shapes[1]?.columns.map(({ name }) => name)).toContain('added_later');
      const ofShape = (shape: unknown) => filled.filter((batch) => batch.schema === shape);
      expect(changesOf(ofShape(shapes[0]), schema)).toEqual([change('insert', before)]);
      expect(changesOf(ofShape(shapes[1]), schema)).toEqual([change('update', after), change('insert', last)]);
      expect(sorted(applied(schema, seeded, batches))).toEqual(sorted(await rowsNow(connector, running())));
    });
  });
}
