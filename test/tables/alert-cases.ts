import type { Sample } from '../../lib/core/alert/condition';

/** What a look every five minutes finds; `undefined`: nobody looked. `late`: it arrives one look later than it was made. */
export type Look = Sample | undefined | { readonly late: Sample };

/** Records of the runs that ended within five minutes before a look; `undefined`: none ended. */
export type Rows = { readonly ok: number; readonly failed: number; readonly quarantined?: number } | undefined;

/** One alert, what is seen, and at which look (from 0) it begins to ring. */
export interface AlertCase {
  readonly title: string;
  readonly condition: string;
  readonly duration?: string;
  readonly looks?: readonly Look[];
  readonly rows?: readonly Rows[];
  /** Looks at which the alert begins to ring. */
  readonly fires: readonly number[];
  /** Whether it rings at the last look. */
  readonly ringing: boolean;
}

const connected: Sample = {
  connection_status: 'connected',
  status: 'healthy',
  last_sync_age: 60,
  consecutive_failures: 0,
};
const failed: Sample = { connection_status: 'failed', status: 'failed', last_sync_age: 60, consecutive_failures: 1 };
const age = (seconds: number): Sample => ({ last_sync_age: seconds });
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const CONNECTION = "connection_status == 'failed'";
const STALE = "last_sync_age > '2h'";
const quiet: Rows = undefined;

/** Both evaluators are tested with these: the one of this process, and CloudWatch's by a simulator. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    title: 'a failed connection rings at once',
    condition: CONNECTION,
    looks: [connected, connected, failed, failed],
    fires: [2],
    ringing: true,
  },
  {
    title: 'a connection that works again ends it',
    condition: CONNECTION,
    looks: [failed, failed, connected, connected, connected],
    fires: [0],
    ringing: false,
  },
  {
    title: 'no data about a connection is no reason to ring',
    condition: CONNECTION,
    looks: repeat(6, undefined),
    fires: [],
    ringing: false,
  },
  {
    title: 'a look that was left out does not hide a failure',
    condition: CONNECTION,
    looks: [connected, connected, undefined, failed],
    fires: [3],
    ringing: true,
  },
  {
    title: 'a failure that is told late rings all the same',
    condition: CONNECTION,
    looks: [connected, connected, { late: failed }, failed, failed],
    fires: [3],
    ringing: true,
  },
  {
    title: 'an age rings when it is above its limit',
    condition: STALE,
    looks: [age(6900), age(7200), age(7500), age(7800)],
    fires: [2],
    ringing: true,
  },
  {
    title: 'an age that nobody tells rings',
    condition: STALE,
    looks: repeat(6, undefined),
    fires: [0],
    ringing: true,
  },
  {
    title: 'an age of an integration that never ran counts from its creation',
    condition: STALE,
    looks: [age(0), ...repeat(23, age(6000)), age(7201)],
    fires: [24],
    ringing: true,
  },
  {
    title: 'a sync ends the alert about the age',
    condition: STALE,
    looks: [age(7500), age(7800), age(10), age(310), age(610)],
    fires: [0],
    ringing: false,
  },
  {
    title: 'with a duration it must hold at every look for that long',
    condition: CONNECTION,
    duration: '10m',
    looks: [connected, connected, connected, failed, failed, failed, failed],
    fires: [5],
    ringing: true,
  },
  {
    title: 'a connection that comes and goes never holds for ten minutes',
    condition: CONNECTION,
    duration: '10m',
    looks: Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? failed : connected)),
    fires: [],
    ringing: false,
  },
  {
    title: 'a failure before and after a long time of which nothing is known has not held for its duration',
    condition: CONNECTION,
    duration: '10m',
    looks: [connected, failed, ...repeat(6, undefined), failed, failed, failed],
    fires: [10],
    ringing: true,
  },
  {
    title: 'that nothing is known any more ends what rang',
    condition: CONNECTION,
    looks: [connected, failed, ...repeat(6, undefined)],
    fires: [1],
    ringing: false,
  },
  {
    title: 'a connection that comes and goes rings each time where there is no duration',
    condition: CONNECTION,
    looks: [connected, failed, connected, connected, failed, failed, connected],
    fires: [1, 4],
    ringing: false,
  },
  {
    title: 'after it was resolved a full duration has to pass again',
    condition: CONNECTION,
    duration: '5m',
    looks: [connected, connected, failed, failed, connected, failed, failed, connected],
    fires: [3, 6],
    ringing: false,
  },
  {
    title: 'and, or and not are as written',
    condition: "(consecutive_failures >= 3 or status == 'failed') and not last_sync_age < '1m'",
    looks: [
      { consecutive_failures: 3, status: 'degraded', last_sync_age: 59 },
      { consecutive_failures: 2, status: 'degraded', last_sync_age: 3600 },
      { consecutive_failures: 3, status: 'degraded', last_sync_age: 60 },
    ],
    fires: [2],
    ringing: true,
  },
  {
    title: 'a word that is not "failed" has a metric of its own',
    condition: "connection_status != 'connected'",
    looks: [connected, { connection_status: 'unknown' }],
    fires: [1],
    ringing: true,
  },
  {
    title: 'no value before the first run is no reason to ring',
    condition: "sync_duration > '1h' or last_sync_age > '30d'",
    looks: [age(0), age(300), { ...age(600), sync_duration: 3601 }],
    fires: [2],
    ringing: true,
  },
  {
    title: 'numbers are compared for equality',
    condition: 'consecutive_failures == 2',
    looks: [1, 2, 3].map((consecutive_failures) => ({ consecutive_failures })),
    fires: [1],
    ringing: false,
  },
  {
    title: 'the rate of one short run rings',
    condition: 'error_rate > 0.05',
    duration: '5m',
    rows: [quiet, quiet, { ok: 94, failed: 6 }],
    fires: [2],
    ringing: true,
  },
  {
    title: 'a rate at its limit does not ring',
    condition: 'error_rate > 0.05',
    duration: '5m',
    rows: [quiet, { ok: 95, failed: 5 }, quiet, quiet],
    fires: [],
    ringing: false,
  },
  {
    title: 'no runs are no rate, and a run without records has none',
    condition: 'error_rate >= 0',
    rows: [quiet, quiet, quiet, quiet],
    fires: [],
    ringing: false,
  },
  {
    title: 'a rate that comes and goes rings with each bad run, and ends when that is out of its window',
    condition: 'error_rate > 0.05',
    duration: '5m',
    rows: [{ ok: 9, failed: 1 }, quiet, quiet, { ok: 99, failed: 1 }, { ok: 9, failed: 1 }, quiet, quiet, quiet],
    fires: [0, 4],
    ringing: false,
  },
  {
    title: 'a good run between two bad ones thins the rate of a longer window',
    condition: 'error_rate > 0.05',
    duration: '15m',
    rows: [{ ok: 90, failed: 10 }, { ok: 900, failed: 0 }, { ok: 90, failed: 10 }, quiet, quiet],
    fires: [0, 4],
    ringing: true,
  },
  {
    title: 'a window adds up what ended in it',
    condition: 'error_rate > 0.05',
    duration: '15m',
    rows: [
      { ok: 1000, failed: 0 },
      { ok: 0, failed: 40 },
      { ok: 0, failed: 20 },
      { ok: 0, failed: 0 },
    ],
    fires: [2],
    ringing: true,
  },
  {
    title: 'counts and rates of a window go together',
    condition: 'quarantine_rate > 0.5 and rows_synced >= 10',
    rows: [
      { ok: 1, failed: 9, quarantined: 9 },
      { ok: 10, failed: 90, quarantined: 10 },
      { ok: 10, failed: 90, quarantined: 90 },
    ],
    fires: [2],
    ringing: true,
  },
];
