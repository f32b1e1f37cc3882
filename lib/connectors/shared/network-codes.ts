import { type Verdict, verdict } from '../../core/fault';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const unverified = verdict(
  'config',
  'tls_untrusted',
  'Put the certificate of the authority that signed the server certificate into connection.ssl.ca.',
);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check host and port, that the server runs, and that a firewall lets this machine through.',
);
const lostConnection = verdict('transient', 'connection_lost', AGAIN);
const wrongKey = verdict('config', 'tls_client_certificate', 'Check connection.ssl.cert and connection.ssl.key.');

/** What the codes of Node's sockets and of TLS mean, for any system that is reached by them. */
export const NETWORK_CODES: { readonly [code: string]: Verdict } = {
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ENOTFOUND: verdict('config', 'host_unknown', 'Check the spelling of connection.host.'),
  EAI_AGAIN: verdict('transient', 'name_service', 'The name service does not answer; check the network.'),
  ENOENT: verdict('config', 'socket_missing', 'There is no server socket at the path that connection.host names.'),
  EACCES: verdict('config', 'socket_forbidden', 'This user may not open the socket of the server.'),
  ECONNRESET: lostConnection,
  EPIPE: lostConnection,
  ERR_STREAM_PREMATURE_CLOSE: lostConnection,
  ERR_STREAM_DESTROYED: lostConnection,
  ERR_STRING_TOO_LONG: verdict(
    'data',
    'value_too_large',
    'A value is larger than 512 MB. Leave the column out by a view.',
  ),
  ERR_TLS_CERT_ALTNAME_INVALID: verdict(
    'config',
    'tls_wrong_name',
    'Connect by a name that the certificate has, or set connection.ssl.server_name to one.',
  ),
  CERT_HAS_EXPIRED: verdict('config', 'tls_expired', 'Renew the certificate of the server.'),
  SELF_SIGNED_CERT_IN_CHAIN: unverified,
  DEPTH_ZERO_SELF_SIGNED_CERT: unverified,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unverified,
  UNABLE_TO_GET_ISSUER_CERT: unverified,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unverified,
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: wrongKey,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: verdict(
    'config',
    'tls_client_certificate',
    'The server does not accept connection.ssl.cert: it must be signed by an authority that the server trusts.',
  ),
  ERR_SSL_WRONG_VERSION_NUMBER: verdict(
    'config',
    'tls_not_offered',
    'That port does not speak TLS; check port and ssl.',
  ),
};

/** The verdict on any other code of a failed TLS handshake. */
export function tlsVerdict(code: string): Verdict | undefined {
  const hint = 'The TLS handshake failed; check connection.ssl and the certificates of both sides.';
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code.startsWith('ERR_OSSL_')
    ? verdict('config', 'tls_failed', hint)
    : undefined;
}
