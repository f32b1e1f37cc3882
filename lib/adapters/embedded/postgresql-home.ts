import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Fault } from '../../core/fault';
import type { Logger } from '../../core/log';
import { type Account, letsIn, reachableFolder, serverAccount } from './postgresql-account';
import { writePrivate } from './private-files';

/** What is remembered of a server between two starts. `data` is relative to the folder where it can be. */
interface Remembered {
  readonly password: string;
  readonly data: string;
  readonly port?: number;
}

/** Where one embedded server lives. */
export interface ServerHome {
  readonly folder: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly account: Account;
  readonly password: string;
  readonly port: number | undefined;
  remember(port: number): void;
}

/** Opens the folder of a server, or makes it with a new password. */
export function openServerHome(given: string, log: Logger): ServerHome {
  mkdirSync(given, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const folder = realpathSync(given);
  const file = join(folder, 'server.json');
  const known = read(file);
  const remembered = known ?? { password: randomBytes(24).toString('base64url'), data: chooseData(folder, log) };
  const dataDirectory = isAbsolute(remembered.data) ? remembered.data : join(folder, remembered.data);
  if (known === undefined) {
    for (const data of new Set([join(folder, 'data'), dataDirectory])) refuseUnknownData(data, file);
    writePrivate(file, JSON.stringify(remembered));
  }
  const account = serverAccount(dataDirectory);
  refuseUnreachable(dataDirectory, account);
  return {
    folder,
    dataDirectory,
    logFile: join(folder, 'server.log'),
    account,
    password: remembered.password,
    port: remembered.port,
    remember: (port) => writePrivate(file, JSON.stringify({ ...remembered, port })),
  };
}

function read(file: string): Remembered | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Remembered) : undefined;
}

function chooseData(folder: string, log: Logger): string {
  const account = serverAccount(folder);
  if (letsIn(folder, account)) return 'data';
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const data = join(reachableFolder(account), name);
  log.warn('the embedded PostgreSQL server does not run as root and its user cannot enter the data folder', {
    folder,
    dataIsIn: data,
  });
  return data;
}

function refuseUnknownData(data: string, file: string): void {
  if (!existsSync(join(data, 'PG_VERSION'))) return;
  throw new Fault('config', 'server_password_lost', `starting the embedded PostgreSQL server: ${file} is missing`, {
    hint: `It holds the password of the data in ${data}: restore it from a backup, or move the data away to begin anew.`,
  });
}

function refuseUnreachable(data: string, account: Account): void {
  if (letsIn(join(data, '..'), account)) return;
  throw new Fault(
    'config',
    'server_data_unreachable',
    `starting the embedded PostgreSQL server: its user cannot enter the folders above ${data}`,
    {
      hint: 'Let others enter them (chmod o+x), or move the data folder to where they can.',
    },
  );
}
