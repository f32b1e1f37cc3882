import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { Fault } from '../../core/fault';
import type { Logger } from '../../core/log';
import { freePort } from './free-port';
import { type Binaries, runnableBinaries } from './postgresql-binaries';
import { ensureCluster, SERVER_USER } from './postgresql-cluster';
import { openServerHome, type ServerHome } from './postgresql-home';
import { isServer, logTail, readPostmaster, spawnServer, stopServer } from './postgresql-process';

/** A running server, reachable from this machine alone. */
export interface EmbeddedPostgresql {
  /** Of its database `postgres`, with the password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** It ran already: left by a process that was killed. */
  readonly attached: boolean;
  /** Creates a database unless it is there; gives its URL. */
  createDatabase(name: string): Promise<string>;
  /** Stops the server within about ten seconds; a second call does nothing. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_ATTEMPTS = 3;
// Replaying what was written since the last checkpoint can take a while after a crash.
const READY_MS = 120_000;
const POLL_MS = 25;

/**
 * Starts the server of `folder`, which is made when it is not there, or takes over the one that a killed process left
 * running. Only the process that has the data folder open may call this.
 */
export async function startEmbeddedPostgresql(folder: string, log: Logger): Promise<EmbeddedPostgresql> {
  const home = openServerHome(folder, log);
  const binaries = runnableBinaries(home.account, log);
  await ensureCluster(home, binaries, log);
  const left = await attach(home, log);
  const port = left ?? (await launch(home, binaries));
  log.info(left ? 're-attached to the embedded PostgreSQL server' : 'the embedded PostgreSQL server runs', { port });
  return {
    url: urlOf(home, port, 'postgres'),
    host: HOST,
    port,
    user: SERVER_USER,
    password: home.password,
    attached: left !== undefined,
    createDatabase: (name) => createDatabase(home, port, name),
    stop: () => stopServer(home, binaries),
  };
}

/** The port of a server that runs on this data already. */
async function attach(home: ServerHome, log: Logger): Promise<number | undefined> {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    const postmaster = readPostmaster(home);
    if (postmaster === undefined) return undefined;
    const { pid, port } = postmaster;
    if (isServer(pid, home) === false) {
      // PostgreSQL itself refuses to start when another process of its user got the old number.
      log.warn('the embedded PostgreSQL server had not been stopped; it recovers now', { pid });
      rmSync(join(home.dataDirectory, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (port !== undefined && (await isReady(home, port))) return port;
    await setTimeout(POLL_MS);
  }
  throw notReady(home);
}

async function launch(home: ServerHome, binaries: Binaries): Promise<number> {
  let preferred = home.port;
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
    const port = await freePort(preferred);
    const server = spawnServer(home, binaries, port);
    try {
      if (await becomesReady(home, port, server)) {
        home.remember(port);
        return port;
      }
    } catch (error) {
      await stopServer(home, binaries);
      throw error;
    }
    // Somebody took the port in this moment, or processes of a killed server still hold its memory.
    preferred = undefined;
    await setTimeout(500);
  }
  throw new Fault('config', 'server_not_started', `starting the embedded PostgreSQL server: ${logTail(home.logFile)}`, {
    hint: `See ${home.logFile}.`,
  });
}

/** False when the server ended instead. */
async function becomesReady(home: ServerHome, port: number, server: ChildProcess): Promise<boolean> {
  const failure = new Promise<'failed'>((resolve) => {
    server.once('error', () => resolve('failed'));
    server.once('exit', () => resolve('failed'));
  });
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    if (await isReady(home, port)) return true;
    if ((await Promise.race([failure, setTimeout(POLL_MS)])) === 'failed') return false;
  }
  throw notReady(home);
}

function notReady(home: ServerHome): Fault {
  const message = `starting the embedded PostgreSQL server: not ready after ${READY_MS / 1000} s`;
  return new Fault('transient', 'server_not_ready', message, { hint: `See ${home.logFile}.` });
}

const REFUSED_PASSWORD = ['28P01', '28000'];

/** Whether the server of this data, and no other, answers on the port. */
async function isReady(home: ServerHome, port: number): Promise<boolean> {
  const client = clientOf(home, port);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory === home.dataDirectory;
  } catch (error) {
    if (!REFUSED_PASSWORD.includes((error as { code?: string }).code ?? '')) return false;
    throw new Fault(
      'config',
      'server_password_refused',
      'connecting to the embedded PostgreSQL server: it refuses the password',
      {
        hint: `The password in ${join(home.folder, 'server.json')} is not the one of the data in ${home.dataDirectory}: restore that file, or move that folder away to begin anew.`,
        cause: error,
      },
    );
  } finally {
    await client.end();
  }
}

const DUPLICATE_DATABASE = ['42P04', '23505'];

async function createDatabase(home: ServerHome, port: number, name: string): Promise<string> {
  const client = clientOf(home, port);
  try {
    await client.connect();
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    if (!DUPLICATE_DATABASE.includes(code)) {
      throw new Fault('transient', 'database_not_created', `creating the database ${name}: ${message}`, {
        cause: error,
      });
    }
  } finally {
    await client.end();
  }
  return urlOf(home, port, name);
}

function clientOf({ password }: ServerHome, port: number): Client {
  const client = new Client({
    host: HOST,
    port,
    user: SERVER_USER,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5000,
    ssl: false,
  });
  // A server that shuts down cuts the connection, also between two queries; the query in question then fails.
  client.on('error', () => undefined);
  return client;
}

function urlOf({ password }: ServerHome, port: number, database: string): string {
  return `postgresql://${SERVER_USER}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`;
}
