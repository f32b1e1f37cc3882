/**
 * What to do about an error: `transient` retry; `config` stop and tell the owner; `data` quarantine the record;
 * `lost` the position or snapshot is gone, read again from the start; `bug` stop and page.
 */
export type FaultKind = 'transient' | 'config' | 'data' | 'lost' | 'bug';

/**
 * The code, of kind `config`, by which every connector and destination says that the server does not accept the name or
 * the password. A secret may have been changed since it was read: before the fault counts, the secrets are read anew and
 * other values are tried.
 */
export const AUTHENTICATION_FAILED = 'authentication_failed';

/** One wrong place in a document: `path` as in `connection.port`. */
export interface FieldIssue {
  readonly path: string;
  readonly message: string;
}

/** The parts of a {@link Fault} beside its message. */
export interface FaultDetails {
  /** What the owner can do about it, as a full sentence. */
  readonly hint?: string;
  /** The source asked to wait this many milliseconds before a retry. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
  readonly issues?: readonly FieldIssue[];
  /** The id of the run that is in the way. */
  readonly run?: string;
}

/** A {@link Fault} as plain JSON, as it stands in run records and answers. */
export interface FaultRecord {
  readonly kind: FaultKind;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * A classified error. The message says what was being done ("reading table orders: permission denied"); `code` is
 * stable, snake_case and documented. The only class of errors that crosses a contract.
 */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly code: string;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  readonly issues?: readonly FieldIssue[];
  readonly run?: string;

  constructor(kind: FaultKind, code: string, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Fault';
    this.kind = kind;
    this.code = code;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.issues !== undefined) this.issues = details.issues;
    if (details.run !== undefined) this.run = details.run;
  }

  /** The plain form, without cause and stack. */
  record(): FaultRecord {
    const { kind, code, message, hint } = this;
    return hint === undefined ? { kind, code, message } : { kind, code, message, hint };
  }
}

/** `error` as a fault: itself when it is one, what `classify` says, or a `bug`. `doing` is put before the message. */
export function toFault(error: unknown, doing: string, classify?: Classify): Fault {
  if (error instanceof Fault) return error;
  const known = classify?.(error);
  const message = known?.message ?? messageOf(error);
  const details: FaultDetails = {
    cause: error,
    ...(known?.hint !== undefined && { hint: known.hint }),
    ...(known?.retryAfterMs !== undefined && { retryAfterMs: known.retryAfterMs }),
    ...(known?.issues !== undefined && { issues: known.issues }),
  };
  return new Fault(known?.kind ?? 'bug', known?.code ?? 'unexpected_error', `${doing}: ${message}`, details);
}

/** How a driver's error becomes a fault; `undefined` when it is not one of the driver's. */
export type Classify = (error: unknown) => Fault | undefined;

/** Does `work`; whatever it throws leaves as a fault that says what was being done. */
export async function guarded<T>(doing: string, classify: Classify, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFault(error, doing, classify);
  }
}

/** The message of anything that was thrown. An error of another realm is no `instanceof Error` here. */
export function messageOf(error: unknown): string {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}

/** What a known error of somebody else's means, and what to do about it. */
export interface Verdict {
  readonly kind: FaultKind;
  readonly code: string;
  readonly hint: string;
}

/** A {@link Verdict}, for the tables by which connectors and adapters classify. */
export function verdict(kind: FaultKind, code: string, hint: string): Verdict {
  return { kind, code, hint };
}
