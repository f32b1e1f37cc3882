import type { Sample } from './condition';
import type { AlertRule } from './rule';

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

/** What counts of a run that ended. */
export interface EndedRows {
  /** Milliseconds since 1970. */
  readonly finishedAt: number;
  readonly rows: number;
  readonly quarantined: number;
  readonly skipped: number;
}

/** Evaluates rules in process. */
export interface AlertEvaluator {
  /** What an alert is after a look at `sample`; the given state itself where a newer look was there before. */
  evaluate(rule: AlertRule, state: AlertState | undefined, sample: Sample, now: number): AlertState;
  /** The values about what the runs that ended within `windowMs` before `now` did; none when none ended. */
  windowSample(runs: readonly EndedRows[], windowMs: number, now: number): Sample;
}
