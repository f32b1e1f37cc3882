import type { FaultKind } from './fault';

/** One step of a connection test. Steps after a failed one are `skipped`. */
export interface CheckStep {
  /**
   * Such as `resolve`, `connect`, `tls`, `authenticate`, `database`, `permissions`, `read`. When `authenticate` fails, the
   * test is made again with other values of the secrets, if there are any.
   */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'warning';
  /** What was found, or why it failed: one sentence, never a secret. */
  readonly detail: string;
  /** What to do, where the step did not pass. */
  readonly hint?: string;
  /** What kind of fault it was, where the step failed; absent where that is not known. */
  readonly kind?: FaultKind;
  /** Its stable name. */
  readonly code?: string;
  /** How long the step took, in milliseconds. */
  readonly milliseconds: number;
}

/** The outcome of a connection test, step by step. */
export interface CheckReport {
  /** No step failed. */
  readonly passed: boolean;
  readonly steps: readonly CheckStep[];
}
