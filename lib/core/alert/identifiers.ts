/** What an identifier's values are: a word of a list, a share from 0 to 1, a count or rate, or a length of time in seconds. */
export type ValueType = 'word' | 'share' | 'number' | 'duration';

/** One name that a condition may use. */
export interface Identifier {
  readonly type: ValueType;
  /** Of a `word`. */
  readonly words?: readonly string[];
  /**
   * `state`: how things stand at a moment; a rule's `duration` is how long the condition must hold. `window`: what the
   * runs that ended within a rule's `duration` did.
   */
  readonly scope: 'state' | 'window';
  /** True when there is a value from the creation of the integration on; others come with its first run. */
  readonly always: boolean;
  readonly doc: string;
}

const state = { scope: 'state', always: true } as const;
const sinceFirstRun = { scope: 'state', always: false } as const;
const window = { scope: 'window', always: false } as const;

/** Every name of the condition language. */
export const IDENTIFIERS = {
  connection_status: {
    ...state,
    type: 'word',
    words: ['connected', 'failed', 'unknown'],
    doc: 'What the newer of the last run and the last connection test showed: `unknown` before the first.',
  },
  status: {
    ...state,
    type: 'word',
    words: ['healthy', 'degraded', 'failed', 'unknown'],
    doc: '`degraded` after a failed or partial run or a failed connection test, `failed` after three failed ones in a row.',
  },
  last_sync_age: {
    ...state,
    type: 'duration',
    doc: 'Time since data was last brought up to date; since the creation where that never happened.',
  },
  run_failure_rate: { ...state, type: 'share', doc: 'Failed runs among those that are kept.' },
  failed_runs: { ...state, type: 'number', doc: 'Runs that failed within the last 24 hours.' },
  consecutive_failures: { ...state, type: 'number', doc: 'Failed runs since the last one that loaded something.' },
  sync_duration: { ...sinceFirstRun, type: 'duration', doc: 'How long the last run took.' },
  sync_duration_p95: {
    ...sinceFirstRun,
    type: 'duration',
    doc: 'What 95 % of the runs that are kept took at most.',
  },
  rows_per_second: { ...sinceFirstRun, type: 'number', doc: 'Speed of the last run.' },
  error_rate: {
    ...window,
    type: 'share',
    doc: 'Records that could not be loaded (quarantined or skipped), among all of the runs that ended.',
  },
  quarantine_rate: { ...window, type: 'share', doc: 'Quarantined records, among all of the runs that ended.' },
  rows_synced: { ...window, type: 'number', doc: 'Records that the runs that ended have loaded.' },
  quarantined_rows: { ...window, type: 'number', doc: 'Records that the runs that ended have quarantined.' },
} as const satisfies { readonly [name: string]: Identifier };

/** A name of {@link IDENTIFIERS}. */
export type IdentifierName = keyof typeof IDENTIFIERS;

/** All names, in the order of the table. */
export const IDENTIFIER_NAMES = Object.keys(IDENTIFIERS) as readonly IdentifierName[];

/** The entry of a name. */
export function identifier(name: IdentifierName): Identifier {
  return IDENTIFIERS[name];
}

/** Whether a name is one of the language. */
export function isIdentifier(name: string): name is IdentifierName {
  return Object.hasOwn(IDENTIFIERS, name);
}
