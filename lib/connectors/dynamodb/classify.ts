import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';

interface ErrorParts {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const AGAIN = 'It is tried again by itself; if it stays, look at the health page of AWS for this region.';
const throttled = verdict(
  'transient',
  'throttled',
  "More is read than the table's capacity allows. It is tried again by itself; set read_capacity_per_second, or raise the capacity of the table.",
);
const unavailable = verdict('transient', 'service_unavailable', AGAIN);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check connection.region and connection.endpoint, and that a firewall lets this machine through.',
);
const lostConnection = verdict('transient', 'connection_lost', AGAIN);
const timeout = verdict(
  'transient',
  'timeout',
  'It is tried again by itself; if it stays, raise connection.request_timeout.',
);
const login = verdict(
  'config',
  AUTHENTICATION_FAILED,
  'Check connection.access_key_id, connection.secret_access_key and connection.session_token; without them, the credentials of this process: `aws sts get-caller-identity`.',
);
const forbidden = verdict(
  'config',
  'permission_denied',
  'Allow dynamodb:DescribeTable and dynamodb:Scan on the table, and dynamodb:ListTables unless "tables" has only plain names.',
);
const missing = verdict('config', 'table_missing', 'The table was removed, or is in another region or account.');
const key = verdict('config', 'encryption_key_unusable', 'Check the KMS key of the table, and that it may be used.');
const skewed = verdict('transient', 'clock_skewed', 'Set the clock of this machine.');
const untrusted = verdict(
  'config',
  'tls_untrusted',
  'Something on the way shows a certificate of its own: put its authority into NODE_EXTRA_CA_CERTS.',
);
const rejected = verdict('config', 'request_refused', 'Check "tables", and that connection.endpoint is DynamoDB.');

const BY_NAME: ReadonlyMap<string, Verdict> = new Map(
  (
    [
      [
        throttled,
        'ProvisionedThroughputExceededException ThrottlingException RequestLimitExceeded LimitExceededException',
      ],
      [unavailable, 'InternalServerError InternalFailure ServiceUnavailable ServiceUnavailableException'],
      [timeout, 'TimeoutError RequestTimeout RequestTimeoutException'],
      [verdict('transient', 'aborted', 'It was stopped on request.'), 'AbortError'],
      [forbidden, 'AccessDeniedException AccessDenied NotAuthorized'],
      [login, 'CredentialsProviderError TokenProviderError UnrecognizedClientException InvalidSignatureException'],
      [login, 'IncompleteSignatureException MissingAuthenticationToken MissingAuthenticationTokenException'],
      [login, 'InvalidClientTokenId SignatureDoesNotMatch ExpiredToken ExpiredTokenException OptInRequired'],
      [missing, 'ResourceNotFoundException TableNotFoundException'],
      [
        verdict('transient', 'table_not_ready', 'The table is being made or removed. It is tried again by itself.'),
        'ResourceInUseException TableInUseException',
      ],
      [key, 'InaccessibleEncryptionCredentials KMSAccessDeniedException KMSDisabledException KMSNotFoundException'],
      [skewed, 'RequestExpired RequestInTheFuture RequestTimeTooSkewed'],
    ] as const
  ).flatMap(([meaning, names]) => names.split(' ').map((name) => [name, meaning] as const)),
);

const BY_CODE: { readonly [code: string]: Verdict } = {
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: verdict('config', 'host_unknown', 'Check connection.region and the spelling of connection.endpoint.'),
  EAI_AGAIN: verdict('transient', 'name_service', 'The name service does not answer; check the network.'),
  ECONNRESET: lostConnection,
  EPIPE: lostConnection,
};
const CERTIFICATE = /^(CERT_\w+|ERR_TLS_CERT_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|UNABLE_TO_\w+)$/;
// The SDK wraps what the network threw at most a few times.
const DEEPEST_CAUSE = 5;

/** What an error of the SDK, the service or the network means, after the SDK has tried again in its own way. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  return judge(error, DEEPEST_CAUSE);
}

function judge(error: unknown, deeper: number): Fault | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  // Not by class: a fault of another realm is none of ours.
  if (error instanceof Fault) return error;
  const { name, code, cause, $metadata } = error as ErrorParts;
  // The code first: the SDK names a connection that was reset a TimeoutError.
  const known = byCode(String(code), name) ?? BY_NAME.get(String(name)) ?? byStatus($metadata?.httpStatusCode ?? 0);
  if (known) return new Fault(known.kind, known.code, sentence(error), { hint: known.hint, cause: error });
  return deeper > 0 ? judge(cause, deeper - 1) : undefined;
}

function byCode(code: string, name: unknown): Verdict | undefined {
  if (code === 'ETIMEDOUT') return name === 'TimeoutError' ? timeout : unreachable;
  return BY_CODE[code] ?? (CERTIFICATE.test(code) ? untrusted : undefined);
}

function byStatus(status: number): Verdict | undefined {
  if (status === 429) return throttled;
  if (status >= 500) return unavailable;
  return status >= 400 ? rejected : undefined;
}

/** The name says more than the message of some errors, and some have no message. */
function sentence(error: ErrorParts): string {
  const parts = [error.name, error.message].filter((part) => part !== undefined && part !== '' && part !== 'Error');
  return parts.length > 0 ? parts.join(': ') : String(error.code ?? 'unknown error');
}
