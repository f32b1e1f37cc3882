import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { Fault } from '../../core/fault';
import { ruledAgent } from '../shared/http/agent';
import { classify } from './classify';
import type { Endpoint, Role } from './endpoint';

/** Credentials that end, in the form that the SDK renews by itself. */
export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** What the SDK asks for credentials. */
export type Provider = NonNullable<DynamoDBClientConfig['credentials']>;

const VERSION = '2011-06-15';
const SESSION = 'explorerio';

/** Credentials of a role, taken on by whoever `own` is; without it by this process. */
export function roleProvider(
  endpoint: Endpoint,
  role: Role,
  own: Provider | undefined,
): () => Promise<TemporaryCredentials> {
  // Never asked anything: it finds the credentials of the process, and has the digest that signatures are made with.
  const { config } = new DynamoDBClient({ region: endpoint.region, ...(own && { credentials: own }) });
  return async () => {
    const { region } = endpoint;
    const signer = new SignatureV4({ credentials: config.credentials, region, service: 'sts', sha256: config.sha256 });
    const parameters = new URLSearchParams({
      Action: 'AssumeRole',
      Version: VERSION,
      RoleArn: role.arn,
      RoleSessionName: SESSION,
      ...(role.externalId !== undefined && { ExternalId: role.externalId }),
    });
    const body = parameters.toString();
    const { url } = role;
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    return credentialsIn(await post(endpoint, url, headers, body), role.arn);
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function post(endpoint: Endpoint, url: URL, headers: Record<string, string>, body: string): Promise<Answer> {
  const encrypted = url.protocol === 'https:';
  const { network, requestTimeoutMs } = endpoint;
  const tls = encrypted ? { rejectUnauthorized: network?.verifyTls !== false } : undefined;
  const agent = ruledAgent({ network, tls, maxConnections: 1 });
  return new Promise<Answer>((resolve, reject) => {
    const open = encrypted ? requestTls : requestPlain;
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const request = open(url, { method: 'POST', headers, agent, signal });
    request.once('error', reject);
    request.once('response', (response) => {
      buffer(response).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes.toString() }), reject);
    });
    request.end(body);
  }).finally(() => agent.destroy());
}

function credentialsIn({ status, body }: Answer, arn: string): TemporaryCredentials {
  const text = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  if (status === 200) {
    return {
      accessKeyId: text('AccessKeyId'),
      secretAccessKey: text('SecretAccessKey'),
      sessionToken: text('SessionToken'),
      expiration: new Date(text('Expiration')),
    };
  }
  const code = text('Code');
  if (code !== 'AccessDenied') {
    const error = Object.assign(new Error(text('Message')), { name: code, $metadata: { httpStatusCode: status } });
    throw classify(error) ?? error;
  }
  throw new Fault('config', 'role_refused', `taking on ${arn}: ${text('Message')}`, {
    hint: 'Allow sts:AssumeRole on the role to who logs in, and let the trust policy of the role name them; check connection.role.external_id.',
  });
}
