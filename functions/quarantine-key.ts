import { Fault } from '../lib/core/fault';
import type { Secrets } from '../lib/core/ports';
import type { Secret } from '../lib/core/secret';
import type { FunctionEnvironment } from '../lib/infra/env';

/** The key under which records in quarantine are encrypted. @throws Fault `config`/`no_quarantine_key` */
export async function quarantineKeyOf(
  { EXPLORERIO_QUARANTINE_SECRET: name }: FunctionEnvironment,
  secrets: Secrets,
): Promise<Secret> {
  const key = await secrets.get(name);
  if (key !== undefined && key.reveal() !== '') return key;
  throw new Fault('config', 'no_quarantine_key', `opening the destination: the secret ${name} has no value`, {
    hint: 'Records in quarantine are encrypted under it. Put the key back that it had, or deploy the state stack again.',
  });
}
