import { Secret } from '../../core/secret';
import { type AwsKeys, keysOfProcess } from './aws-keys';
import { presigned } from './presigned';

/** Whom a token lets in, and where. */
export interface TokenFor {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly region: string;
}

/** What the service accepts. */
const SECONDS = 900;

/**
 * The password of IAM authentication: a request to connect, signed in its query.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function rdsToken({ host, port, username, region }: TokenFor, keys: AwsKeys, now: Date): string {
  const request = {
    service: 'rds-db',
    region,
    host: `${host.toLowerCase()}:${port}`,
    path: '/',
    parameters: { Action: 'connect', DBUser: username },
    expiresSeconds: SECONDS,
  };
  return presigned(request, keys, now);
}

/** Makes tokens with the given keys, or those of this process: environment, profile, or role. */
export function rdsTokens(access: TokenFor, given: AwsKeys | undefined): () => Promise<Secret> {
  return async () => new Secret(rdsToken(access, given ?? (await keysOfProcess()), new Date(Date.now())));
}
