import { Fault } from '../core/fault';
import type { ErrorHandling } from '../core/validation-rules';

/** What became of the records of a stream, or of a part of it. */
export interface Tally {
  readonly rows: number;
  readonly quarantined: number;
  readonly skipped: number;
}

const MAX_SHARE = 0.5;
const MIN_RECORDS = 100;

/** The sum of some tallies. */
export function totalOf(parts: readonly Tally[]): Tally {
  const sum = (pick: (part: Tally) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    rows: sum((part) => part.rows),
    quarantined: sum((part) => part.quarantined),
    skipped: sum((part) => part.skipped),
  };
}

/** The fault of a stream of which more records fail than the document allows; `undefined` while they do not. */
export function budgetFault(
  stream: string,
  { rows, quarantined, skipped }: Tally,
  handling: ErrorHandling | undefined,
): Fault | undefined {
  const failed = quarantined + skipped;
  if (failed === 0) return undefined;
  const all = rows + failed;
  const {
    max_share: share = MAX_SHARE,
    max_records: most,
    min_records: least = MIN_RECORDS,
  } = handling?.failure_budget ?? {};
  if (most !== undefined && failed > most) return exceeded(stream, failed, all, `at most ${most} may`);
  if (all >= least && failed > share * all) {
    return exceeded(stream, failed, all, `at most ${Number((share * 100).toFixed(4))} % may`);
  }
  return undefined;
}

function exceeded(stream: string, failed: number, all: number, limit: string): Fault {
  return new Fault('data', 'failure_budget', `syncing ${stream}: ${failed} of ${all} records failed, ${limit}`, {
    hint: 'See the reasons with `explorerio quarantine`, correct the source or the rules, and start the sync again; or allow more in error_handling.failure_budget. What a full read would have replaced is still there.',
  });
}
