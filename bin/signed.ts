import { Fault, messageOf } from '../lib/core/fault';
import { overHttp, type Send, urlAt } from './client';

const API_GATEWAY = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** What to do where no credentials are found. */
export const CREDENTIALS_HINT =
  'Give AWS credentials as for the AWS CLI: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "aws sso login".';

/** The region whose API Gateway an address belongs to; `undefined` for any other server. */
export function regionOf(url: string): string | undefined {
  return API_GATEWAY.exec(new URL(url).hostname)?.[1];
}

/** Delivers requests to a deployed stage, signed with the AWS credentials of whoever calls: those of the AWS CLI. */
export function overSigned(base: string, region: string): Send {
  const send = overHttp(base);
  return async (path, init) => {
    const [{ signedHeaders }, { defaultProvider }] = await Promise.all([
      import('../lib/adapters/aws/signed-request'),
      import('@aws-sdk/credential-provider-node'),
    ]);
    const { body } = init;
    const unsigned = {
      url: urlAt(base, path),
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof body === 'string' && { body }),
    };
    const headers = await signedHeaders(unsigned, { credentials: defaultProvider(), region }).catch((error) => {
      throw new Fault('config', 'no_credentials', `signing the request: ${messageOf(error)}`, {
        hint: CREDENTIALS_HINT,
        cause: error,
      });
    });
    return send(path, { ...init, headers });
  };
}
