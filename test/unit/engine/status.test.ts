import type { RunState } from '../../../lib/core/run';
import type { Engine } from '../../../lib/engine/engine';
import { type RunItem, runId } from '../../../lib/engine/state';
import { document, faultOf, finish, Home, MANUAL, NEVER, QUEUED, syncAll } from './home';

describe('status', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(async () => {
    home = new Home();
    engine = home.engine({ group: { batches: 1, ms: 1000 } });
    await engine.service.create(document());
  });

  const status = () => engine.service.status('shop');
  const health = async () => (await engine.service.health())[0];
  const stats = async () => (await engine.service.stats())[0];

  /** Stores an ended run that took `seconds`. */
  async function ended(state: RunState, seconds: number, more: Partial<RunItem> = {}): Promise<void> {
    await home.clock.advance(100_000);
    const now = home.clock.now();
    const id = runId('shop', now, 0);
    const run: RunItem = {
      id,
      integration: 'shop',
      document: {},
      trigger: 'schedule',
      state,
      createdAt: now,
      startedAt: now,
      finishedAt: now + seconds * 1000,
      planned: true,
      attempts: 0,
      retryAt: 0,
      retries: 0,
      cancelRequested: false,
      rows: 10,
      bytes: 100,
      slices: 1,
      quarantined: 1,
      skipped: 0,
      ...more,
    };
    await home.state.put({ partition: 'runs/shop', sort: id }, JSON.parse(JSON.stringify(run)), 'absent');
  }

  it('is idle before the first run, and nothing is made up', async () => {
    const idle = { integration: 'shop', state: 'idle', enabled: true, queued: [], warnings: [] };
    expect(await status()).toEqual({ ...idle, connectionStatus: 'unknown' });
    expect(await health()).toMatchObject({ status: 'unknown', connectionStatus: 'unknown', errorRate: 0 });
    expect(await stats()).toMatchObject({ runs: { total: 0 }, rows: 0, errorRate: 0, rowsPerSecond: 0 });
  });

  it('tells how far a full read has come and how long it will take', async () => {
    home.fill('orders', 10);
    let seen: Awaited<ReturnType<typeof status>> | undefined;
    home.hooks.scan = async (_request, batch) => {
      if (batch === 0) return;
      await home.clock.advance(2000);
      if (batch === 3) seen = await status();
    };
    await syncAll(home, engine);
    expect(seen).toMatchObject({
      state: 'running',
      running: { streams: [{ stream: 'orders', slices: 1, slicesDone: 0 }] },
    });
    const progress = seen?.progress;
    // Batches of 2 rows; one is read ahead of what is written, and the writer saves once a second.
    expect(progress?.estimatedRows).toBe(10);
    expect(progress?.rows).toBeGreaterThanOrEqual(2);
    expect(progress?.rows).toBeLessThanOrEqual(6);
    expect(progress?.fraction).toBeCloseTo((progress?.rows ?? 0) / 10);
    expect(progress?.rowsPerSecond).toBeCloseTo((progress?.rows ?? 0) / 6);
    expect(progress?.secondsLeft).toBeCloseTo((10 - (progress?.rows ?? 0)) / (progress?.rowsPerSecond ?? 1));
  });

  it('counts a stream that has ended with the rows it really had', async () => {
    home.fill('a', 2);
    home.fill('b', 2);
    const inner = home.connector();
    engine = home.engine({}, () => ({
      ...inner,
      open: async (config, host) => {
        const source = await inner.open(config, host);
        const rows = (stream: string) => (stream === 'a' ? 1000 : 2);
        return {
          ...source,
          discover: async (signal) =>
            (await source.discover(signal)).map((info) => ({
              ...info,
              estimate: { rows: rows(info.schema.stream), bytes: 0 },
            })),
        };
      },
    }));
    let fraction: number | undefined;
    home.hooks.scan = async ({ stream }, batch) => {
      if (stream.stream === 'b' && batch === 0) fraction = (await status()).progress?.fraction;
    };
    await syncAll(home, engine);
    expect(fraction).toBeCloseTo(0.5);
  });

  it('says nothing about the end of what it has no estimate of', async () => {
    home.fill('orders', 4);
    await engine.service.update(
      'shop',
      document({ sync_strategy: { type: 'incremental', timestamp_field: 'changed' } }),
      undefined,
    );
    await syncAll(home, engine);
    home.fill('orders', 4, 5);
    let seen: Awaited<ReturnType<typeof status>> | undefined;
    home.hooks.scan = async () => {
      seen = await status();
    };
    expect((await syncAll(home, engine)).rows).toBeGreaterThanOrEqual(4);
    expect(seen?.progress).toBeDefined();
    expect(seen?.progress).not.toHaveProperty('fraction');
    expect(seen?.progress).not.toHaveProperty('secondsLeft');
  });

  it('tells freshness from the beginning of the last run that brought everything', async () => {
    home.fill('orders', 1);
    home.hooks.scan = async () => home.clock.advance(5000);
    await syncAll(home, engine);
    await home.clock.advance(60_000);
    const fresh = (await status()).freshness;
    expect(fresh?.at).toBe('2026-01-01T00:00:00.000Z');
    expect(fresh?.seconds).toBe((home.clock.now() - Date.UTC(2026, 0, 1)) / 1000);
    home.hooks.open = () => {
      throw faultOf('config');
    };
    await engine.recover();
    await ended('failed', 1);
    expect((await status()).freshness?.at).toBe('2026-01-01T00:00:00.000Z');
  });

  it('keeps the last fault with its hint and time, also after a success', async () => {
    home.fill('orders', 1);
    home.fill('people', 1);
    home.hooks.scan = ({ stream }) => {
      if (stream.stream === 'people') throw faultOf('config', 'permission_denied');
    };
    await syncAll(home, engine);
    const at = new Date(home.clock.now()).toISOString();
    expect(await status()).toMatchObject({
      state: 'partial',
      lastRun: { state: 'partial' },
      lastFault: { code: 'permission_denied', hint: 'What to do about config.', at },
    });
    delete home.hooks.scan;
    await home.clock.advance(1000);
    await syncAll(home, engine);
    expect(await status()).toMatchObject({ state: 'succeeded', lastFault: { code: 'permission_denied', at } });
  });

  it('names the stream of the last fault', async () => {
    home.fill('orders', 1);
    home.fill('people', 1);
    home.hooks.scan = ({ stream }) => {
      if (stream.stream === 'people') throw faultOf('config');
    };
    await syncAll(home, engine);
    expect((await status()).lastFault?.stream).toBe('people');
  });

  it('shows a run that waits for a worker, and those behind it', async () => {
    home.fill('orders', 1);
    const first = await engine.service.sync('shop', MANUAL);
    await home.clock.advance(1);
    const second = await engine.service.sync('shop', QUEUED);
    expect(await status()).toMatchObject({ state: 'queued', running: { id: first.id }, queued: [second.id] });
  });

  it('shows the run that goes on however many wait', async () => {
    home.fill('orders', 1);
    const first = await engine.service.sync('shop', MANUAL);
    for (let count = 0; count < 51; count++) {
      await home.clock.advance(1);
      await engine.service.sync('shop', QUEUED);
    }
    expect(await status()).toMatchObject({ state: 'queued', running: { id: first.id } });
  });

  it.each([
    [['succeeded'], 'healthy', 'connected'],
    [['failed', 'succeeded'], 'healthy', 'connected'],
    [['succeeded', 'cancelled'], 'healthy', 'connected'],
    [['succeeded', 'partial'], 'degraded', 'connected'],
    [['succeeded', 'failed'], 'degraded', 'failed'],
    [['succeeded', 'failed', 'failed'], 'degraded', 'failed'],
    [['succeeded', 'failed', 'failed', 'failed'], 'failed', 'failed'],
    [['failed'], 'degraded', 'failed'],
    [['cancelled'], 'unknown', 'unknown'],
    [['succeeded', 'cancelled', 'cancelled', 'failed'], 'degraded', 'failed'],
    [['succeeded', 'failed', 'cancelled', 'failed', 'cancelled', 'failed'], 'failed', 'failed'],
  ] as [RunState[], string, string][])('is after %p: %s, %s', async (states, expected, connection) => {
    for (const state of states) await ended(state, 1, state === 'failed' ? { fault: faultOf('config').record() } : {});
    expect(await health()).toMatchObject({ status: expected, connectionStatus: connection });
  });

  it('gives figures over the runs', async () => {
    for (const [state, seconds] of [
      ['succeeded', 10],
      ['succeeded', 30],
      ['failed', 20],
      ['cancelled', 40],
    ] as const) {
      await ended(state, seconds);
    }
    await home.clock.advance(1000);
    expect(await stats()).toEqual({
      integration: 'shop',
      runs: { total: 4, succeeded: 2, partial: 0, failed: 1, cancelled: 1 },
      rows: 40,
      bytes: 400,
      quarantined: 4,
      skipped: 0,
      errorRate: 0.3333,
      recordErrorRate: 0.09091,
      seconds: { p50: 20, p95: 40, max: 40 },
      rowsPerSecond: 0.4,
      bytesPerSecond: 4,
      days: expect.arrayContaining([{ day: '2026-01-01', runs: 4, failed: 1, rows: 40, bytes: 400, quarantined: 4 }]),
      costUsd: expect.closeTo(100 * 0.0000133334 + 4 * 2e-7, 6),
      freshnessSeconds: 201,
      metrics: {
        connectionStatus: 'failed',
        syncPerformance: { seconds: { p50: 20, p95: 40, max: 40 }, rowsPerSecond: 0.4, bytesPerSecond: 4 },
        errorRates: { runs: 0.3333, records: 0.09091 },
        dataFreshness: { lastSyncAgeSeconds: 201 },
      },
    });
    expect(await health()).toMatchObject({ errorRate: 0.3333, lastSyncAgeSeconds: 201 });
  });

  it('gives figures over all runs that are kept', async () => {
    for (let count = 0; count < 205; count++) await ended('succeeded', 1);
    expect((await stats())?.runs.total).toBe(205);
  });

  it('of one integration is not that of another', async () => {
    await engine.service.create(document({ name: 'shop-2' }));
    home.fill('orders', 1);
    await syncAll(home, engine);
    expect(await engine.service.status('shop-2')).toMatchObject({ state: 'idle' });
    const both = await engine.service.health();
    expect(both.map((one) => [one.integration, one.status])).toEqual([
      ['shop', 'healthy'],
      ['shop-2', 'unknown'],
    ]);
    const { id } = await engine.service.sync('shop-2', MANUAL);
    expect(await finish(home, engine, id)).toMatchObject({ integration: 'shop-2', state: 'succeeded' });
    expect(await engine.service.wait(id, NEVER)).toMatchObject({ rows: 1 });
  });
});
