import { readFileSync } from 'node:fs';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import * as z from 'zod';
import { invalidConfig, secretField } from '../../core/config';
import type { Network } from '../../core/network';

const pemOrPath = 'PEM text, or the path of a file that holds it';

/** The object form of `connection.ssl`. */
export const tlsFields = z.strictObject({
  verification: z.enum(['full', 'ca', 'off']).optional().meta({
    description:
      '`full` checks the certificate chain and the host name, `ca` the chain only, `off` nothing: anybody on the way can then read along.',
    default: 'full',
  }),
  ca: z
    .string()
    .min(1)
    .meta({
      description: `Certificates to trust instead of the system's: ${pemOrPath}.`,
      example: '/etc/ssl/db-ca.pem',
    })
    .optional(),
  cert: z
    .string()
    .min(1)
    .meta({ description: `Client certificate: ${pemOrPath}.`, example: '/etc/ssl/client.pem' })
    .optional(),
  key: secretField(`Key of the client certificate: ${pemOrPath}.`).optional(),
  server_name: z
    .string()
    .min(1)
    .meta({ description: 'Name the server certificate must be for, where it is not `host`.', example: 'db.internal' })
    .optional(),
});

/** `connection.ssl`, parsed. */
export type TlsConfig = boolean | z.output<typeof tlsFields>;

/** Encryption as the connection says, within what `network_security` says. A Unix socket has none and needs none. */
export function tlsOf(ssl: TlsConfig, host: string, network: Network | undefined): ConnectionOptions | undefined {
  const tls = tlsOptions(ssl);
  if (network === undefined || host.startsWith('/')) return tls;
  if (tls === undefined) {
    if (network.requireTls) throw unruly('ssl', 'network_security.require_ssl asks for encryption; set it to true');
    return undefined;
  }
  if (network.verifyTls === true && tls.rejectUnauthorized === false) {
    throw unruly('ssl.verification', 'network_security.ssl_verification asks for "full" or "ca"');
  }
  return network.verifyTls === false && ssl === true ? { ...tls, rejectUnauthorized: false } : tls;
}

function unruly(field: string, message: string) {
  return invalidConfig([{ path: `connection.${field}`, message }]);
}

function tlsOptions(ssl: TlsConfig): ConnectionOptions | undefined {
  if (ssl === false) return undefined;
  if (ssl === true) return { rejectUnauthorized: true };
  const { verification = 'full', server_name: serverName } = ssl;
  if ((ssl.cert === undefined) !== (ssl.key === undefined)) throw unpaired(ssl.cert === undefined ? 'cert' : 'key');
  return {
    rejectUnauthorized: verification !== 'off',
    ...(verification !== 'full' && { checkServerIdentity: () => undefined }),
    ...(verification === 'full' &&
      serverName !== undefined && {
        servername: serverName,
        // A driver puts the host into SNI; the certificate is still checked against the name that was asked for.
        checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      }),
    ...(ssl.ca !== undefined && { ca: pem('ca', ssl.ca) }),
    ...(ssl.cert !== undefined && { cert: pem('cert', ssl.cert) }),
    ...(ssl.key !== undefined && { key: pem('key', ssl.key.reveal()) }),
  };
}

function unpaired(missing: 'cert' | 'key') {
  const message = 'is missing: a client certificate needs both "cert" and "key"';
  return invalidConfig([{ path: `connection.ssl.${missing}`, message }]);
}

function pem(field: string, given: string): string {
  if (given.includes('-----BEGIN')) return given;
  try {
    return readFileSync(given, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw invalidConfig([
      { path: `connection.ssl.${field}`, message: `is neither PEM text nor a readable file (${code})` },
    ]);
  }
}
