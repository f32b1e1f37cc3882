import { createWriteStream } from 'node:fs';
import { get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { isIP } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalidConfig } from '../../core/config';
import { Fault } from '../../core/fault';
import type { Network } from '../../core/network';

/** What is fetched, and within which bounds. */
export interface Download {
  readonly url: URL;
  /** Where to ask instead, once, when the answer is no file. */
  elsewhere?(answer: IncomingMessage): URL | undefined;
  /** What to do about a status. */
  hint(status: number): string;
  readonly target: string;
  readonly mostBytes: number;
  readonly signal: AbortSignal;
  readonly network: Network | undefined;
}

const OK = 200;
const MOST_REDIRECTS = 5;
const MOVED = new Set([301, 302, 303, 307, 308]);
const LOGIN = new Set([401, 403]);
const FAILING = new Set([408, 429]);
const REFUSED_TLS = 'network_security.require_ssl asks for encryption; begin it with https://';

/** Fetches a file by HTTP, under the rules of the network. The address shows in no fault: it may be secret. */
export async function download(task: Download): Promise<void> {
  const { target, mostBytes, signal } = task;
  let response = await followed(task.url, task);
  const other = response.statusCode === OK ? undefined : task.elsewhere?.(response);
  if (other !== undefined) {
    response.destroy();
    response = await followed(other, task);
  }
  if (response.statusCode !== OK) {
    response.destroy();
    throw refused(response, `the answer has status ${response.statusCode}`, task);
  }
  await pipeline(response, bounded(mostBytes), createWriteStream(target, { mode: 0o600, flags: 'wx' }), { signal });
}

/** The first answer that sends nobody elsewhere. */
async function followed(url: URL, task: Download): Promise<IncomingMessage> {
  const { signal, network } = task;
  let response = await request(url, signal, network);
  for (let from = url, redirects = 0; MOVED.has(response.statusCode ?? 0); redirects++) {
    const { location } = response.headers;
    // S3 names only the region in its header.
    if (location === undefined && task.elsewhere?.(response) !== undefined) return response;
    response.destroy();
    if (location === undefined || redirects === MOST_REDIRECTS) throw refused(response, 'too many redirects', task);
    const next = new URL(location, from);
    // The login stays with the host it was given for.
    if (next.host !== from.host) [next.username, next.password] = ['', ''];
    if (from.protocol === 'https:' && next.protocol !== 'https:')
      throw refused(response, 'a redirect to an unencrypted address', task);
    response = await request(next, signal, network);
    from = next;
  }
  return response;
}

function request(url: URL, signal: AbortSignal, network: Network | undefined): Promise<IncomingMessage> {
  if (network?.requireTls && url.protocol !== 'https:')
    throw invalidConfig([{ path: 'connection.url', message: REFUSED_TLS }]);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) network?.check(host, host);
  const { username, password } = url;
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    signal,
    // A connection that is kept for others was made by their rules.
    agent: false,
    ...(network && { lookup: network.lookup as NonNullable<RequestOptions['lookup']> }),
    ...(network?.verifyTls === false && { rejectUnauthorized: false }),
    ...(username !== '' && { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
  };
  const bare = new URL(url);
  [bare.username, bare.password] = ['', ''];
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? httpsGet : httpGet;
    get(bare, options, resolve).on('error', reject);
  });
}

function bounded(mostBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.byteLength;
      if (bytes <= mostBytes) return done(null, chunk);
      done(
        new Fault('config', 'file_too_large', `fetching the file: it is larger than ${mostBytes / (1 << 20)} MiB`, {
          hint: 'Raise connection.max_megabytes, and see that the temporary folder of this machine has as much space.',
        }),
      );
    },
  });
}

function refused({ statusCode = 0 }: IncomingMessage, why: string, { hint }: Download): Fault {
  const message = `fetching the file from connection.url: ${why}`;
  if (statusCode >= 500 || FAILING.has(statusCode)) {
    return new Fault('transient', 'server_error', message, { hint: 'It is tried again by itself.' });
  }
  const code = LOGIN.has(statusCode) ? 'download_forbidden' : 'download_refused';
  return new Fault('config', code, message, { hint: hint(statusCode) });
}

/** What to do about the answer of a web server. */
export function webHint(status: number): string {
  return LOGIN.has(status)
    ? 'The server does not let it be read: check user, password or signature in connection.url, and whether it has expired.'
    : 'Check connection.url.';
}

/** What to do about the answer of S3. */
export function objectHint(status: number): string {
  if (LOGIN.has(status)) {
    return 'These keys may not read it (s3:GetObject; kms:Decrypt, where it is encrypted with a key), or it is not there and they may not list the bucket. Check connection.url and the keys.';
  }
  return status === 404
    ? 'There is no such bucket or object: check connection.url, which is s3://BUCKET/KEY.'
    : 'Check connection.url, connection.region and the keys.';
}
