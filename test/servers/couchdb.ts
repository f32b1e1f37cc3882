import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patient } from './patience';
import { freePort } from './port';
import { type ProcessGroup, startGroup } from './process-group';
import type { ServerRecipe } from './require';

/** A running emulator of CouchDB that belongs to one test. Its sequences are whole numbers, and it has no users. */
export interface CouchdbServer {
  readonly url: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Sends a request as that user; gives what is answered. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  /** How many connections it has. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'reader';
const PASSWORD = 'couch-p@ss:word';
const START_ATTEMPTS = 3;
const READY_TIMEOUT_MS = patient(60_000);
// Also from a bundle in .build/NAME.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = join(ROOT, '.build/couchdb');
const SERVER = join(ROOT, 'test/servers/couchdb-server/server.cjs');

/** For `describeWithServer`: CouchDB's protocol, emulated on loopback. */
export const couchdbServer: ServerRecipe<CouchdbServer> = {
  name: 'express-pouchdb 4.2.0',
  unavailable: () =>
    existsSync(join(MODULES, 'installed')) ? undefined : 'it is not there; run scripts/install-couchdb.sh',
  start: startCouchdb,
};

/** A private emulator with its data in memory; it ends with our process at the latest. */
export async function startCouchdb(): Promise<CouchdbServer> {
  for (let left = START_ATTEMPTS - 1; ; left--) {
    try {
      return await launch();
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken the port in the meantime
    }
  }
}

async function launch(): Promise<CouchdbServer> {
  const port = await freePort();
  const url = `http://${HOST}:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-couchdb-'));
  const group = startGroup({
    command: [process.execPath, SERVER, MODULES, HOST, String(port), folder, USER, PASSWORD],
    environment: { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
    folder,
  });
  try {
    await untilReady(group, url);
  } catch (error) {
    await group.stop();
    throw error;
  }
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
        'content-type': 'application/json',
        connection: 'close',
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return (await response.json()) as unknown;
  };
  return {
    url,
    port,
    username: USER,
    password: PASSWORD,
    request: ask,
    connections: async () => Number(await ask('GET', '/_connections')),
    stop: () => group.stop(),
  };
}

async function untilReady(group: ProcessGroup, url: string): Promise<void> {
  const end = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(url))) {
    if (group.hasEnded()) throw new Error(`express-pouchdb ended at start:\n${group.log()}`);
    if (Date.now() > end) throw new Error(`express-pouchdb is not ready after 60 s:\n${group.log()}`);
    await sleep(25);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_up`, { headers: { connection: 'close' } })).ok;
  } catch {
    return false; // not yet; why it never will be is in its log
  }
}
