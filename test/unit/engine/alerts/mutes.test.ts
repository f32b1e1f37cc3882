import { faultFrom } from '../home';
import { AlertWorld, failure, MINUTE } from './world';

describe('muted alerts', () => {
  let world: AlertWorld;
  let begin: number;
  beforeEach(async () => {
    world = new AlertWorld();
    begin = world.home.clock.now();
    await world.create([failure(), failure({ name: 'Also' })]);
  });

  const iso = (minutes: number) => new Date(begin + minutes * MINUTE).toISOString();
  const mute = (more: object = {}) => world.engine.service.muteAlerts({ until: iso(10), ...more });

  it('go on in state and history, and what still rings at the end is told then', async () => {
    const { id } = await mute({ integration: 'shop', by: 'ann', comment: 'moving' });
    expect(await world.engine.service.alertMutes()).toEqual([
      { id, integration: 'shop', from: iso(0), until: iso(10), by: 'ann', comment: 'moving' },
    ]);
    await world.ended('failed');
    await world.minutes(9);
    expect(await world.first()).toMatchObject({ state: 'firing', mutedUntil: iso(10) });
    expect(await world.history()).toEqual(['failure firing', 'also firing']);
    expect(world.news()).toEqual([]);
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure', 'shop: Also']);
    expect(await world.first()).not.toHaveProperty('mutedUntil');
    expect(await world.engine.service.alertMutes()).toEqual([]);
  });

  it('tell nothing of what has come and gone meanwhile', async () => {
    await mute({ integration: 'shop' });
    await world.ended('failed');
    await world.minutes(2);
    await world.ended('succeeded');
    await world.minutes(20);
    expect(world.news()).toEqual([]);
    expect(await world.history()).toHaveLength(4);
  });

  it('tell the end of what was told before, when the mute has ended; and nothing where it rings again by then', async () => {
    await world.ended('failed');
    await world.minutes(1);
    world.news();
    await mute({ integration: 'shop', alert: 'Failure' });
    await world.ended('succeeded');
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Also is over']);
    await world.ended('failed');
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Also']);
    await world.minutes(8);
    expect(world.news()).toEqual([]);
    await world.ended('succeeded');
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Failure is over', 'shop: Also is over']);
  });

  it('tell nothing of their removal', async () => {
    await world.ended('failed');
    await world.minutes(1);
    world.news();
    await mute({ integration: 'shop', alert: 'failure' });
    await world.change([]);
    await world.minutes(15);
    expect(world.news()).toEqual(['shop: Also is over']);
  });

  it('are those that are meant: one, those of an integration, or all; from a time on', async () => {
    const mutes = async () =>
      (await world.engine.service.alerts()).map(({ mutedUntil }) => (mutedUntil === undefined ? '-' : mutedUntil));
    const one = await mute({ integration: 'shop', alert: 'also' });
    expect(await mutes()).toEqual(['-', iso(10)]);
    await world.engine.service.unmuteAlerts(one.id);
    expect(await mutes()).toEqual(['-', '-']);
    await mute({ integration: 'shop', from: iso(5) });
    await mute({ until: iso(8) });
    expect(await mutes()).toEqual([iso(8), iso(8)]);
    await world.minutes(5);
    expect(await mutes()).toEqual([iso(10), iso(10)]);
  });

  it('that somebody has acknowledged are not told when the mute has ended', async () => {
    await mute({ integration: 'shop' });
    await world.ended('failed');
    await world.minutes(2);
    await world.engine.service.acknowledgeAlert('shop', 'failure', {});
    await world.minutes(10);
    expect(world.news()).toEqual(['shop: Also']);
    await world.ended('succeeded');
    await world.minutes(1);
    expect(world.news()).toEqual(['shop: Also is over']);
  });

  it('cannot be asked for wrongly', async () => {
    const refused = async (more: object) => (await faultFrom(mute(more))).issues ?? (await faultFrom(mute(more))).code;
    expect(await refused({ until: iso(0) })).toEqual([{ path: 'until', message: expect.stringContaining('later') }]);
    expect(await refused({ from: iso(20) })).toEqual([{ path: 'until', message: expect.stringContaining('later') }]);
    expect(await refused({ until: iso(400 * 1440) })).toEqual([{ path: 'until', message: 'must be within a year' }]);
    expect(await refused({ alert: 'failure' })).toEqual([{ path: 'integration', message: 'is needed with "alert"' }]);
    expect(await refused({ integration: 'crm' })).toBe('not_found');
    expect(await refused({ integration: 'shop', alert: 'x' })).toBe('not_found');
    expect(await faultFrom(world.engine.service.unmuteAlerts('x'))).toMatchObject({ code: 'not_found' });
  });

  it('are a thousand at most', async () => {
    for (let index = 0; index < 1000; index++) await mute();
    expect(await refusedCode()).toBe('too_many_mutes');
  });

  const refusedCode = async () => (await faultFrom(mute())).code;
});
