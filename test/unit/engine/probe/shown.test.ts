import type { CheckReport } from '../../../../lib/core/check';
import { Fault } from '../../../../lib/core/fault';
import type { Engine } from '../../../../lib/engine/engine';
import { MOST_REMEMBERED } from '../../../../lib/engine/probe/item';
import { document, Home, NEVER, syncAll } from '../home';
import { CHECKS, failed, lookOnce, PASSED } from './look';

let home: Home;
let engine: Engine;
/** What the next attempts answer, the last one for ever. */
let answers: (CheckReport | Error)[];

beforeEach(async () => {
  home = new Home();
  home.healthChecks = { everySeconds: 1 };
  home.fill('orders', 2);
  answers = [PASSED];
  home.check = async () => {
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? PASSED;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  engine = home.engine();
  await engine.service.create(document({ health_checks: CHECKS }));
});

const look = () => lookOnce(home, engine, { stop: NEVER, atOnce: 4 });
const health = async () => (await engine.service.health())[0];
const check = async () => (await health())?.healthCheck;

describe('what a connection test shows', () => {
  it('decides how the connection stands, when it is newer than the last run', async () => {
    expect(await health()).toMatchObject({ status: 'unknown', connectionStatus: 'unknown' });
    await look();
    expect(await health()).toMatchObject({ status: 'unknown', connectionStatus: 'connected' });
    answers = [failed('config')];
    await home.clock.advance(60_000);
    await look();
    expect(await health()).toMatchObject({
      status: 'degraded',
      connectionStatus: 'failed',
      detail: 'testing the connection of shop: refused',
    });
    expect(await engine.service.status('shop')).toMatchObject({
      connectionStatus: 'failed',
      healthCheck: { state: 'failed', step: 'connect' },
    });
    await home.clock.advance(5000);
    await syncAll(home, engine);
    expect(await health()).toMatchObject({ status: 'healthy', connectionStatus: 'connected' });
    await home.clock.advance(60_000);
    await look();
    expect(await health()).toMatchObject({ status: 'degraded', connectionStatus: 'failed' });
    const [seen] = await engine.observe();
    expect(seen?.sample).toMatchObject({ connection_status: 'failed', status: 'degraded' });
  });

  it('is failed after three tests in a row, and well again with the next that passes', async () => {
    await syncAll(home, engine);
    answers = [failed('config')];
    const seen: (string | undefined)[] = [];
    for (let count = 0; count < 3; count++) {
      await home.clock.advance(60_000);
      await look();
      seen.push((await health())?.status);
    }
    expect(seen).toEqual(['degraded', 'degraded', 'failed']);
    const before = await check();
    expect(before).toMatchObject({ consecutiveFailures: 3, since: before?.recent[2]?.at });
    answers = [PASSED];
    await home.clock.advance(60_000);
    await look();
    expect(await health()).toMatchObject({ status: 'healthy', connectionStatus: 'connected' });
    const after = await check();
    expect(after).toMatchObject({ consecutiveFailures: 0, since: after?.at, lastSuccess: after?.at });
    expect(after).not.toHaveProperty('fault');
    expect(after).not.toHaveProperty('step');
  });

  it('a failed run is overruled by a test that passed after it, and the run still counts', async () => {
    home.hooks.discover = () => Promise.reject(new Fault('config', 'denied', 'listing: denied'));
    await syncAll(home, engine);
    expect(await health()).toMatchObject({ status: 'degraded', connectionStatus: 'failed' });
    await home.clock.advance(1000);
    await look();
    expect(await health()).toMatchObject({
      status: 'degraded',
      connectionStatus: 'connected',
      detail: 'listing: denied',
    });
  });

  it('comes and goes with the connection: each test is remembered, twenty of them', async () => {
    for (let count = 0; count < MOST_REMEMBERED + 5; count++) {
      answers = [count % 2 === 0 ? PASSED : failed('config')];
      await look();
      await home.clock.advance(60_000);
    }
    const seen = await check();
    expect(seen?.recent).toHaveLength(MOST_REMEMBERED);
    expect(seen?.recent.slice(0, 3).map(({ passed }) => passed)).toEqual([true, false, true]);
    expect(seen?.since).toBe(seen?.recent[0]?.at);
    const [item] = await home.state.query('probes');
    expect(JSON.stringify(item?.value).length).toBeLessThan(4000);
  });

  it('holds no secret', async () => {
    home.redactor.add('hunter22');
    answers = [new Fault('config', 'x', 'login with hunter22 failed', { hint: 'Not hunter22.' })];
    await look();
    const stored = JSON.stringify(await home.state.query('probes'));
    expect(stored + JSON.stringify(await health())).not.toContain('hunter22');
    expect(await check()).toMatchObject({ fault: { message: 'login with [secret] failed' } });
  });
});
