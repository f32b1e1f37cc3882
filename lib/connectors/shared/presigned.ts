import { createHash, createHmac } from 'node:crypto';
import type { AwsKeys } from './aws-keys';

/** A GET request to a service of AWS. */
export interface PresignedGet {
  readonly service: string;
  readonly region: string;
  /** With the port, where it is not the usual one. */
  readonly host: string;
  /** Begins with a slash; not encoded. */
  readonly path: string;
  readonly parameters: { readonly [name: string]: string };
  readonly expiresSeconds: number;
  /** S3 takes a digest of the body that is not given for one that does not matter. */
  readonly bodyDigest?: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';

/**
 * Host, path and query of a request that is signed in its query, by Signature Version 4.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function presigned(
  { service, region, host, path, parameters, expiresSeconds, bodyDigest = sha256('') }: PresignedGet,
  keys: AwsKeys,
  now: Date,
): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, service, TERMINATOR];
  const encodedPath = path.split('/').map(escaped).join('/');
  const query = queryOf({
    ...parameters,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': [keys.accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresSeconds),
    ...(keys.sessionToken !== undefined && { 'X-Amz-Security-Token': keys.sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  });
  const request = ['GET', encodedPath, query, `host:${host}`, '', 'host', bodyDigest].join('\n');
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${keys.secretAccessKey}`);
  const signature = hmac(key, [ALGORITHM, time, scope.join('/'), sha256(request)].join('\n')).toString('hex');
  return `${host}${encodedPath}?${query}&X-Amz-Signature=${signature}`;
}

function queryOf(parameters: { readonly [name: string]: string }): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  return pairs.sort().join('&');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
