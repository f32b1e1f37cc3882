import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Fault, FaultKind } from '../core/fault';

/** One kind of problem as the reference lists it. */
export interface Problem {
  readonly status: ContentfulStatusCode;
  readonly title: string;
  /** When it happens, in a sentence. */
  readonly description: string;
  /** The answer carries `Retry-After`. */
  readonly retry?: true;
}

/** A problem that stands for a fault, with its place in the reference. */
export interface FaultProblem extends Problem {
  readonly key: ProblemCode;
}

/** Every problem the API can answer with, by its place in the reference. */
export const PROBLEMS = {
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    description: 'The body is not valid JSON in UTF-8; `detail` names the line and column.',
  },
  invalid_parameter: {
    status: 400,
    title: 'Invalid parameter',
    description: 'A query parameter or header is unknown or has a wrong value; `errors` names it.',
  },
  unauthorized: {
    status: 401,
    title: 'API key needed',
    description: 'The API key is missing or wrong.',
  },
  signature_invalid: {
    status: 401,
    title: 'Signature needed',
    description: 'The call of a webhook carries no signature that its secret has made within five minutes.',
  },
  cross_origin: {
    status: 403,
    title: 'Cross-origin request refused',
    description: 'A browser sent the request on behalf of another site.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    description: 'There is no integration or run of that name, or no webhook with that path.',
  },
  unknown_route: { status: 404, title: 'Unknown route', description: 'The API has no such path.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    description: 'The path does not take this method; `Allow` lists those it takes.',
  },
  already_exists: { status: 409, title: 'Already exists', description: 'An integration of that name exists.' },
  declared_in_file: {
    status: 409,
    title: 'Declared in a file',
    description: 'The integration comes from a file of the deployment; only pausing it is possible here.',
  },
  integration_disabled: {
    status: 409,
    title: 'Paused',
    description: 'The integrations of the webhook are paused: `enabled` is false.',
  },
  run_active: {
    status: 409,
    title: 'A run is going on',
    description: 'The integration is being synced; `run` is the id of that run.',
  },
  revision_conflict: {
    status: 412,
    title: 'Changed in the meantime',
    description: 'The integration no longer has the revision that `If-Match` names.',
  },
  payload_too_large: { status: 413, title: 'Body too large', description: 'The body is larger than is accepted.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    description: 'The body is not declared as JSON in UTF-8.',
  },
  wrong_host: {
    status: 421,
    title: 'Wrong host',
    description: 'The `Host` header names a host that this server does not answer for.',
  },
  invalid_config: {
    status: 422,
    title: 'Invalid document',
    description: 'The document has wrong fields; `errors` names each with its path.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'Idempotency key used before',
    description: 'The same `Idempotency-Key` came with another body.',
  },
  config: {
    status: 422,
    title: 'Configuration must be changed',
    description: 'The source or destination refused, and will until its configuration is changed; see `hint`.',
  },
  data: { status: 422, title: 'Data refused', description: 'Data cannot be represented or stored.' },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    description: 'This client sent too many requests.',
    retry: true,
  },
  internal_error: { status: 500, title: 'Internal error', description: 'A defect in ExplorerIO; its log has more.' },
  transient: {
    status: 503,
    title: 'Temporarily unavailable',
    description: 'A system that is needed cannot be reached now; try again later.',
    retry: true,
  },
} as const satisfies { readonly [code: string]: Problem };

/** A place in {@link PROBLEMS}. */
export type ProblemCode = keyof typeof PROBLEMS;

const BY_KIND: { readonly [kind in FaultKind]: ProblemCode } = {
  config: 'config',
  transient: 'transient',
  data: 'data',
  lost: 'transient',
  bug: 'internal_error',
};

// The codes that the contract of Service names. Other codes go by their kind: a connector may also call its own
// fault `unauthorized`, which must not look like a missing API key.
const SERVICE_CODES: readonly string[] = [
  'invalid_config',
  'not_found',
  'already_exists',
  'declared_in_file',
  'run_active',
  'revision_conflict',
  'signature_invalid',
  'integration_disabled',
];

/** The problem that a fault of the service stands for. */
export function problemOf(fault: Fault): FaultProblem {
  const key = fault.kind === 'config' && isServiceCode(fault.code) ? fault.code : BY_KIND[fault.kind];
  return { ...PROBLEMS[key], key };
}

function isServiceCode(code: string): code is ProblemCode {
  return SERVICE_CODES.includes(code);
}
