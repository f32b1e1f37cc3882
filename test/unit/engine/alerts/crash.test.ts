import { keys } from '../../../../lib/engine/state';
import { alertEvaluator } from '../../../../lib/health/evaluate';
import { document, Home } from '../home';
import { MortalState } from '../notify/mortal-state';
import { World } from '../notify/world';
import { failure, MINUTE, runItem } from './world';

/** What happens, one after the other: the look after each may be the last of its process. */
const LIFE = ['failed', 'failed', 'succeeded', 'failed', 'removed'] as const;

async function live(diesAt: number, after: boolean) {
  const home = new Home();
  home.evaluator = alertEvaluator;
  const world = new World(home.state);
  const mortal = new MortalState(home.state, diesAt, after);
  const engineOn = (state: Home['state'] | MortalState) => {
    const other = new Home();
    Object.assign(other, {
      clock: home.clock,
      state,
      evaluator: alertEvaluator,
      notify: world.process('one', {}, state).notify,
    });
    return other.engine();
  };
  const safe = engineOn(home.state);
  await safe.service.create(document({ alerts: [failure()] }));
  let engine = engineOn(mortal);
  let died = false;
  for (const event of LIFE) {
    await home.clock.advance(MINUTE);
    const run = runItem(home.clock.now(), { state: event === 'removed' ? 'failed' : event });
    if (event === 'removed') await safe.service.update('shop', document({ alerts: [] }), undefined);
    else await home.state.put(keys.run(run.id), JSON.parse(JSON.stringify(run)), undefined);
    const hasEnded = await engine.lookAtAlerts().then(
      () => true,
      () => false,
    );
    if (hasEnded) continue;
    died = true;
    engine = safe;
    await home.clock.advance(MINUTE);
    await engine.lookAtAlerts();
  }
  const process = world.process('one', {}, home.state);
  world.clock.jump(home.clock.now() - world.clock.now());
  await world.pass(process, 3_600_000);
  const history = ((await home.state.get({ partition: 'alerts/history', sort: 'shop' }))?.value ?? { changes: [] }) as {
    readonly changes: readonly { readonly change: string }[];
  };
  return {
    died,
    told: world.email.told,
    titles: world.email.sent.map(({ title }) => title),
    changes: history.changes.map(({ change }) => change),
    left: (await home.state.query('alerts/states')).length,
  };
}

it.each([false, true])(
  'a process that dies at any write (after it: %s) loses no news and repeats none, and no line of the history',
  async (after) => {
    const whole = await live(Number.POSITIVE_INFINITY, after);
    expect(whole).toMatchObject({
      died: false,
      told: 4,
      changes: ['firing', 'resolved', 'firing', 'resolved'],
      left: 0,
    });
    let points = 0;
    for (let diesAt = 1; ; diesAt++) {
      const { died, ...rest } = await live(diesAt, after);
      if (!died) break;
      points += 1;
      expect({ diesAt, told: rest.told, changes: rest.changes, left: rest.left }).toEqual({
        diesAt,
        told: 4,
        changes: whole.changes,
        left: 0,
      });
    }
    expect(points).toBeGreaterThan(15);
  },
  30_000,
);
