import { holds, missingBreaches, type Sample } from '../core/alert/condition';
import { type AlertRule, isWindowRule } from '../core/alert/rule';

/**
 * `ok`; `pending`: the condition holds, but not for `duration` yet; `firing`; `resolved`: it fired and has just ceased to
 * hold; `no_data`: nothing is known, which is no reason to fire.
 */
export type AlertPhase = 'ok' | 'pending' | 'firing' | 'resolved' | 'no_data';

/** How an alert stands. Times are milliseconds since 1970. */
export interface AlertState {
  readonly phase: AlertPhase;
  /** When the phase began. */
  readonly since: number;
  /** When it was last looked at. */
  readonly at: number;
}

/**
 * What an alert is after a look at `sample`. It fires when its condition held at every look for `duration` (a window rule
 * at once: its values are already those of that time), and is resolved at the first look at which it does not hold. So
 * a condition that comes and goes fires at most once in `duration`. A look that comes too late, after a newer one, changes nothing.
 */
export function evaluateAlert(rule: AlertRule, state: AlertState | undefined, sample: Sample, now: number): AlertState {
  if (state !== undefined && now < state.at) return state;
  const held = holds(rule.condition, sample) ?? (missingBreaches(rule.condition) ? true : undefined);
  const phase = held ? breaching(rule, state, now) : quiet(state, held);
  return { phase, since: state?.phase === phase ? state.since : now, at: now };
}

function breaching(rule: AlertRule, state: AlertState | undefined, now: number): AlertPhase {
  if (state?.phase === 'firing') return 'firing';
  const since = state?.phase === 'pending' ? state.since : now;
  const wait = isWindowRule(rule) ? 0 : rule.duration * 1000;
  return now - since >= wait ? 'firing' : 'pending';
}

function quiet(state: AlertState | undefined, held: false | undefined): AlertPhase {
  if (state?.phase === 'firing') return 'resolved';
  return held === undefined ? 'no_data' : 'ok';
}
