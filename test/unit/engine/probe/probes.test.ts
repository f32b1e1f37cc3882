import type { CheckReport } from '../../../../lib/core/check';
import { Fault } from '../../../../lib/core/fault';
import type { Engine } from '../../../../lib/engine/engine';
import type { ProbeRound } from '../../../../lib/engine/probe/probes';
import { document, faultFrom, Home } from '../home';
import { CHECKS, failed, HINT, lookOnce, PASSED } from './look';

let home: Home;
let engine: Engine;
/** What the next attempts answer, the last one for ever; each attempt that was begun. */
let answers: (CheckReport | Error)[];
let attempts: number;
let stop: AbortController;

beforeEach(async () => {
  home = new Home();
  home.healthChecks = { everySeconds: 1 };
  home.fill('orders', 2);
  [answers, attempts, stop] = [[PASSED], 0, new AbortController()];
  home.check = async () => {
    const answer = answers[Math.min(attempts++, answers.length - 1)] ?? PASSED;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  engine = home.engine();
  await engine.service.create(document({ health_checks: CHECKS }));
});

const round = (more: Partial<ProbeRound> = {}): ProbeRound => ({ stop: stop.signal, atOnce: 4, ...more });
const health = async (name = 'shop') => (await engine.service.health()).find(({ integration }) => integration === name);
const check = async () => (await health())?.healthCheck;

const look = (more: Partial<ProbeRound> = {}) => lookOnce(home, engine, round(more));

/** A check that answers when it is told to, or never; `deaf`: not even when it is aborted. */
function hanging(deaf = false): { end: () => void } {
  const handle = { end: () => undefined as unknown };
  home.check = (signal) => {
    attempts++;
    return new Promise((resolve, reject) => {
      handle.end = () => resolve(PASSED);
      if (!deaf) signal.addEventListener('abort', () => reject(new Fault('transient', 'aborted', 'aborted')));
    });
  };
  return handle as { end: () => void };
}

describe('what is tested when', () => {
  it('is due at once, then after each interval', async () => {
    expect(await check()).toMatchObject({ state: 'waiting', consecutiveFailures: 0, recent: [] });
    await look();
    expect(attempts).toBe(1);
    const first = await check();
    expect(first).toMatchObject({ state: 'passed', at: '2026-01-01T00:00:00.000Z', since: first?.at });
    expect(first?.nextAt).toBe('2026-01-01T00:01:00.000Z');
    await home.clock.advance(57_000);
    await look();
    expect(attempts).toBe(1);
    await home.clock.advance(2000);
    await look();
    expect(attempts).toBe(2);
    expect(home.closed).toBe(home.opened);
  });

  it('is due when the document was changed', async () => {
    await look();
    await engine.service.update('shop', document({ health_checks: { ...CHECKS, interval: 600 } }), undefined);
    await look();
    expect(attempts).toBe(2);
  });

  it.each([
    ['is not enabled', { health_checks: { ...CHECKS, enabled: false } }],
    ['is not there', {}],
  ])('is nothing where the section %s, and what was stored is dropped', async (_what, more) => {
    await look();
    await engine.service.update('shop', document(more), undefined);
    expect(await health()).toMatchObject({ connectionStatus: 'unknown' });
    await look();
    expect(attempts).toBe(1);
    expect(await check()).toBeUndefined();
    expect(await home.state.query('probes')).toEqual([]);
  });

  it('is nothing while the integration is paused, and that is said', async () => {
    await look();
    await engine.service.update('shop', document({ health_checks: CHECKS, enabled: false }), undefined);
    await home.clock.advance(600_000);
    await look();
    expect(attempts).toBe(1);
    const seen = await check();
    expect(seen).toMatchObject({ state: 'not_probed', reason: expect.stringContaining('paused') });
    expect(seen).not.toHaveProperty('nextAt');
  });

  it.each([
    ['asks for the VPN', { network_security: { use_vpn: true } }, true],
    ['is of a type behind the VPN', {}, true],
    ['is of another type', { name: 'other' }, false],
  ])('is not tested from outside where it %s', async (_what, more, isOutside) => {
    await engine.service.update('shop', document({ health_checks: CHECKS, ...more, name: 'shop' }), undefined);
    home.vpn = { types: isOutside ? ['memory'] : ['kafka'], inside: false };
    engine = home.engine();
    await look();
    expect(attempts).toBe(isOutside ? 0 : 1);
    const reason = expect.stringContaining('behind the VPN');
    expect(await check()).toMatchObject(isOutside ? { state: 'not_probed', reason } : { state: 'passed' });
    home.vpn = { types: ['memory'], inside: true };
    engine = home.engine();
    await home.clock.advance(120_000);
    await look();
    expect(await check()).toMatchObject({ state: 'passed' });
  });

  it('is forgotten with the integration, also when that is removed in the middle of a test', async () => {
    const source = hanging();
    const next = await engine.probes.begin(round());
    expect(next).toBe(home.clock.now() + 60_000);
    await home.clock.advance(0);
    await engine.service.remove('shop', { data: false });
    source.end();
    await engine.probes.settled();
    expect(await home.state.query('probes')).toEqual([]);
  });
});

describe('attempts', () => {
  it('are made again, as often as asked, where it may pass by itself', async () => {
    answers = [failed(), failed(), PASSED];
    await look();
    expect(await check()).toMatchObject({ state: 'passed', recent: [{ attempts: 3 }] });
    [answers, attempts] = [[failed()], 0];
    await home.clock.advance(60_000);
    await look();
    expect(attempts).toBe(3);
    expect(home.closed).toBe(home.opened);
    expect(await check()).toMatchObject({
      state: 'failed',
      step: 'connect',
      consecutiveFailures: 1,
      fault: { kind: 'transient', code: 'x', message: 'testing the connection of shop: refused', hint: HINT },
      recent: [{ passed: false, attempts: 3, step: 'connect' }, { passed: true }],
    });
  });

  it('are not made again where only its owner can help: a password that is repeated locks the account', async () => {
    answers = [failed('config')];
    await look();
    expect(attempts).toBe(1);
    expect(await check()).toMatchObject({ state: 'failed', fault: { kind: 'config' } });
  });

  it('that cannot begin say so', async () => {
    home.hooks.open = () => {
      throw new Fault('config', 'no_key', 'opening: no key', { hint: 'Set it.' });
    };
    await look();
    expect(await check()).toMatchObject({ state: 'failed', step: 'open', fault: { code: 'no_key', hint: 'Set it.' } });
  });

  it('that take too long are ended, and closed before the next one', async () => {
    let open = 0;
    let most = 0;
    home.check = (signal) => {
      most = Math.max(most, ++open);
      attempts++;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          void home.clock.sleep(3000).then(() => {
            open--;
            reject(new Error('aborted'));
          });
        });
      });
    };
    await look();
    expect([attempts, most]).toEqual([3, 1]);
    expect(await check()).toMatchObject({
      state: 'failed',
      step: 'timeout',
      milliseconds: 10_000,
      fault: { kind: 'transient', code: 'check_timed_out', hint: expect.stringContaining('health_checks.timeout') },
    });
    expect(home.closed).toBe(home.opened);
  });

  it('that do not end although they are told to keep the next test away', async () => {
    const source = hanging(true);
    await look();
    expect(attempts).toBe(1);
    expect(await check()).toMatchObject({ state: 'failed', step: 'timeout' });
    await home.clock.advance(600_000);
    await look();
    expect(attempts).toBe(1);
    source.end();
    await home.clock.advance(0);
    home.check = async () => PASSED;
    await look();
    expect(await check()).toMatchObject({ state: 'passed' });
    expect(home.closed).toBe(home.opened);
  });

  it('that are stopped leave nothing behind but room for the next', async () => {
    hanging();
    await engine.probes.begin(round());
    await home.clock.advance(2000);
    expect(attempts).toBe(1);
    stop.abort();
    await engine.probes.settled();
    expect(home.closed).toBe(home.opened);
    expect(await check()).toMatchObject({ state: 'waiting', recent: [] });
    stop = new AbortController();
    home.check = async () => PASSED;
    await look();
    expect(await check()).toMatchObject({ state: 'passed' });
  });

  it('have at most the time of the look, and those that there is none for come first in the next', async () => {
    const once = { ...CHECKS, retry_attempts: 0 };
    for (const name of ['a', 'b', 'c']) await engine.service.create(document({ name, health_checks: once }));
    await engine.service.update('shop', document({ health_checks: once }), undefined);
    hanging();
    await look({ atOnce: 1, budgetMs: 25_000 });
    // 10 s for each: a third one does not fit.
    expect(attempts).toBe(2);
    const states = async () => (await engine.service.health()).map(({ healthCheck }) => healthCheck?.state).sort();
    expect(await states()).toEqual(['failed', 'failed', 'waiting', 'waiting']);
    home.check = async () => PASSED;
    await look({ atOnce: 1, budgetMs: 25_000 });
    expect(await states()).toEqual(['failed', 'failed', 'passed', 'passed']);
  });

  it('that may take longer than a look are cut to it', async () => {
    await engine.service.update('shop', document({ health_checks: { enabled: true, timeout: 200 } }), undefined);
    hanging();
    await look({ budgetMs: 60_000 });
    expect(await check()).toMatchObject({ state: 'failed', milliseconds: 60_000, recent: [{ attempts: 1 }] });
  });
});

describe('at the same time', () => {
  it('one connection is tested once, whoever looks', async () => {
    const source = hanging();
    const other = home.engine({ owner: 'another', exclusive: false });
    const first = home.engine({ exclusive: false });
    await first.probes.begin(round());
    await home.clock.advance(0);
    await other.probes.begin(round());
    await first.probes.begin(round());
    await home.clock.advance(0);
    expect(attempts).toBe(1);
    source.end();
    await Promise.all([first.probes.settled(), other.probes.settled()]);
    expect(await check()).toMatchObject({ state: 'passed' });
  });

  it('what a killed process has left is taken up: at once by the next one of a folder, else when its time is over', async () => {
    hanging();
    await home.engine({ owner: 'killed', exclusive: false }).probes.begin(round());
    await home.clock.advance(0);
    expect(attempts).toBe(1);
    home.check = async () => PASSED;
    const cloud = home.engine({ owner: 'cloud', exclusive: false });
    await cloud.probes.run(round());
    expect(await check()).toMatchObject({ state: 'waiting' });
    await engine.probes.run(round());
    expect(await check()).toMatchObject({ state: 'passed' });
  });

  it('no more connections than allowed are tested', async () => {
    for (let count = 0; count < 9; count++) {
      await engine.service.create(document({ name: `n${count}`, health_checks: CHECKS }));
    }
    hanging();
    expect(await engine.probes.begin(round())).toBe(home.clock.now());
    await home.clock.advance(0);
    expect(attempts).toBe(4);
    await engine.probes.begin(round());
    await home.clock.advance(0);
    expect(attempts).toBe(4);
    stop.abort();
    await engine.probes.settled();
  });

  it('one that cannot be made keeps no other away', async () => {
    await engine.service.create(document({ name: 'worse', health_checks: CHECKS }));
    const put = home.state.put.bind(home.state);
    home.state.put = async (key, ...rest) => {
      if (key.partition === 'probes' && key.sort === 'shop') throw new Fault('transient', 'gone', 'writing: gone');
      return put(key, ...rest);
    };
    await look();
    expect((await health('worse'))?.healthCheck).toMatchObject({ state: 'passed' });
    home.state.put = put;
    await look();
    expect(await check()).toMatchObject({ state: 'passed' });
  });
});

it('an unknown document type is a failed test, not a failed look', async () => {
  const other = home.engine({}, () => {
    throw new Fault('config', 'unknown_type', 'no such type');
  });
  await other.probes.run(round());
  expect(await check()).toMatchObject({ state: 'failed', step: 'open' });
  expect((await faultFrom(other.service.check('shop', stop.signal))).code).toBe('invalid_config');
});
