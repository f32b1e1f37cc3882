import { setImmediate } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Json } from '../../../lib/core/json';
import type { Engine } from '../../../lib/engine/engine';
import { keys } from '../../../lib/engine/state';
import { document, faultFrom, finish, Home, MANUAL, NEVER, QUEUED, syncAll } from './home';

const AT = '2026-01-01T02:00:00.000Z';

describe('redriving dead letters', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(async () => {
    home = new Home();
    home.fill('orders', 5);
    engine = home.engine();
    await engine.service.create(document());
  });

  /** Receives what the queue holds, and these bodies, too often. */
  async function bury(...bodies: readonly Json[]): Promise<void> {
    await home.queue.send(bodies.map((body) => ({ body, group: 'shop' })));
    for (;;) {
      const received = await home.queue.receive({ max: 10, visibilityMs: 1, waitMs: 0, signal: NEVER });
      if (received.length === 0) return;
      for (const { receipt } of received) await home.queue.release(receipt, 0);
    }
  }
  /** Works on what is there until so many batches of a scan were read, and leaves the rest. */
  async function stepUntilBatch(last: number): Promise<void> {
    const stop = new AbortController();
    home.hooks.scan = (_request, batch) => {
      if (batch === last) stop.abort();
    };
    await engine.step(0, stop.signal);
    home.hooks.scan = () => undefined;
  }
  const letters = async () => (await home.queue.deadLetters(100)).length;
  const runs = () => engine.service.runs('shop', { limit: 50 });

  it('sends a run that is still going on to the workers again', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury();
    expect(await letters()).toBe(1);
    expect(await engine.service.redrive({})).toEqual([
      { integration: 'shop', run: id, outcome: 'resent', note: expect.any(String) },
    ]);
    expect(await letters()).toBe(0);
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded', rows: 5 });
  });

  it('lets a run that was waiting wait on', async () => {
    const first = await engine.service.sync('shop', MANUAL);
    const second = await engine.service.sync('shop', QUEUED);
    await bury({ run: second.id });
    const results = await engine.service.redrive({ run: second.id });
    expect(results).toMatchObject([{ outcome: 'resent', note: `the run waits for run ${first.id}` }]);
    await engine.service.redrive({});
    await finish(home, engine, first.id);
    expect(await finish(home, engine, second.id)).toMatchObject({ state: 'succeeded' });
  });

  it('starts one run of the same kind for one that had been ended as failed, however often it is asked', async () => {
    const { id } = await engine.service.sync('shop', { ...MANUAL, type: 'full' });
    await bury({ run: id }, { run: id });
    expect(await engine.abandon(id)).toBe(true);
    const [[first, ...others] = [], atOnce] = await Promise.all([
      engine.service.redrive({}),
      home.engine().service.redrive({}),
    ]);
    expect(atOnce.filter(({ started }) => started !== first?.started)).toEqual([]);
    expect(first).toMatchObject({ run: id, outcome: 'started', started: expect.stringMatching(/^shop-/) });
    expect(others.map(({ started }) => started)).toEqual([first?.started, first?.started]);
    await home.clock.jump(3 * 24 * 3600 * 1000);
    await bury({ run: id });
    const again = await engine.service.redrive({ integration: 'shop' });
    expect(again.find(({ run }) => run === id)).toMatchObject({ outcome: 'started', started: first?.started });
    expect(await runs()).toHaveLength(2);
    expect(await finish(home, engine, first?.started ?? '')).toMatchObject({ requested: 'full', rows: 5 });
    expect(home.visible('orders')).toBe(5);
    expect(await letters()).toBe(0);
  });

  it('starts another run when the one that took the place has failed, too, and none when it has ended well', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury({ run: id });
    await engine.abandon(id);
    const [second] = await engine.service.redrive({});
    await bury();
    await engine.abandon(second?.started ?? '');
    await bury({ run: id });
    const third = await engine.service.redrive({});
    expect(third.filter(({ outcome }) => outcome !== 'started')).toEqual([]);
    expect(third.map(({ run }) => run)).toEqual(expect.arrayContaining([id, second?.started]));
    expect(new Set(third.map(({ started }) => started)).size).toBe(1);
    expect(await finish(home, engine, third[0]?.started ?? '')).toMatchObject({ state: 'succeeded', rows: 5 });
    await bury({ run: id });
    const note = `run ${third[0]?.started} was started for it and has ended: succeeded`;
    expect(await engine.service.redrive({})).toContainEqual(expect.objectContaining({ outcome: 'removed', note }));
    expect(await runs()).toHaveLength(3);
  });

  it('goes on with increments where the run had stopped', async () => {
    await engine.service.update(
      'shop',
      document({ sync_strategy: { type: 'incremental', timestamp_field: 'changed' } }),
      undefined,
    );
    await syncAll(home, engine);
    home.fill('orders', 4, 6);
    const { id } = await engine.service.sync('shop', MANUAL);
    await stepUntilBatch(1);
    const before = home.visible('orders');
    await bury();
    await engine.abandon(id);
    const [result] = await engine.service.redrive({});
    const run = await finish(home, engine, result?.started ?? '');
    expect(run).toMatchObject({ state: 'succeeded', streams: [{ mode: 'incremental' }] });
    expect(home.visible('orders')).toBe(9);
    expect(run.rows).toBe(9 - before);
    expect(before).toBeGreaterThan(5);
  });

  it('begins a load that was not published anew, and leaves nothing of the old one', async () => {
    home.fill('orders', 6);
    const { id } = await engine.service.sync('shop', MANUAL);
    await stepUntilBatch(1);
    await bury();
    await engine.abandon(id);
    const [result] = await engine.service.redrive({});
    expect(await finish(home, engine, result?.started ?? '')).toMatchObject({ state: 'succeeded', rows: 6 });
    expect(home.visible('orders')).toBe(6);
    expect(await home.state.query(keys.loads('shop'))).toEqual([]);
  });

  it('waits for a run that was started in the meantime', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury();
    await engine.abandon(id);
    const other = await engine.service.sync('shop', MANUAL);
    const [result] = await engine.service.redrive({});
    await finish(home, engine, other.id);
    expect(await finish(home, engine, result?.started ?? '')).toMatchObject({ state: 'succeeded' });
  });

  it('removes letters of runs and integrations that are gone, and of runs that have ended well', async () => {
    const { id } = await syncAll(home, engine);
    await bury({ run: id }, { run: id.replace(/.{6}$/, 'gone00') }, { run: id.replace('shop', 'gone') });
    const results = await engine.service.redrive({});
    expect(results.map(({ integration, outcome }) => [integration, outcome])).toEqual([
      ['shop', 'removed'],
      ['shop', 'removed'],
      ['gone', 'removed'],
    ]);
    expect(results.map(({ note }) => note)).toEqual([
      'the run has already ended: succeeded',
      'the run does not exist any more',
      'the integration does not exist any more',
    ]);
    expect(await letters()).toBe(0);
  });

  it('starts the run of a tick, once for one time', async () => {
    await bury({ schedule: 'shop', at: AT }, { schedule: 'shop', at: AT }, { schedule: 'gone', at: AT });
    const results = await engine.service.redrive({});
    const [run] = await runs();
    expect(results.map(({ outcome, started }) => [outcome, started])).toEqual([
      ['started', run?.id],
      ['started', run?.id],
      ['removed', undefined],
    ]);
    expect(await runs()).toHaveLength(1);
    expect(run).toMatchObject({ trigger: 'schedule' });
  });

  it('leaves a tick out while a run is going on, and while the integration is paused', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury({ schedule: 'shop', at: AT });
    const results = await engine.service.redrive({});
    expect(results).toContainEqual(
      expect.objectContaining({ outcome: 'removed', note: expect.stringContaining(`run ${id} is going on`) }),
    );
    await finish(home, engine, id);
    await engine.service.update('shop', document({ enabled: false }), undefined);
    await bury({ schedule: 'shop', at: AT });
    expect(await engine.service.redrive({})).toMatchObject([{ outcome: 'removed', note: 'the integration is paused' }]);
  });

  it.each([[{ what: 1 }], ['text'], [null], [{ run: 'no run id' }], [{ run: 7 }]])(
    'keeps %j and says so',
    async (body) => {
      await bury(body);
      const [result, ...others] = await engine.service.redrive({});
      expect(result).toEqual({ outcome: 'kept', note: expect.stringContaining('names no run') });
      expect(others).toEqual([]);
      expect(await letters()).toBe(1);
      expect(await engine.service.redrive({ integration: 'shop' })).toEqual([]);
    },
  );

  it('keeps a letter whose integration cannot run, with the reason, and goes on with the others', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury({ schedule: 'gone', at: AT });
    await engine.abandon(id);
    home.state.put = async () => {
      throw await faultFrom(engine.service.get('none'));
    };
    const results = await engine.service.redrive({});
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['kept', 'removed']);
    expect(results.find(({ outcome }) => outcome === 'kept')?.note).toContain('none');
    expect(await letters()).toBe(1);
  });

  it('takes only the letters that are asked for, and refuses a name that there never was', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await bury({ schedule: 'gone', at: AT });
    expect(await engine.service.redrive({ run: id })).toMatchObject([{ run: id }]);
    expect(await engine.service.redrive({ integration: 'gone' })).toMatchObject([{ integration: 'gone' }]);
    expect(await engine.service.redrive({ integration: 'shop' })).toEqual([]);
    expect(await engine.service.redrive({ run: id })).toEqual([]);
    for (const query of [{ integration: 'shpo' }, { run: 'shop-x' }]) {
      expect(await faultFrom(engine.service.redrive(query))).toMatchObject({ code: 'not_found' });
    }
  });

  it('finds a letter behind many that are kept', async () => {
    await bury(...Array.from({ length: 120 }, () => ({ what: 1 })), { schedule: 'gone', at: AT });
    const results = await engine.service.redrive({});
    expect(results).toHaveLength(121);
    expect(results.filter(({ outcome }) => outcome === 'removed')).toHaveLength(1);
  });

  it('handles more letters than one look shows, and leaves what there is no time for', async () => {
    await bury(...Array.from({ length: 230 }, (_, index) => ({ schedule: `gone${index}`, at: AT })));
    const { deadLetters } = home.queue;
    let looks = 0;
    home.queue.deadLetters = async (limit) => {
      if (++looks === 2) await home.clock.jump(60_000);
      return deadLetters.call(home.queue, limit);
    };
    const first = await engine.service.redrive({});
    expect(first.filter(({ outcome }) => outcome === 'removed')).toHaveLength(100);
    expect(first.find(({ outcome }) => outcome === 'kept')?.note).toContain('redrive again');
    const second = await engine.service.redrive({});
    expect(second.filter(({ outcome }) => outcome === 'removed')).toHaveLength(130);
    expect(await letters()).toBe(0);
  });

  describe('beside a process that ends the runs of dead letters', () => {
    /** Redrives, and lets the time between its looks pass. */
    async function redriving(shared: Engine) {
      const results = shared.service.redrive({});
      for (let turn = 0; turn < 50; turn++) await setImmediate();
      await home.clock.jump(2000);
      return results;
    }

    it('looks a second time for what was hidden', async () => {
      const { id } = await engine.service.sync('shop', MANUAL);
      await bury();
      const { deadLetters } = home.queue;
      jest.spyOn(home.queue, 'deadLetters').mockResolvedValueOnce([]).mockImplementation(deadLetters);
      expect(await redriving(home.engine({ exclusive: false }))).toMatchObject([{ run: id, outcome: 'resent' }]);
    });

    it('starts anew what that has ended in the meantime', async () => {
      const { id } = await engine.service.sync('shop', MANUAL);
      await bury();
      const { acknowledge } = home.queue;
      home.queue.acknowledge = async (receipt) => {
        await acknowledge.call(home.queue, receipt);
        await engine.abandon(id);
      };
      const [result] = await redriving(home.engine({ exclusive: false }));
      expect(result).toMatchObject({ run: id, outcome: 'started' });
      expect(await finish(home, engine, result?.started ?? '')).toMatchObject({ state: 'succeeded', rows: 5 });
    });

    it('removes a letter whose receipt was outdated', async () => {
      await bury({ schedule: 'gone', at: AT });
      const { acknowledge } = home.queue;
      let calls = 0;
      home.queue.acknowledge = async (receipt) => {
        if (++calls > 1) await acknowledge.call(home.queue, receipt);
      };
      expect(await redriving(home.engine({ exclusive: false }))).toMatchObject([{ outcome: 'removed' }]);
      expect(await letters()).toBe(0);
    });
  });
});
