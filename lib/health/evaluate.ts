import { holds, missingBreaches, type Sample } from '../core/alert/condition';
import type { AlertEvaluator, AlertPhase, AlertState } from '../core/alert/evaluation';
import { type AlertRule, CHECK_SECONDS, isWindowRule } from '../core/alert/rule';
import { windowSample } from './window-sample';

/** After so long without a look nothing is known of the time between: what waited for its duration begins to wait anew. */
const LONGEST_GAP_MS = 3 * CHECK_SECONDS * 1000;

/**
 * What an alert is after a look at `sample`. It fires when its condition held at every look for `duration` (a window rule
 * at once: its values are already those of that time), and is resolved at the first look at which it does not hold. So
 * a condition that comes and goes fires at most once in `duration`. A look that comes too late, after a newer one, changes nothing.
 */
export function evaluateAlert(rule: AlertRule, state: AlertState | undefined, sample: Sample, now: number): AlertState {
  if (state !== undefined && now < state.at) return state;
  const held = holds(rule.condition, sample) ?? (missingBreaches(rule.condition) ? true : undefined);
  const waiting = pendingSince(state, now);
  const phase = held ? breaching(rule, state, waiting ?? now, now) : quiet(state, held);
  const goesOn = phase === 'pending' ? waiting !== undefined : state?.phase === phase;
  return { phase, since: goesOn ? (state?.since ?? now) : now, at: now };
}

function pendingSince(state: AlertState | undefined, now: number): number | undefined {
  return state?.phase === 'pending' && now - state.at <= LONGEST_GAP_MS ? state.since : undefined;
}

function breaching(rule: AlertRule, state: AlertState | undefined, since: number, now: number): AlertPhase {
  if (state?.phase === 'firing') return 'firing';
  const wait = isWindowRule(rule) ? 0 : rule.duration * 1000;
  return now - since >= wait ? 'firing' : 'pending';
}

function quiet(state: AlertState | undefined, held: false | undefined): AlertPhase {
  if (state?.phase === 'firing') return 'resolved';
  return held === undefined ? 'no_data' : 'ok';
}

/** Evaluates alerts in this process. */
export const alertEvaluator: AlertEvaluator = { evaluate: evaluateAlert, windowSample };
