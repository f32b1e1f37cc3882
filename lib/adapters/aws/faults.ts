import { Fault, toFault, type Verdict, verdict } from '../../core/fault';

/** What errors of the SDK, of the services and of the network have in common, as far as they have it. */
interface ErrorParts {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

const AGAIN = 'It is tried again by itself; if it stays, look at the health page of AWS for this region.';
const throttled = verdict(
  'transient',
  'throttled',
  'AWS takes fewer requests than are sent. It is tried again by itself; if it stays, raise the quota or the capacity.',
);
const unavailable = verdict('transient', 'service_unavailable', AGAIN);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check the network, AWS_REGION and AWS_ENDPOINT_URL, and that the VPC has a way to this service.',
);
const timeout = verdict(
  'transient',
  'timeout',
  'It is tried again by itself; if it stays, check that the network, or the VPC, has a way to this service.',
);
const forbidden = verdict(
  'config',
  'permission_denied',
  'Allow the action that the message names in the policy of the role; a deployment of the stacks restores its policies.',
);
const unknownCaller = verdict(
  'config',
  'credentials_invalid',
  'Check the AWS credentials of this process: `aws sts get-caller-identity`.',
);
const missing = verdict(
  'config',
  'resource_missing',
  'It was removed, or belongs to another region, account or stage. Check AWS_REGION, and deploy the stacks again.',
);
const key = verdict(
  'config',
  'encryption_key_unusable',
  'Check that the KMS key is enabled and that the role may use it.',
);
const quota = verdict('config', 'quota_exceeded', 'Raise the quota that the message names in Service Quotas.');
const conflict = verdict(
  'transient',
  'conflict',
  'Another request changes the same thing. It is tried again by itself.',
);
const skewed = verdict('transient', 'clock_skewed', 'Set the clock of this machine.');
const untrusted = verdict(
  'config',
  'tls_untrusted',
  'Something between this machine and AWS shows a certificate of its own: put its authority into NODE_EXTRA_CA_CERTS.',
);
const rejected = verdict('bug', 'request_rejected', 'AWS does not accept the request: please report this message.');

const BY_NAME: ReadonlyMap<string, Verdict> = new Map(
  (
    [
      [throttled, 'BandwidthLimitExceeded LimitExceededException OverLimit PriorRequestNotComplete'],
      [throttled, 'ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled SlowDown'],
      [throttled, 'RequestThrottledException ThrottledException Throttling ThrottlingException'],
      [throttled, 'TooManyRequestsException KmsThrottled KMSThrottlingException'],
      [unavailable, 'InternalFailure InternalServerError InternalServerException InternalServiceError'],
      [unavailable, 'ServiceUnavailable ServiceUnavailableException'],
      [timeout, 'TimeoutError RequestTimeout RequestTimeoutException'],
      [verdict('transient', 'aborted', 'It was stopped on request.'), 'AbortError'],
      [forbidden, 'AccessDenied AccessDeniedException AuthorizationErrorException NotAuthorized UnauthorizedOperation'],
      [unknownCaller, 'CredentialsProviderError TokenProviderError IncompleteSignature InvalidAccessKeyId'],
      [unknownCaller, 'IncompleteSignatureException InvalidClientTokenId InvalidSignatureException'],
      [unknownCaller, 'MissingAuthenticationToken MissingAuthenticationTokenException'],
      [unknownCaller, 'SignatureDoesNotMatch UnrecognizedClientException OptInRequired'],
      [
        verdict(
          'transient',
          'credentials_expired',
          'Sign in to AWS again; functions get new credentials by themselves.',
        ),
        'ExpiredToken ExpiredTokenException',
      ],
      [missing, 'NotFoundException ResourceNotFoundException ResourceNotFound QueueDoesNotExist'],
      [key, 'DecryptionFailure EncryptionFailure KmsAccessDenied KmsDisabled KmsInvalidKeyUsage KmsInvalidState'],
      [key, 'KmsNotFound KmsOptInRequired KMSAccessDeniedException KMSDisabledException KMSInvalidStateException'],
      [key, 'KMSNotFoundException'],
      [quota, 'ServiceQuotaExceededException LimitExceededFault'],
      [conflict, 'ConflictException ReplicatedWriteConflictException ResourceInUseException'],
      [conflict, 'TransactionConflictException'],
      [skewed, 'RequestExpired RequestInTheFuture RequestTimeTooSkewed'],
    ] as const
  ).flatMap(([meaning, names]) => names.split(' ').map((name) => [name, meaning] as const)),
);

const NETWORK = /^(ECONN\w+|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_HTTP2_\w+|ERR_STREAM_\w+)$/;
const CERTIFICATE = /^(CERT_\w+|ERR_TLS_CERT_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|UNABLE_TO_\w+)$/;
// The SDK wraps what the network threw at most a few times.
const DEEPEST_CAUSE = 5;

/**
 * What an error of an AWS client means, after the SDK has retried it in its own way: throttling, time-outs and the
 * network are `transient`; permissions, credentials and missing resources are `config`. A fault stays what it is.
 */
export function awsFault(error: unknown, doing: string): Fault {
  return toFault(error, doing, classifyAws);
}

/** For `guarded` of core/fault; `undefined` when it is no error of an AWS client. */
export function classifyAws(error: unknown): Fault | undefined {
  const found = judge(error, DEEPEST_CAUSE);
  return found && new Fault(found.kind, found.code, sentence(error), { hint: found.hint });
}

function judge(error: unknown, deeper: number): Verdict | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { name, code, cause, $metadata, $retryable } = error as ErrorParts;
  // The code first: the SDK names a connection that was reset a TimeoutError.
  const known = byCode(String(code)) ?? BY_NAME.get(String(name));
  if (known !== undefined) return known;
  const status = $metadata?.httpStatusCode ?? 0;
  if ($retryable?.throttling || status === 429) return throttled;
  if ($retryable !== undefined || status >= 500) return unavailable;
  if (status >= 400) return rejected;
  return deeper > 0 ? judge(cause, deeper - 1) : undefined;
}

function byCode(code: string): Verdict | undefined {
  if (code === 'ETIMEDOUT') return timeout;
  if (NETWORK.test(code)) return unreachable;
  return CERTIFICATE.test(code) ? untrusted : undefined;
}

/** The name says more than the message of some errors, and some have no message. */
function sentence(error: unknown): string {
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  return [name, message].filter((part) => part !== undefined && part !== '' && part !== 'Error').join(': ');
}
