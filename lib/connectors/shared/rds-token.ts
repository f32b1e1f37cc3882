import { createHash, createHmac } from 'node:crypto';
import { Fault, messageOf } from '../../core/fault';
import { Secret } from '../../core/secret';

/** Keys of AWS, whatever they are the keys of. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Whom a token lets in, and where. */
export interface TokenFor {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly region: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'rds-db';
const TERMINATOR = 'aws4_request';
/** What the service accepts. */
const SECONDS = 900;

/**
 * The password of IAM authentication: a request to connect, signed in its query.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function rdsToken({ host, port, username, region }: TokenFor, keys: AwsKeys, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, SERVICE, TERMINATOR];
  const name = `${host.toLowerCase()}:${port}`;
  const query = queryOf({
    Action: 'connect',
    DBUser: username,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': [keys.accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    'X-Amz-Expires': String(SECONDS),
    ...(keys.sessionToken !== undefined && { 'X-Amz-Security-Token': keys.sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  });
  const request = ['GET', '/', query, `host:${name}`, '', 'host', sha256('')].join('\n');
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${keys.secretAccessKey}`);
  const signature = hmac(key, [ALGORITHM, time, scope.join('/'), sha256(request)].join('\n')).toString('hex');
  return `${name}/?${query}&X-Amz-Signature=${signature}`;
}

/** Makes tokens with the given keys, or those of this process: environment, profile, or role. */
export function rdsTokens(access: TokenFor, given: AwsKeys | undefined): () => Promise<Secret> {
  return async () => {
    const keys = given ?? (await keysOfProcess());
    return new Secret(rdsToken(access, keys, new Date(Date.now())));
  };
}

async function keysOfProcess(): Promise<AwsKeys> {
  try {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
    return await defaultProvider()();
  } catch (error) {
    throw new Fault('config', 'no_credentials', `finding credentials of AWS: ${messageOf(error)}`, {
      hint: 'Give connection.access_key_id and connection.secret_access_key, or let this process have credentials: `aws sts get-caller-identity`.',
      cause: error,
    });
  }
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
