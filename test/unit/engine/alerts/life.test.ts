import { faultFrom } from '../home';
import { AlertWorld, failure, MINUTE, SPECIFIED } from './world';

const DAY_MINUTES = 24 * 60;

describe('an alert in process', () => {
  let world: AlertWorld;
  beforeEach(() => {
    world = new AlertWorld();
  });

  it('is pending, rings, is acknowledged, ends, and rings again; each is told once and stands in the history', async () => {
    await world.create([failure({ duration: '2m', notification_channels: ['email'] })]);
    expect(await world.first()).toMatchObject({ state: 'unknown', slug: 'failure', duration: '2m', values: {} });
    await world.look();
    expect((await world.first()).state).toBe('ok');
    await world.ended('failed');
    await world.minutes(1);
    expect(await world.first()).toMatchObject({ state: 'pending', values: { connection_status: 'failed' } });
    expect(world.told).toEqual([]);
    await world.minutes(2);
    const at = new Date(world.home.clock.now()).toISOString();
    expect(await world.first()).toMatchObject({ state: 'firing', since: at, toldAt: at });
    expect(world.told).toMatchObject([
      {
        kind: 'alert',
        severity: 'critical',
        integration: 'shop',
        title: 'shop: Failure',
        at,
        channels: ['email'],
        facts: { alert: 'Failure', condition: "connection_status == 'failed'", connection_status: 'failed', since: at },
      },
    ]);
    expect(world.told[0]?.text).toBe(
      "connection_status == 'failed' (2m): connection_status is 'failed'\nconnecting to db: refused\nWhen you look after it: explorerio alerts ack shop failure",
    );
    world.news();

    const acknowledged = await world.engine.service.acknowledgeAlert('shop', 'Failure', {
      by: 'ann',
      comment: 'on it',
    });
    expect(acknowledged.acknowledged).toEqual({ at, by: 'ann', comment: 'on it' });
    await world.minutes(DAY_MINUTES + 30, 10);
    expect(world.news()).toEqual([]);
    await world.ended('succeeded');
    await world.minutes(1);
    expect(world.told).toMatchObject([{ kind: 'resolved', severity: 'info', channels: ['email'] }]);
    expect(world.told[0]?.text).toContain(`connection_status is 'connected'\nIt rang since ${at}`);
    expect(world.news()).toEqual(['shop: Failure is over']);
    expect((await world.first()).state).toBe('resolved');
    await world.minutes(1);
    expect(await world.first()).toMatchObject({ state: 'ok' });
    expect(await world.first()).not.toHaveProperty('acknowledged');

    await world.ended('failed');
    await world.minutes(3);
    expect(world.news()).toEqual(['shop: Failure']);
    expect(await world.history()).toEqual([
      'failure firing',
      'failure acknowledged',
      'failure resolved',
      'failure firing',
    ]);
    expect((await world.engine.service.alertHistory('shop', 3)).at(-1)).toMatchObject({ by: 'ann', comment: 'on it' });
  });

  it('reminds once a day of what nobody has acknowledged', async () => {
    await world.create([failure()]);
    await world.ended('failed');
    await world.minutes(2 * DAY_MINUTES + 30, 10);
    expect(world.news()).toEqual(['shop: Failure', 'shop: Failure, still', 'shop: Failure, still']);
    await world.engine.service.acknowledgeAlert('shop', 'failure', {});
    await world.minutes(DAY_MINUTES, 10);
    expect(world.news()).toEqual([]);
  });

  it('that comes and goes never rings where it has a duration, and each time where it has none', async () => {
    await world.create([failure({ duration: '2m' }), failure({ name: 'At once' })]);
    for (let turn = 0; turn < 10; turn++) {
      await world.ended(turn % 2 === 0 ? 'failed' : 'succeeded');
      await world.minutes(1);
    }
    expect(new Set(world.news())).toEqual(new Set(['shop: At once', 'shop: At once is over']));
    expect(await world.history()).toHaveLength(10);
  });

  it('of severity "info" tells nobody, until it becomes worse', async () => {
    await world.create([failure({ severity: 'info' })]);
    await world.ended('failed');
    await world.minutes(2);
    expect([(await world.first()).state, world.news()]).toEqual(['firing', []]);
    await world.change([failure({ severity: 'warning' })]);
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure']);
    await world.change([failure({ severity: 'info' })]);
    await world.ended('succeeded');
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure is over']);
  });

  it('about an age rings for an integration that never ran, with its value; one about a rate does not', async () => {
    await world.create(SPECIFIED);
    await world.minutes(120);
    expect(world.news()).toEqual([]);
    await world.minutes(1);
    expect(world.told[0]?.text).toContain("last_sync_age > '2h': last_sync_age is 2h1m");
    expect(world.news()).toEqual(['shop: Data Staleness']);
    const states = (await world.engine.service.alerts()).map(({ slug, state }) => `${slug} ${state}`);
    expect(states).toEqual(['integration-failure ok', 'high-error-rate no_data', 'data-staleness firing']);
    await world.ended('succeeded', { rows: 90, quarantined: 6, skipped: 4 });
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: High Error Rate', 'shop: Data Staleness is over']);
    await world.minutes(5);
    expect(world.told[0]?.text).toContain('there is no data for it any more');
    expect(world.news()).toEqual(['shop: High Error Rate is over']);
  });

  it('is not changed by a look that is older than the last one, but by one after the clock was set back', async () => {
    await world.create([failure()]);
    await world.ended('failed');
    await world.minutes(1);
    const fired = await world.first();
    await world.ended('succeeded');
    await world.home.clock.jump(-5 * MINUTE);
    await world.look();
    expect(await world.first()).toEqual(fired);
    await world.home.clock.jump(-55 * MINUTE);
    await world.look();
    expect((await world.first()).state).toBe('resolved');
  });

  it('begins anew when its condition is changed, and what was told is ended', async () => {
    await world.create([failure({ duration: '5m' })]);
    await world.ended('failed');
    await world.minutes(4);
    await world.change([failure({ condition: "status != 'healthy'", duration: '5m' })]);
    expect((await world.first()).state).toBe('unknown');
    await world.minutes(5);
    expect([(await world.first()).state, world.news()]).toEqual(['pending', []]);
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure']);
    await world.change([failure({ duration: '3m' })]);
    await world.minutes(1);
    expect(world.told[0]?.text).toContain('the alert was changed in the document');
    expect(world.news()).toEqual(['shop: Failure is over']);
    await world.minutes(3);
    expect(world.news()).toEqual(['shop: Failure']);
  });

  it.each([
    ['the alert is removed', 'not in the document any more', (one: AlertWorld) => one.change([])],
    ['the integration is paused', 'paused', (one: AlertWorld) => one.change([failure()], { enabled: false })],
    [
      'the integration is removed',
      'not in the document any more',
      (one: AlertWorld) => one.engine.service.remove('shop', { data: false }),
    ],
  ] as const)('is ended and forgotten when %s', async (_what, reason, act) => {
    await world.create([failure({ notification_channels: ['slack'] })]);
    await world.ended('failed');
    await world.minutes(1);
    await world.engine.service.muteAlerts({
      integration: 'shop',
      from: '2027-01-01T00:00:00Z',
      until: '2027-02-01T00:00:00Z',
    });
    world.news();
    await act(world);
    await world.minutes(1);
    expect(world.told).toMatchObject([{ kind: 'resolved', channels: ['slack'] }]);
    expect(world.told[0]?.text).toContain(reason);
    await world.minutes(5);
    expect(world.told).toHaveLength(1);
    expect(await world.state.query('alerts/states')).toEqual([]);
    const isGone = !(await world.engine.service.list()).length;
    expect((await world.state.query('alerts/history')).length).toBe(isGone ? 0 : 1);
    expect((await world.state.query('alerts/mutes')).length).toBe(isGone ? 0 : 1);
  });

  it('keeps the last hundred changes, for thirty days', async () => {
    await world.create([failure()]);
    for (let turn = 0; turn < 120; turn++) {
      await world.ended(turn % 2 === 0 ? 'failed' : 'succeeded');
      await world.minutes(1);
    }
    expect(await world.history()).toHaveLength(100);
    await world.home.clock.advance(31 * DAY_MINUTES * MINUTE);
    expect(await world.history()).toEqual([]);
  });

  it('is not written at every look, though its values change', async () => {
    await world.create([failure({ condition: "last_sync_age > '2h'" })]);
    await world.look();
    let writes = 0;
    world.home.state.beforePut = () => void writes++;
    await world.minutes(60);
    expect(writes).toBeLessThanOrEqual(12);
    const { lookedAt = '' } = await world.first();
    expect(world.home.clock.now() - Date.parse(lookedAt)).toBeLessThan(5 * MINUTE);
  });

  it('says what cannot be acknowledged', async () => {
    await world.create([failure()]);
    await world.look();
    const { service } = world.engine;
    expect(await faultFrom(service.acknowledgeAlert('shop', 'failure', {}))).toMatchObject({
      code: 'alert_not_firing',
    });
    expect(await faultFrom(service.acknowledgeAlert('shop', 'failur', {}))).toMatchObject({
      code: 'not_found',
      hint: 'Did you mean "failure"? Its alerts are failure.',
    });
    expect(await faultFrom(service.alerts('crm'))).toMatchObject({ code: 'not_found' });
    expect(await faultFrom(service.alertHistory('crm', 5))).toMatchObject({ code: 'not_found' });
  });

  it('stands in the status while it rings, and the document has no warning', async () => {
    await world.create([failure()]);
    expect((await world.engine.service.get('shop')).warnings).toEqual([]);
    await world.look();
    expect((await world.engine.service.status('shop')).firingAlerts).toEqual([]);
    await world.ended('failed');
    await world.minutes(1);
    expect((await world.engine.service.status('shop')).firingAlerts).toMatchObject([{ name: 'Failure' }]);
  });

  it('is not looked at while what was decided before cannot be stored to be told, so that nothing piles up', async () => {
    await world.create([failure()]);
    world.tellingFails = true;
    for (let turn = 0; turn < 10; turn++) {
      await world.ended(turn % 2 === 0 ? 'failed' : 'succeeded');
      await expect(world.minutes(1)).rejects.toThrow('the state cannot be reached');
    }
    world.tellingFails = false;
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure', 'shop: Failure is over']);
    expect(await world.history()).toEqual(['failure firing', 'failure resolved']);
  });

  it('does not keep others from being looked at when one cannot be', async () => {
    await world.create([failure()]);
    await world.ended('failed');
    await world.engine.service.create({ name: 'crm', type: 'memory', connection: {}, alerts: [failure()] });
    await world.ended('failed', { integration: 'crm' });
    const { query } = world.home.state;
    world.home.state.query = async (partition, ...rest) => {
      if (partition === 'runs/crm') throw new Error('broken');
      return query.call(world.home.state, partition, ...rest);
    };
    await world.home.clock.advance(MINUTE);
    await expect(world.look()).rejects.toThrow('broken');
    expect(world.news()).toEqual(['shop: Failure']);
    world.home.state.query = query;
    await world.minutes(1);
    expect(world.news()).toEqual(['crm: Failure']);
  });
});

it('where something else rings alerts, nothing is looked at and the methods say so', async () => {
  const world = new AlertWorld();
  world.home.evaluator = undefined;
  world.home.alarms = { set: async () => undefined, remove: async () => undefined, reconcile: async () => undefined };
  world.engine = world.home.engine();
  await world.create([failure()]);
  await world.ended('failed');
  await world.minutes(2);
  expect(await world.state.query('alerts/states')).toEqual([]);
  const { service } = world.engine;
  for (const asked of [
    service.alerts(),
    service.alertHistory('shop', 1),
    service.acknowledgeAlert('shop', 'failure', {}),
    service.alertMutes(),
    service.muteAlerts({ until: '2027-01-01T00:00:00Z' }),
    service.unmuteAlerts('x'),
  ]) {
    expect(await faultFrom(asked)).toMatchObject({
      kind: 'config',
      code: 'alerts_elsewhere',
      hint: expect.any(String),
    });
  }
  expect(await service.status('shop')).not.toHaveProperty('firingAlerts');
});
