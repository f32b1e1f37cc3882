import type * as z from 'zod';
import { Fault, messageOf } from '../../core/fault';
import type { Secret } from '../../core/secret';

/** Keys of AWS, whatever they are the keys of. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** The keys of this process: of its environment, profile, or role. @throws Fault `config`/`no_credentials` */
export async function keysOfProcess(): Promise<AwsKeys> {
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

/** The keys that a connection gives, if it does. */
export function givenKeys({
  access_key_id: accessKeyId,
  secret_access_key: secret,
  session_token: session,
}: GivenKeys<Secret>): AwsKeys | undefined {
  if (accessKeyId === undefined || secret === undefined) return undefined;
  return { accessKeyId, secretAccessKey: secret.reveal(), sessionToken: session?.reveal() };
}

/** Keys as a connection gives them. */
interface GivenKeys<S> {
  readonly access_key_id?: string | undefined;
  readonly secret_access_key?: S | undefined;
  readonly session_token?: S | undefined;
}

/** Refuses half of a pair of keys, and a token without them. */
export function requireKeys<T extends GivenKeys<unknown>>(value: T, context: z.core.$RefinementCtx<T>): void {
  const { access_key_id: id, secret_access_key: secret, session_token: session } = value;
  const missing = (name: string, given: string) =>
    context.addIssue({ code: 'custom', path: [name], message: `is required where "${given}" is given` });
  if (id !== undefined && secret === undefined) missing('secret_access_key', 'access_key_id');
  if (secret !== undefined && id === undefined) missing('access_key_id', 'secret_access_key');
  if (session !== undefined && id === undefined) missing('access_key_id', 'session_token');
}
