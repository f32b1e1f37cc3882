import { join, relative } from 'node:path';
import { writePrivate } from '../lib/adapters/embedded/private-files';
import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { StateStore } from '../lib/core/ports';

/** The database that rows are loaded into: of the embedded server, or wherever the URL says. */
export const DESTINATION_DATABASE = 'explorerio';

/** How to reach a PostgreSQL server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Writes the password file of the data folder, so that psql needs no password on its command line. */
export function writePasswordFile(folder: string, server: ServerAddress): string {
  const file = join(folder, 'pgpass');
  const escaped = server.password.replace(/[\\:]/g, '\\$&');
  writePrivate(file, `${server.host}:${server.port}:*:${server.user}:${escaped}\n`);
  return file;
}

/** A psql command line that works as it stands, without showing the password. */
export function psqlLine(server: ServerAddress, passwordFile: string, database = DESTINATION_DATABASE): string {
  const near = relative(process.cwd(), passwordFile);
  const file = near.startsWith('..') ? passwordFile : near;
  const shown = /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
  return `PGPASSFILE=${shown} psql -h ${server.host} -p ${server.port} -U ${server.user} ${database}`;
}

/** The same for a server of the user's own: psql asks for the password, or takes it from where it usually does. */
export function psqlLineOf(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return `psql '${shown.href.replaceAll("'", '%27')}'`;
}

const MARK = { partition: 'home', sort: 'destination' };

/**
 * Remembers where this data folder loads into. Forgetting the URL of a server would load everything into the embedded one
 * instead, in silence.
 * @throws Fault `config`/`destination_missing`
 */
export async function rememberDestination(state: StateStore, url: string | undefined, log: Logger): Promise<void> {
  const now = url === undefined ? 'embedded' : placeOf(url);
  const known = (await state.get(MARK))?.value;
  if (known === now) return;
  if (typeof known === 'string' && url === undefined) {
    throw new Fault('config', 'destination_missing', `opening the destination: this data folder loads into ${known}`, {
      hint: 'Set EXPLORERIO_DESTINATION_URL or --destination-url, or use another data folder for an embedded server.',
    });
  }
  if (known !== undefined) {
    log.warn('the destination has changed: everything is loaded anew there', { was: known, is: now });
  }
  await state.put(MARK, now, undefined);
}

/** @throws Fault `config`/`invalid_destination_url`, without the URL: it may hold a password */
export function checkDestinationUrl(url: string): void {
  if (!isServerUrl(url)) {
    throw new Fault(
      'config',
      'invalid_destination_url',
      'reading the URL of the destination: it is not a PostgreSQL URL',
      {
        hint: 'Expected postgresql://user:password@host:port/database, with odd characters percent-encoded.',
      },
    );
  }
}

function isServerUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, password } = new URL(url);
  try {
    decodeURIComponent(password);
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
  return /^postgres(ql)?:$/.test(protocol);
}

function placeOf(url: string): string {
  checkDestinationUrl(url);
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || 5432}${pathname}`;
}
