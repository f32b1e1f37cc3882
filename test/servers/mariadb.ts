import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { type Account, serverAccount, sharedTemporaryFolder } from './account';
import { type Certificates, makeCertificates } from './certificates';
import { patient } from './patience';
import { freePort } from './port';
import { type ProcessGroup, startGroup } from './process-group';
import type { ServerRecipe } from './require';

/** What a test wants of its server. */
export interface MariadbOptions {
  /** Server options, such as `{ 'sql-mode': '' }`; they win over those of the test server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Offer TLS with a certificate for `localhost` and 127.0.0.1; unencrypted connections stay possible. */
  readonly tls?: boolean;
}

/** A running server that belongs to one test. */
export interface MariadbServer extends Partial<Certificates> {
  readonly host: string;
  readonly port: number;
  /** May do everything. */
  readonly user: string;
  readonly password: string;
  /** Empty at the start. */
  readonly database: string;
  readonly pid: number;
  log(): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const SERVER = '/usr/sbin/mariadbd';
const INSTALLER = '/usr/bin/mariadb-install-db';
const ADMINISTRATOR = { user: 'admin', password: 'admin-secret', database: 'shop' };
const START_ATTEMPTS = 3;
const READY_TIMEOUT_MS = patient(60_000);
const SETTINGS = {
  'bind-address': '127.0.0.1',
  'server-id': '1',
  'log-bin': 'binlog',
  'binlog-format': 'ROW',
  'binlog-row-image': 'FULL',
  'binlog-row-metadata': 'FULL',
  'character-set-server': 'utf8mb4',
  'innodb-flush-log-at-trx-commit': '0',
  'sync-binlog': '0',
  'innodb-buffer-pool-size': '64M',
  'max-connections': '100',
  'max-allowed-packet': '256M',
};

/** For `describeWithServer`: MariaDB as Debian ships it. */
export function mariadb(options: MariadbOptions = {}): ServerRecipe<MariadbServer> {
  return {
    name: 'MariaDB 10.11',
    unavailable: () =>
      existsSync(SERVER)
        ? undefined
        : `no ${SERVER}; install mariadb-server-core (apt-get, no server is started by it)`,
    start: () => startMariadb(options),
  };
}

/** A private server on loopback; it ends with our process at the latest. */
export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  for (let left = START_ATTEMPTS - 1; ; left--) {
    try {
      return await launch(options);
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken the port in the meantime
    }
  }
}

async function launch(options: MariadbOptions): Promise<MariadbServer> {
  const account = serverAccount();
  const port = await freePort();
  const folder = mkdtempSync(join(sharedTemporaryFolder(account), 'explorerio-mariadb-'));
  const certificates = options.tls ? makeCertificates(folder, ADMINISTRATOR.user) : undefined;
  const command = prepare(folder, port, account, options);
  const group = startGroup({ command, environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }, folder });
  try {
    await untilReady(group, port, folder);
  } catch (error) {
    await group.stop();
    throw error;
  }
  const { pid, log } = group;
  return { host: '127.0.0.1', port, ...ADMINISTRATOR, ...certificates, pid, log, stop: () => group.stop() };
}

function prepare(folder: string, port: number, account: Account, options: MariadbOptions): [string, ...string[]] {
  const data = join(folder, 'data');
  // Of its own: a server that starts removes the temporary tables of others.
  const temporary = join(folder, 'tmp');
  mkdirSync(data);
  mkdirSync(temporary);
  writeFileSync(join(folder, 'init.sql'), initialSql());
  giveTo(account, folder);
  execFileSync(
    INSTALLER,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const settings = Object.entries({ ...SETTINGS, ...(options.tls && tlsSettings(folder)), ...options.settings });
  return [
    SERVER,
    '--no-defaults',
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
    `--port=${port}`,
    `--socket=${join(folder, 's')}`,
    `--init-file=${join(folder, 'init.sql')}`,
    '--skip-name-resolve',
    ...(account.uid === undefined ? [] : [`--user=${account.uid}`]),
    ...settings.map(([name, value]) => `--${name}=${value}`),
  ];
}

// Without root there is nobody to log in as but the administrator.
function initialSql(): string {
  const { user, password, database } = ADMINISTRATOR;
  return `SET SESSION sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '${user}'@'%' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON *.* TO '${user}'@'%' WITH GRANT OPTION;
DROP USER IF EXISTS root@localhost;
FLUSH PRIVILEGES;
`;
}

function giveTo({ uid, gid }: Account, folder: string): void {
  if (uid === undefined || gid === undefined) return;
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chownSync(path, uid, gid);
}

function tlsSettings(folder: string): Record<string, string> {
  const file = (name: string) => join(folder, name);
  return { 'ssl-ca': file('ca.crt'), 'ssl-cert': file('server.crt'), 'ssl-key': file('server.key') };
}

async function untilReady(group: ProcessGroup, port: number, folder: string): Promise<void> {
  const end = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(port, folder))) {
    if (group.hasEnded()) throw new Error(`MariaDB ended at start:\n${tail(group)}`);
    if (Date.now() > end) throw new Error(`MariaDB is not ready after ${READY_TIMEOUT_MS / 1000} s:\n${tail(group)}`);
    await sleep(25);
  }
}

// Another server may have taken the port a moment ago: only the one with our data folder is ours.
async function answers(port: number, folder: string): Promise<boolean> {
  try {
    const client = await mysql.createConnection({ host: '127.0.0.1', port, ...ADMINISTRATOR });
    const [rows] = await client.query<mysql.RowDataPacket[]>('select @@datadir as folder');
    await client.end();
    return realpathSync(String(rows[0]?.folder)) === realpathSync(join(folder, 'data'));
  } catch {
    return false; // not yet; why it never will be is in the server's log
  }
}

function tail(group: ProcessGroup): string {
  return group.log().split('\n').slice(-15).join('\n');
}
