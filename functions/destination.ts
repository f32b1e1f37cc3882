import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Secrets } from '../lib/core/ports';
import type { Redactor } from '../lib/core/secret';
import { openDestination } from '../lib/destinations';
import type { EnginePorts } from '../lib/engine/ports';
import { renewedDestination } from '../lib/engine/renewed-destination';
import { Renewing } from '../lib/engine/renewing';
import { SecretAttempts, type SecretValues } from '../lib/engine/secret-values';
import { DESTINATION_CONNECTIONS, type FunctionEnvironment } from '../lib/infra/env';
import { quarantineKeyOf } from './quarantine-key';

/** Opens the destination by the URL in its secret, and anew by a newer one when its login is refused. */
export function openDestinationOf(
  environment: FunctionEnvironment,
  secrets: Secrets,
  redactor: Redactor,
): EnginePorts['openDestination'] {
  return async (context, host) => {
    const sealed = { ...context, quarantineKey: await quarantineKeyOf(environment, secrets) };
    const open = (url: string) =>
      openDestination('postgresql', { url, max_connections: DESTINATION_CONNECTIONS }, sealed, host);
    return renewedDestination(renewingByUrl(environment, secrets, redactor, host.log, open));
  };
}

/** What is opened by the URL in the destination's secret. */
export function renewingByUrl<T extends { close(): Promise<void> }>(
  { EXPLORERIO_DESTINATION_SECRET: name }: FunctionEnvironment,
  secrets: Secrets,
  redactor: Redactor,
  log: Logger,
  open: (url: string) => Promise<T>,
): Renewing<T> {
  const attempts = new SecretAttempts([name], secrets, redactor);
  const openWith = async (values: SecretValues) => {
    const url = values.get(name);
    if (!url) throw noDestination(name);
    redactor.add(decodeURIComponent(new URL(url).password));
    return open(url);
  };
  return new Renewing(attempts, openWith, log);
}

function noDestination(name: string): Fault {
  return new Fault('config', 'no_destination', `opening the destination: the secret ${name} has no value`, {
    hint: 'Put the URL of a PostgreSQL database into it: postgresql://user:password@host/database?ssl=true',
  });
}
