import { awsFault } from '../../../lib/adapters/aws/faults';
import { Fault } from '../../../lib/core/fault';

const named = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error('because'), { name, $metadata: { httpStatusCode } });
const coded = (code: string) => Object.assign(new Error('because'), { code });

describe('awsFault', () => {
  const cases: readonly (readonly [Error & { code?: string }, string, string])[] = [
    [named('ThrottlingException', 400), 'transient', 'throttled'],
    [named('ProvisionedThroughputExceededException', 400), 'transient', 'throttled'],
    [named('RequestThrottled', 403), 'transient', 'throttled'],
    [named('SomethingNew', 429), 'transient', 'throttled'],
    [Object.assign(named('SomethingNew', 400), { $retryable: { throttling: true } }), 'transient', 'throttled'],
    [Object.assign(named('SomethingNew', 400), { $retryable: {} }), 'transient', 'service_unavailable'],
    [named('InternalServerError', 500), 'transient', 'service_unavailable'],
    [named('UnknownError', 503), 'transient', 'service_unavailable'],
    [named('TimeoutError'), 'transient', 'timeout'],
    [named('AbortError'), 'transient', 'aborted'],
    [named('ExpiredTokenException', 400), 'transient', 'credentials_expired'],
    [named('RequestTimeTooSkewed', 403), 'transient', 'clock_skewed'],
    [named('ConflictException', 409), 'transient', 'conflict'],
    [named('AccessDeniedException', 400), 'config', 'permission_denied'],
    [named('UnrecognizedClientException', 400), 'config', 'credentials_invalid'],
    [named('CredentialsProviderError'), 'config', 'credentials_invalid'],
    [named('ResourceNotFoundException', 400), 'config', 'resource_missing'],
    [named('QueueDoesNotExist', 400), 'config', 'resource_missing'],
    [named('KmsDisabled', 400), 'config', 'encryption_key_unusable'],
    [named('ServiceQuotaExceededException', 402), 'config', 'quota_exceeded'],
    [named('ValidationException', 400), 'bug', 'request_rejected'],
    [coded('ECONNREFUSED'), 'transient', 'unreachable'],
    [Object.assign(coded('ECONNRESET'), { name: 'TimeoutError' }), 'transient', 'unreachable'],
    [coded('ETIMEDOUT'), 'transient', 'timeout'],
    [coded('ENOTFOUND'), 'transient', 'unreachable'],
    [coded('EAI_AGAIN'), 'transient', 'unreachable'],
    [new Error('wrapped', { cause: coded('EPIPE') }), 'transient', 'unreachable'],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'config', 'tls_untrusted'],
  ];
  const titled = cases.map((one) => [`${one[0].name} ${one[0].code ?? ''}`, ...one] as const);
  it.each(titled)('judges %s by its class or code', (_, error, kind, code) => {
    const fault = awsFault(error, 'doing it');
    expect(fault).toMatchObject({ kind, code, cause: error, hint: expect.stringMatching(/^[A-Z].*\.$|`$/) });
    expect(fault.message).toMatch(/^doing it: (\w+: )?(because|wrapped)$/);
  });

  it.each([new TypeError('undefined is not a function'), 'text', null, undefined, 7])('calls %p a bug', (error) => {
    expect(awsFault(error, 'doing it')).toMatchObject({ kind: 'bug', code: 'unexpected_error' });
  });

  it('leaves a fault as it is', () => {
    const fault = new Fault('lost', 'gone', 'it is gone');
    expect(awsFault(fault, 'doing it')).toBe(fault);
  });

  it('ends on errors that cause each other', () => {
    const error: Error & { cause?: unknown } = new Error('a circle');
    error.cause = error;
    expect(awsFault(error, 'doing it')).toMatchObject({ kind: 'bug' });
  });
});
