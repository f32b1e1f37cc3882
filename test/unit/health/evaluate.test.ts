import type { Sample } from '../../../lib/core/alert/condition';
import type { AlertState } from '../../../lib/core/alert/evaluation';
import { type AlertRule, alertRules } from '../../../lib/core/alert/rule';
import { evaluateAlert } from '../../../lib/health/evaluate';

const MINUTE = 60_000;
const BAD: Sample = { status: 'failed' };
const GOOD: Sample = { status: 'healthy' };

function rule(condition: string, duration?: string): AlertRule {
  const alerts = [{ name: 'A', severity: 'warning', condition, ...(duration !== undefined && { duration }) }];
  const [found] = alertRules({ name: 'shop', alerts });
  if (found === undefined) throw new Error(condition);
  return found;
}

/** The phases at looks, each a minute after the other. */
function phases(one: AlertRule, looks: readonly Sample[]): string[] {
  let state: AlertState | undefined;
  return looks.map((sample, minute) => {
    state = evaluateAlert(one, state, sample, minute * MINUTE);
    return `${state.phase} ${state.since / MINUTE}`;
  });
}

const failing = rule("status == 'failed'", '2m');

describe('an alert', () => {
  it('is pending, fires, is resolved once, and is quiet again; each phase knows since when', () => {
    expect(phases(failing, [GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD])).toEqual([
      'ok 0',
      'pending 1',
      'pending 1',
      'firing 3',
      'firing 3',
      'resolved 5',
      'ok 6',
    ]);
  });

  it('begins to wait anew when the condition ceases to hold', () => {
    expect(phases(failing, [BAD, BAD, GOOD, BAD, BAD, BAD])).toEqual([
      'pending 0',
      'pending 0',
      'ok 2',
      'pending 3',
      'pending 3',
      'firing 5',
    ]);
  });

  it('says that there is no data, and is resolved by it', () => {
    expect(phases(rule("status == 'failed'"), [{}, BAD, {}, {}, GOOD])).toEqual([
      'no_data 0',
      'firing 1',
      'resolved 2',
      'no_data 3',
      'ok 4',
    ]);
  });

  it('about an age fires without data, after its duration', () => {
    expect(phases(rule("last_sync_age > '2h'", '1m'), [{}, {}])).toEqual(['pending 0', 'firing 1']);
  });

  it('waits anew when nobody looked for a quarter of an hour, but goes on ringing', () => {
    const pending = evaluateAlert(failing, undefined, BAD, 0);
    expect(evaluateAlert(failing, pending, BAD, 15 * MINUTE).phase).toBe('firing');
    const anew = evaluateAlert(failing, pending, BAD, 16 * MINUTE);
    expect(anew).toEqual({ phase: 'pending', since: 16 * MINUTE, at: 16 * MINUTE });
    const fired = evaluateAlert(failing, anew, BAD, 18 * MINUTE);
    expect(evaluateAlert(failing, fired, BAD, 900 * MINUTE)).toMatchObject({ phase: 'firing', since: 18 * MINUTE });
  });

  it('is not changed by a look that is older than the last one', () => {
    const fired = evaluateAlert(rule("status == 'failed'"), undefined, BAD, 5 * MINUTE);
    expect(evaluateAlert(rule("status == 'failed'"), fired, GOOD, 4 * MINUTE)).toBe(fired);
  });
});
