import * as z from 'zod';
import { configSpec, secretField } from '../../../lib/core/config';
import { type Connector, connector } from '../../../lib/core/connector';
import type { Engine } from '../../../lib/engine/engine';
import { keys } from '../../../lib/engine/state';
import { document, faultFrom, finish, gate, Home, MANUAL, NEVER, syncAll } from './home';

/** The connector in memory, with a password. */
function guarded(home: Home): Connector {
  const inner = home.connector();
  const config = z.strictObject({ connection: z.strictObject({ password: secretField('Password.').optional() }) });
  return connector({
    type: 'memory',
    title: 'In memory',
    modes: ['full', 'incremental', 'changes'],
    config: configSpec(config),
    open: (_config, host) => inner.open({ connection: {} }, host),
    classify: () => undefined,
  });
}

describe('integrations', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(() => {
    home = new Home();
    home.fill('orders', 3);
    engine = home.engine({}, () => guarded(home));
  });

  const create = (more: object = {}) => engine.service.create(document(more as Record<string, unknown>));

  it('are created, read and listed in the order of their names', async () => {
    const created = await create({ description: 'The shop' });
    await create({ name: 'alpha' });
    expect(created).toMatchObject({ id: 'shop', createdAt: '2026-01-01T00:00:00.000Z', warnings: [] });
    expect(await engine.service.get('shop')).toEqual(created);
    expect((await engine.service.list()).map((item) => item.id)).toEqual(['alpha', 'shop']);
  });

  it('are refused under a name that is taken, and the first stays', async () => {
    await create({ description: 'first' });
    const fault = await faultFrom(create({ description: 'second' }));
    expect(fault).toMatchObject({ kind: 'config', code: 'already_exists', hint: expect.any(String) });
    expect(fault.issues?.[0]?.path).toBe('name');
    expect((await engine.service.get('shop')).document.description).toBe('first');
  });

  it('are not found, whatever is asked of them', async () => {
    const asked = [
      () => engine.service.get('nobody'),
      () => engine.service.update('nobody', document({ name: 'nobody' }), undefined),
      () => engine.service.remove('nobody', { data: false }),
      () => engine.service.sync('nobody', MANUAL),
      () => engine.service.status('nobody'),
      () => engine.service.runs('nobody', { limit: 5 }),
      () => engine.service.check('nobody', NEVER),
      () => engine.service.quarantined('nobody', { limit: 5 }),
    ];
    for (const ask of asked) {
      expect(await faultFrom(ask())).toMatchObject({ kind: 'config', code: 'not_found', hint: expect.any(String) });
    }
  });

  it('are updated, and each update has a higher revision', async () => {
    const created = await create();
    await home.clock.advance(1000);
    const updated = await engine.service.update('shop', document({ description: 'new' }), created.revision);
    expect(updated.revision).toBeGreaterThan(created.revision);
    expect(updated).toMatchObject({ createdAt: created.createdAt, updatedAt: '2026-01-01T00:00:01.000Z' });
    expect((await engine.service.get('shop')).document.description).toBe('new');
  });

  it('refuse an update or a removal of an outdated revision', async () => {
    const { revision } = await create();
    await engine.service.update('shop', document({ description: 'mine' }), undefined);
    const late = [
      () => engine.service.update('shop', document({ description: 'theirs' }), revision),
      () => engine.service.remove('shop', { revision, data: true }),
    ];
    for (const change of late) expect(await faultFrom(change())).toMatchObject({ code: 'revision_conflict' });
    expect((await engine.service.get('shop')).document.description).toBe('mine');
  });

  it('refuse one of two updates at the same time', async () => {
    const { revision } = await create();
    const results = await Promise.allSettled([
      engine.service.update('shop', document({ description: 'a' }), revision),
      engine.service.update('shop', document({ description: 'b' }), revision),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('keep their name and what is stored when an update is wrong', async () => {
    await create({ description: 'old' });
    for (const wrong of [document({ name: 'other' }), document({ enabled: 'no' }), document({ type: 7 }), [], null]) {
      expect(await faultFrom(engine.service.update('shop', wrong, undefined))).toMatchObject({
        code: 'invalid_config',
      });
    }
    expect((await engine.service.get('shop')).document.description).toBe('old');
  });

  it('never show a secret, keep it when the masked document is sent back, and take a new one', async () => {
    await create({ connection: { password: 'hunter2-old' } });
    const shown = await engine.service.get('shop');
    expect(JSON.stringify([shown, await engine.service.list()])).not.toContain('hunter2');
    await engine.service.update('shop', { ...shown.document, description: 'x' }, shown.revision);
    const stored = async () => (await home.state.get({ partition: 'integrations', sort: 'shop' }))?.value;
    expect(await stored()).toMatchObject({ document: { connection: { password: 'hunter2-old' }, description: 'x' } });
    await engine.service.update('shop', document({ connection: { password: 'hunter2-new' } }), undefined);
    expect(await stored()).toMatchObject({ document: { connection: { password: 'hunter2-new' } } });
  });

  it('let the redactor know a secret that is written into the document', async () => {
    await create({ connection: { password: 'hunter2-inline' } });
    await syncAll(home, engine);
    expect(home.redactor.redact('refused hunter2-inline')).toBe('refused [secret]');
  });

  it('refuse a mask that stands for nothing', async () => {
    const fault = await faultFrom(create({ connection: { password: '[secret]' } }));
    expect(fault.issues?.[0]?.path).toBe('connection.password');
  });

  it('are listed also when one of them is not valid any more', async () => {
    await create();
    const value = { document: document({ name: 'old', colour: 'red' }), createdAt: 'x', updatedAt: 'x' };
    await home.state.put({ partition: 'integrations', sort: 'old' }, JSON.parse(JSON.stringify(value)), 'absent');
    expect((await engine.service.list()).map((item) => item.id)).toEqual(['old', 'shop']);
  });

  it('are scheduled by what the document says, and not when they are not enabled', async () => {
    const hourly = { schedule: '0 * * * *', time_zone: 'Europe/Berlin' };
    await create({ sync_settings: hourly });
    expect(await home.scheduler.list()).toEqual([
      { integration: 'shop', cron: '0 * * * *', timeZone: 'Europe/Berlin' },
    ]);
    expect((await engine.service.status('shop')).nextRun).toBe('2026-01-01T01:00:00.000Z');
    await engine.service.update('shop', document({ sync_settings: { schedule: '30 * * * *' } }), undefined);
    expect((await home.scheduler.list())[0]).toMatchObject({ cron: '30 * * * *', timeZone: 'UTC' });
    await engine.service.update('shop', document({ sync_settings: hourly, enabled: false }), undefined);
    expect(await home.scheduler.list()).toEqual([]);
    expect(await engine.service.status('shop')).toMatchObject({ enabled: false });
    await engine.service.update('shop', document({ sync_settings: hourly }), undefined);
    await engine.service.remove('shop', { data: false });
    expect(await home.scheduler.list()).toEqual([]);
  });

  it('refuse removal while they run, naming the run; afterwards keep the data unless asked', async () => {
    await create();
    const { id } = await engine.service.sync('shop', MANUAL);
    expect(await faultFrom(engine.service.remove('shop', { data: true }))).toMatchObject({
      code: 'run_active',
      run: id,
    });
    await finish(home, engine, id);
    await engine.service.remove('shop', { data: false });
    expect(home.visible('orders')).toBe(3);
    expect(await faultFrom(engine.service.run(id))).toMatchObject({ code: 'not_found' });
  });

  it('drop their data when asked, and begin anew under the same name', async () => {
    await create();
    await syncAll(home, engine);
    await engine.service.remove('shop', { data: true });
    expect(home.visible('orders')).toBe(0);
    await create();
    expect(await engine.service.status('shop')).toMatchObject({ state: 'idle' });
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 3 });
  });

  it('stay when their data cannot be dropped', async () => {
    await create();
    home.hooks.drop = () => Promise.reject(new Error('server gone'));
    await expect(engine.service.remove('shop', { data: true })).rejects.toThrow('server gone');
    await expect(engine.service.get('shop')).resolves.toMatchObject({ id: 'shop' });
  });

  it('can run again when a sync was asked for during their removal', async () => {
    await create();
    home.hooks.drop = async () => {
      home.hooks.drop = async () => undefined;
      await engine.service.sync('shop', MANUAL).catch(() => undefined);
    };
    await engine.service.remove('shop', { data: true }).catch(() => undefined);
    if (!(await engine.service.list()).some((item) => item.id === 'shop')) await create();
    while (await engine.step(0, NEVER));
    await engine.recover();
    while (await engine.step(0, NEVER));
    await expect(engine.service.sync('shop', MANUAL)).resolves.toMatchObject({ state: 'queued' });
  });

  it('do what was asked for during a removal that failed, without being asked again', async () => {
    await create();
    let waiting = '';
    home.hooks.drop = async () => {
      waiting = (await engine.service.sync('shop', { ...MANUAL, whenRunning: 'queue' })).id;
      throw new Error('server gone');
    };
    await expect(engine.service.remove('shop', { data: true })).rejects.toThrow('server gone');
    while (await engine.step(0, NEVER));
    expect(await engine.service.run(waiting)).toMatchObject({ state: 'succeeded', rows: 3 });
  });

  it('are not synced any more by what was to wait and came too late for their removal', async () => {
    await create();
    const { state } = home;
    const put = state.put.bind(state);
    const removed = gate();
    const late = gate();
    state.put = async (key, ...rest) => {
      if (key.partition === keys.queuedRuns('shop')) {
        late.letGo();
        await removed.promise;
      }
      return put(key, ...rest);
    };
    let asked: Promise<unknown> | undefined;
    home.hooks.drop = async () => {
      asked = faultFrom(engine.service.sync('shop', { ...MANUAL, whenRunning: 'queue' }));
      await late.promise;
    };
    await engine.service.remove('shop', { data: true });
    removed.letGo();
    expect(await asked).toMatchObject({ code: 'not_found', message: expect.stringContaining('it was removed') });
    expect(await engine.step(0, NEVER)).toBe(false);
    expect(home.visible('orders')).toBe(0);
    await create();
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 3 });
  });

  it('throw a fault, not anything else, for a document that is no JSON', async () => {
    await create();
    expect(await faultFrom(engine.service.update('shop', undefined, undefined))).toMatchObject({
      code: 'invalid_config',
    });
  });

  it('are checked, discovered and planned, stored or not, and every source is closed again', async () => {
    await create();
    const given = JSON.parse(JSON.stringify(document({ name: 'given', streams: { none: {} } })));
    for (const target of ['shop', given]) {
      expect(await engine.service.check(target, NEVER)).toEqual({ passed: true, steps: [] });
      expect((await engine.service.discover(target, NEVER)).map((info) => info.schema.stream)).toEqual(['orders']);
      expect(await engine.service.plan(target, NEVER)).toMatchObject({ streams: [{ stream: 'orders', mode: 'full' }] });
    }
    expect((await engine.service.plan(given, NEVER)).warnings).toEqual(['streams.none: the source has no such stream']);
    expect(home.opened).toBeGreaterThan(0);
    expect(home.closed).toBe(home.opened);
    expect(await engine.service.list()).toHaveLength(1);
  });

  it('are refused when a reference is not set, naming it, before the source is opened', async () => {
    await create({ connection: { password: '${NOT_SET}' } });
    const fault = await faultFrom(engine.service.check('shop', NEVER));
    expect(fault.issues).toEqual([{ path: 'connection.password', message: expect.stringContaining('NOT_SET') }]);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'failed', fault: { message: expect.stringContaining('NOT_SET') } });
    expect(home.opened).toBe(0);
  });

  it('say which types there are, with a schema of the whole document', async () => {
    const [info] = await engine.service.connectors();
    expect(info).toMatchObject({ type: 'memory', modes: ['full', 'incremental', 'changes'] });
    expect(info?.schema).toMatchObject({
      properties: { type: { const: 'memory' }, connection: expect.anything(), sync_settings: expect.anything() },
      required: expect.arrayContaining(['name', 'type', 'connection']),
    });
  });
});
