import { createHmac, randomBytes } from 'node:crypto';
import type { StateStore } from '../core/ports';
import type { Secret } from '../core/secret';
import { update } from './records';
import { keys } from './state';

interface Seen {
  readonly digest: string;
  /** Milliseconds since 1970 at which the value was first seen. */
  readonly since: number;
}

interface DigestKey {
  readonly digest_key: string;
}

/**
 * When the value of a secret was first seen, for places that do not know when they were changed. What is remembered of it
 * is a digest under a random key: the value cannot be found out from it without that key.
 */
export async function seenSince(state: StateStore, name: string, value: Secret, now: number): Promise<number> {
  const digest = createHmac('sha256', await digestKey(state))
    .update(`${name}\0${value.reveal()}`)
    .digest('base64');
  const { value: seen } = await update<Seen>(state, keys.seenCredential(name), (known) =>
    known?.digest === digest ? undefined : { digest, since: now },
  );
  return seen?.since ?? now;
}

async function digestKey(state: StateStore): Promise<Buffer> {
  const { value } = await update<DigestKey>(state, keys.digestKey, (known) =>
    known === undefined ? { digest_key: randomBytes(32).toString('base64') } : undefined,
  );
  return Buffer.from(value?.digest_key ?? '', 'base64');
}
