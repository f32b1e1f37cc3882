import { World } from '../notify/world';
import { AlertWorld, failure, MINUTE } from './world';

const NEVER = new AbortController().signal;
const INTEGRATIONS = 1000;

it('a thousand integrations that fail at once are few messages, and so is their end; the counts add up', async () => {
  const world = new AlertWorld();
  const channels = new World(world.state);
  const process = channels.process();
  world.home.notify = process.notify;
  world.engine = world.home.engine();
  const names = Array.from({ length: INTEGRATIONS }, (_, index) => `i${index}`);
  for (const name of names) {
    await world.engine.service.create({ name, type: 'memory', connection: {}, alerts: [failure()] });
  }
  const all = async (state: 'failed' | 'succeeded') => {
    for (const integration of names) await world.ended(state, { integration });
    await world.minutes(1);
    await channels.clock.advance(world.home.clock.now() - channels.clock.now());
    await channels.pass(process, 20 * MINUTE);
  };
  await all('failed');
  const alerts = await world.engine.service.alerts();
  expect(alerts.filter(({ state }) => state === 'firing')).toHaveLength(INTEGRATIONS);
  expect(channels.email.told).toBe(INTEGRATIONS);
  expect(channels.email.sent.length).toBeLessThanOrEqual(6);
  expect(channels.email.sent.at(-1)?.title).toMatch(
    /^\d+ notifications of \d+ integrations and others, in one message$/,
  );

  await world.home.clock.advance(channels.clock.now() - world.home.clock.now());
  await all('succeeded');
  expect(channels.email.told).toBe(2 * INTEGRATIONS);
  expect(channels.email.sent.length).toBeLessThanOrEqual(12);
  await process.deliver(NEVER);
  expect((await process.channels()).find(({ channel }) => channel === 'email')).toMatchObject({
    waiting: 0,
    givenUp: 0,
  });
}, 60_000);
