import type { Sample } from '../core/alert/condition';
import type { EndedRows } from '../core/alert/evaluation';

/** The values of the condition language about what the runs that ended within `windowMs` before `now` did; none when none ended. */
export function windowSample(runs: readonly EndedRows[], windowMs: number, now: number): Sample {
  const within = runs.filter(({ finishedAt }) => finishedAt > now - windowMs && finishedAt <= now);
  if (within.length === 0) return {};
  const sum = (pick: (run: EndedRows) => number) => within.reduce((total, run) => total + pick(run), 0);
  const [rows, quarantined, skipped] = [
    sum((run) => run.rows),
    sum((run) => run.quarantined),
    sum((run) => run.skipped),
  ];
  const total = rows + quarantined + skipped;
  return {
    error_rate: total === 0 ? 0 : (quarantined + skipped) / total,
    quarantine_rate: total === 0 ? 0 : quarantined / total,
    rows_synced: rows,
    quarantined_rows: quarantined,
  };
}
