import type { Notification } from '../../../../lib/core/notification';
import type { Engine } from '../../../../lib/engine/engine';
import { newsOf, type Row, type StreamNews } from '../../../../lib/engine/notify/run-texts';
import type { RunItem } from '../../../../lib/engine/state';
import { document, faultOf, Home, syncAll } from '../home';
import { World } from './world';

const NEVER = new AbortController().signal;
const HOUR = 3_600_000;
const WISHES = { tellsQuarantine: true, dayMs: 24 * HOUR };

describe('what is told of runs', () => {
  let home: Home;
  let world: World;
  let engine: Engine;
  let told: Notification[];
  beforeEach(async () => {
    home = new Home();
    world = new World(home.state);
    told = [];
    const { notify, ...rest } = world.process();
    home.notifications = {
      ...rest,
      notify: async (one, channels) => {
        told.push(one);
        await notify(one, channels);
      },
    };
    home.fill('orders', 3);
    engine = home.engine({ maxAttempts: 1 });
    await engine.service.create(document());
  });

  const sync = async (more: { readonly fails?: boolean } = {}) => {
    home.hooks.scan = () => {
      if (more.fails) throw faultOf('config');
    };
    const run = await syncAll(home, engine);
    await home.clock.advance(1000);
    await engine.tellOfRuns();
    return run;
  };

  it('is nothing where all is well', async () => {
    await sync();
    await sync();
    expect(told).toEqual([]);
  });

  it('is the first failure with its hint, then fewer and fewer, and that it works again; the counts add up', async () => {
    for (let count = 0; count < 20; count++) await sync({ fails: true });
    await sync();
    await sync();
    expect(told.map(({ title }) => title)).toEqual([
      'shop: the sync failed',
      'shop: the sync failed, for the 2nd time in a row',
      'shop: the sync failed, for the 4th time in a row',
      'shop: the sync failed, for the 8th time in a row',
      'shop: the sync failed, for the 16th time in a row',
      'shop: syncs succeed again',
    ]);
    expect(told[0]).toMatchObject({ kind: 'run_failed', severity: 'critical', integration: 'shop' });
    expect(told[0]?.text).toMatch(
      /^orders: reading: config\n {2}What to do about config\.\nSee the run with: explorerio run shop-/,
    );
    expect(told[2]?.text).toContain('No sync has succeeded since 2026-01-01T');
    expect(told[5]).toMatchObject({ kind: 'resolved', severity: 'info' });
    expect(told[5]?.text).toContain('After 20 failed syncs since 2026-01-01T');
    expect(told.reduce((sum, { facts }) => sum + Number(facts.runs), 0)).toBe(20);
  });

  it('is told once, however often it is looked at, and by whom', async () => {
    await sync({ fails: true });
    await engine.tellOfRuns();
    await home.engine({ owner: 'other' }).tellOfRuns();
    expect(told).toHaveLength(1);
  });

  it('is told again, with the same id, when it is not known whether it was', async () => {
    await syncFailing();
    const { put } = home.state;
    home.state.put = async (key, ...rest) => {
      if (key.partition === 'notify/rows') throw new Error('killed');
      return put.call(home.state, key, ...rest);
    };
    await expect(engine.tellOfRuns()).rejects.toThrow('killed');
    home.state.put = put;
    await engine.tellOfRuns();
    expect(told.map(({ id }) => id)).toEqual([told[0]?.id, told[0]?.id]);
    await world.clock.advance(60_000);
    await home.notifications?.deliver(NEVER);
    expect(world.email.sent).toHaveLength(1);
  });

  async function syncFailing() {
    home.hooks.scan = () => {
      throw faultOf('config');
    };
    await syncAll(home, engine);
  }

  it('is nothing that ended long before anybody looked', async () => {
    await syncFailing();
    await home.clock.advance(2 * HOUR);
    await engine.tellOfRuns();
    expect(told).toEqual([]);
    await sync({ fails: true });
    expect(told).toHaveLength(1);
  });

  it('is what could not be loaded, where the document asks for it', () => {
    const streams = [stream({ stream: 'orders', quarantined: 12, skipped: 3 }), stream({ stream: 'people' })];
    const run = item({ state: 'succeeded', rows: 100, quarantined: 12, skipped: 3 });
    expect(newsOf(NEW, run, streams, { ...WISHES, tellsQuarantine: false }).notifications).toEqual([]);
    const [news] = newsOf(NEW, run, streams, WISHES).notifications;
    expect(news).toMatchObject({
      kind: 'quarantine',
      id: 'quarantine/shop-1',
      title: 'shop: 15 records could not be loaded',
      facts: { quarantined: 12, skipped: 3, rows: 100 },
    });
    expect(news?.text).toBe(
      'orders: 12 in quarantine, 3 left out\n100 rows were loaded. See the records and why with: explorerio quarantine shop',
    );
  });

  it('is a changed shape, in words: that it was followed, or that it waits, and then once', () => {
    const followed = newsOf(
      NEW,
      item({ state: 'succeeded' }),
      [stream({ changes: ['added column email (text)'] })],
      WISHES,
    );
    expect(followed.notifications).toMatchObject([
      { kind: 'schema_change', severity: 'info', stream: 'orders', title: 'shop: the shape of orders has changed' },
    ]);
    expect(followed.notifications[0]?.text).toContain('added column email (text)\n');
    const fault = {
      kind: 'config',
      code: 'schema_changed',
      message: 'its shape has changed',
      hint: 'Accept it.',
    } as const;
    const waiting = [stream({ state: 'failed', changes: ['removed column email'], fault })];
    const first = newsOf(NEW, item({ state: 'failed' }), waiting, WISHES);
    expect(first.notifications).toMatchObject([
      {
        kind: 'schema_change',
        severity: 'warning',
        title: 'shop: orders waits, as its shape has changed',
        text: 'removed column email\nAccept it.',
      },
    ]);
    const second = newsOf(first.row, item({ id: 'shop-2', state: 'failed' }), waiting, WISHES);
    expect(second.notifications[0]?.id).toBe(first.notifications[0]?.id);
    const good = newsOf(second.row, item({ id: 'shop-3', state: 'succeeded' }), [stream()], WISHES);
    expect(good.notifications).toMatchObject([{ kind: 'resolved' }]);
  });

  it('is a changed shape that is kept as it was, once, however often a sync finds it', () => {
    const kept = [stream({ changes: ['field note (text) is new'], policy: 'quarantine' })];
    const first = newsOf(NEW, item({ state: 'succeeded' }), kept, WISHES);
    expect(first.notifications).toMatchObject([
      {
        kind: 'schema_change',
        severity: 'warning',
        stream: 'orders',
        title: expect.stringContaining('kept as it was'),
      },
    ]);
    expect(first.notifications[0]?.text).toMatch(/^field note \(text\) is new\n.*schema accept shop orders$/);
    const second = newsOf(first.row, item({ id: 'shop-2', state: 'succeeded' }), kept, WISHES);
    expect(second.notifications[0]?.id).toBe(first.notifications[0]?.id);
    const other = newsOf(first.row, item({ id: 'shop-3' }), [stream({ ...kept[0], changes: ['other'] })], WISHES);
    expect(other.notifications[0]?.id).not.toBe(first.notifications[0]?.id);
  });

  it('is a failure each day at least, however long the row', () => {
    let row: Row = NEW;
    let count = 0;
    for (let run = 0; run < 24 * 10; run++) {
      const ended = newsOf(
        row,
        item({ id: `shop-${run}`, state: 'partial', finishedAt: run * HOUR }),
        [FAILED],
        WISHES,
      );
      row = ended.row;
      count += ended.notifications.length;
      expect(ended.notifications.every(({ severity }) => severity === 'warning')).toBe(true);
    }
    expect(count).toBeGreaterThanOrEqual(13);
    expect(count).toBeLessThanOrEqual(18);
  });

  it('is nothing of a run that was cancelled, which leaves the row as it was', () => {
    const failed = newsOf(NEW, item({ state: 'failed' }), [FAILED], WISHES);
    const cancelled = newsOf(failed.row, item({ id: 'shop-2', state: 'cancelled' }), [], WISHES);
    expect(cancelled.notifications).toEqual([]);
    expect(cancelled.row).toEqual({ ...failed.row, lastRun: 'shop-2' });
  });

  it('warns of channels that are named and not there, in the document and in the list', async () => {
    const alerts = [
      {
        name: 'Stale',
        condition: "last_sync_age > '2h'",
        severity: 'critical',
        notification_channels: ['mail', 'webhook', 'emial'],
      },
    ];
    const { warnings } = await engine.service.update('shop', document({ alerts }), undefined);
    expect(warnings.filter((one) => one.includes('channels'))).toEqual([
      'alerts[0].notification_channels[1]: no webhook. Set it.',
      'alerts[0].notification_channels[2]: telling emial: there is no such channel. Did you mean "email"?',
    ]);
    expect(await engine.service.validate(document({ alerts }))).toEqual(expect.arrayContaining(warnings as string[]));
    const channels = await engine.service.notificationChannels();
    expect(channels).toMatchObject([
      { channel: 'email', state: 'idle', usedBy: ['shop'] },
      { channel: 'slack', state: 'idle', usedBy: [] },
      { channel: 'webhook', state: 'missing', usedBy: ['shop'] },
      { channel: 'emial', state: 'missing', usedBy: ['shop'], missing: { code: 'unknown_channel' } },
    ]);
  });

  it('goes on the channels of the alert that it is about', async () => {
    const alerts = [
      { name: 'Stale', condition: "last_sync_age > '2h'", severity: 'critical', notification_channels: ['slack'] },
    ];
    await engine.service.update('shop', document({ alerts }), undefined);
    const base = {
      severity: 'critical',
      integration: 'shop',
      at: '2026-01-01T00:00:00.000Z',
      text: '',
      title: 'stale',
    } as const;
    await home.notifications?.notify({ ...base, id: 'a', kind: 'alert', facts: { alert: 'Stale' } });
    await home.notifications?.notify({ ...base, id: 'b', kind: 'resolved', facts: { alert: 'Stale' } });
    await home.notifications?.deliver(NEVER);
    expect(world.slack.sent.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(world.email.sent).toEqual([]);
  });
});

const NEW: Row = { lastRun: '', failures: 0, told: 0 };
const FAILED = stream({
  state: 'failed',
  fault: { kind: 'config', code: 'table_gone', message: 'reading orders: gone', hint: 'Look.' },
});

function stream(more: Partial<StreamNews> = {}): StreamNews {
  return { stream: 'orders', state: 'succeeded', changes: [], policy: 'apply', quarantined: 0, skipped: 0, ...more };
}

function item(more: Partial<RunItem>): RunItem {
  return {
    id: 'shop-1',
    integration: 'shop',
    document: { name: 'shop' },
    trigger: 'schedule',
    state: 'succeeded',
    createdAt: 0,
    finishedAt: 1000,
    planned: true,
    attempts: 0,
    retryAt: 0,
    retries: 0,
    cancelRequested: false,
    rows: 0,
    bytes: 0,
    slices: 1,
    quarantined: 0,
    skipped: 0,
    ...more,
  };
}
