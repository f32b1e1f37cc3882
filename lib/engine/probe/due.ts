/** What decides when a connection is tested next. Times are milliseconds since 1970. */
export interface ProbeTimes {
  readonly intervalMs: number;
  /** When the document was changed: what the last test showed may not be true any more. */
  readonly changedAt: number;
  /** When the last test began. */
  readonly lastAt?: number | undefined;
}

/** When a connection is to be tested next. */
export function nextProbeAt({ intervalMs, changedAt, lastAt }: ProbeTimes, now: number): number {
  // A clock that was put back must not keep the next test away until it has caught up.
  if (lastAt === undefined || lastAt > now) return Math.min(changedAt, now);
  return changedAt > lastAt ? changedAt : lastAt + intervalMs;
}

/** Those that are due now or within `slackMs`, the longest overdue first, and when the next of the others is; `Infinity` without any. */
export function dueProbes<T extends ProbeTimes>(
  all: readonly T[],
  now: number,
  slackMs = 0,
): { readonly due: readonly T[]; readonly nextAt: number } {
  const timed = all.map((one) => ({ one, at: nextProbeAt(one, now) })).sort((left, right) => left.at - right.at);
  const later = timed.findIndex(({ at }) => at > now + slackMs);
  return {
    due: (later === -1 ? timed : timed.slice(0, later)).map(({ one }) => one),
    nextAt: timed[later]?.at ?? Number.POSITIVE_INFINITY,
  };
}
