import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Fault } from '../../core/fault';
import type { Clock, SecretOrigin, Secrets } from '../../core/ports';
import { Secret } from '../../core/secret';
import { awsFault, classifyAws } from './faults';

/** Where the secrets lie. */
export interface AwsSecretsOptions {
  readonly client: SecretsManagerClient;
  /** `${NAME}` is the secret `<prefix>NAME`, such as `explorerio/dev/NAME`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** How long a value is used without asking again: five minutes, unless it says otherwise. */
  readonly ttlMs?: number;
  /** What gives this process the right to read a secret, as a full sentence, for when it has not. */
  readonly hint?: string;
}

interface Cached {
  readonly value: Promise<Secret | undefined>;
  readonly until: number;
}

type Stage = 'AWSCURRENT' | 'AWSPENDING';

const TTL_MS = 5 * 60_000;
// What Secrets Manager allows in a name.
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;

/** Secrets of Secrets Manager. Values are cached; that a secret is not there is not. */
export class AwsSecrets implements Secrets {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #hint: string | undefined;
  // No larger than the number of secrets there are: only those that exist stay.
  readonly #cache = new Map<string, Cached>();

  constructor({ client, prefix, clock, ttlMs = TTL_MS, hint }: AwsSecretsOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#hint = hint;
  }

  async get(name: string): Promise<Secret | undefined> {
    const now = this.#clock.now();
    const known = this.#cache.get(name);
    if (known !== undefined && now < known.until) return known.value;
    // The request itself is kept, so that callers at the same time share it.
    const entry = { value: this.#read(name, 'AWSCURRENT'), until: now + this.#ttlMs };
    this.#cache.set(name, entry);
    let found = false;
    try {
      const value = await entry.value;
      found = value !== undefined;
      return value;
    } finally {
      if (!found && this.#cache.get(name) === entry) this.#cache.delete(name);
    }
  }

  /** Forgets the value: the next `get` asks again. For when a server has refused it. */
  refresh(name: string): void {
    this.#cache.delete(name);
  }

  /** The value that a rotation is about to make current; `undefined` when there is none. Never cached. */
  async pending(name: string): Promise<Secret | undefined> {
    return this.#read(name, 'AWSPENDING');
  }

  /** Without reading the value. Any change of the secret counts as one of its value: the service knows no more. */
  async about(name: string): Promise<SecretOrigin | undefined> {
    const id = `${this.#prefix}${name}`;
    if (name === '' || !NAME.test(id)) return undefined;
    try {
      const found = await this.#client.send(new DescribeSecretCommand({ SecretId: id }));
      if (found.DeletedDate !== undefined) return undefined;
      const changed = found.LastChangedDate ?? found.CreatedDate;
      return { store: 'secrets_manager', ...(changed && { changedAt: changed.getTime() }) };
    } catch (error) {
      if ((error as { readonly name?: unknown }).name === 'ResourceNotFoundException') return undefined;
      throw secretFault(error, id, this.#hint, 'secretsmanager:DescribeSecret');
    }
  }

  async #read(name: string, stage: Stage): Promise<Secret | undefined> {
    const id = `${this.#prefix}${name}`;
    if (name === '' || !NAME.test(id)) return undefined;
    try {
      const command = new GetSecretValueCommand({ SecretId: id, VersionStage: stage });
      const { SecretString } = await this.#client.send(command);
      if (SecretString !== undefined) return new Secret(SecretString);
    } catch (error) {
      if ((error as { readonly name?: unknown }).name === 'ResourceNotFoundException') return undefined;
      throw secretFault(error, id, this.#hint);
    }
    throw new Fault('config', 'secret_not_text', `reading secret ${id}: it holds bytes, not text`, {
      hint: 'Store its value as SecretString.',
    });
  }
}

function secretFault(
  error: unknown,
  id: string,
  ownHint: string | undefined,
  action = 'secretsmanager:GetSecretValue',
): Fault {
  const doing = `reading secret ${id}`;
  if ((error as { readonly name?: unknown }).name === 'InvalidRequestException') {
    return new Fault('config', 'secret_deleted', `${doing}: it is marked for deletion`, {
      hint: `Take it back with \`aws secretsmanager restore-secret --secret-id ${id}\`, or make another.`,
      cause: error,
    });
  }
  // The message and the hidden fields of an answer that could not be parsed hold a part of it: the value.
  if (classifyAws(error) === undefined) {
    return new Fault('transient', 'answer_unreadable', `${doing}: the answer of Secrets Manager cannot be read`, {
      hint: 'Check what stands between this machine and Secrets Manager, and AWS_ENDPOINT_URL.',
    });
  }
  const fault = awsFault(error, doing);
  if (fault.code !== 'permission_denied') return fault;
  const allow = ownHint ?? `Allow ${action} on the secret ${id} in the policy of the role.`;
  return new Fault('config', fault.code, fault.message, {
    hint: `${allow} Allow kms:Decrypt on its key, too, when that is one of your own. A secret that does not exist looks the same to a role without that right.`,
    cause: error,
  });
}
