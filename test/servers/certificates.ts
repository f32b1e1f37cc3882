import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM texts for one server and one client, signed by an authority that nobody else knows. */
export interface Certificates {
  readonly ca: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

const SERVER_NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n';
const CLIENT_USE = 'extendedKeyUsage=clientAuth\n';

/** Writes `ca.crt`, `server.crt`, `server.key`, `client.crt` and `client.key` into `folder`. Needs openssl. */
export function makeCertificates(folder: string, clientName: string): Certificates {
  const authority = [
    '-subj',
    '/CN=ExplorerIO test authority',
    '-days',
    '30',
    '-addext',
    'keyUsage=critical,keyCertSign',
  ];
  openssl(folder, ['req', '-x509', ...newKey('ca'), ...authority, '-out', 'ca.crt']);
  sign(folder, 'server', 'localhost', SERVER_NAMES);
  sign(folder, 'client', clientName, CLIENT_USE);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  return { ca: read('ca.crt'), clientCertificate: read('client.crt'), clientKey: read('client.key') };
}

function sign(folder: string, name: string, commonName: string, extensions: string): void {
  writeFileSync(join(folder, `${name}.ext`), extensions);
  openssl(folder, ['req', ...newKey(name), '-subj', `/CN=${commonName}`, '-out', `${name}.csr`]);
  const request = ['-req', '-in', `${name}.csr`, '-extfile', `${name}.ext`, '-days', '30'];
  const issuer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl(folder, ['x509', ...request, ...issuer, '-out', `${name}.crt`]);
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}
