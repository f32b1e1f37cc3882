import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { patient } from './patience';
import { freePort } from './port';
import { type ProcessGroup, startGroup } from './process-group';
import type { ServerRecipe } from './require';

/**
 * A running emulator of MongoDB that belongs to one test. It has no users, sessions, transactions and replica sets; its change
 * streams are ours. For tests it knows the commands `forgetChanges`, as if the oplog were too small, and `openChangeStreams`.
 */
export interface MongoServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_ATTEMPTS = 3;
const READY_TIMEOUT_MS = patient(30_000);
const FOLDER = fileURLToPath(new URL('../../.build/mongo-server', import.meta.url));
const SOURCE = fileURLToPath(new URL('mongo-server/MongoServerMain.java', import.meta.url));
const INSTALLED = join(FOLDER, 'installed-1.47.0');

/** For `describeWithServer`: MongoDB's protocol, emulated on loopback. */
export const mongoServer: ServerRecipe<MongoServer> = {
  name: 'mongo-java-server 1.47.0',
  unavailable,
  start: () => startMongoServer(),
};

function unavailable(): string | undefined {
  const remedy = 'run scripts/install-mongo-server.sh';
  if (!existsSync(INSTALLED)) return `it is not there; ${remedy}`;
  return statSync(SOURCE).mtimeMs > statSync(INSTALLED).mtimeMs ? `it is older than its source; ${remedy}` : undefined;
}

/** A private emulator with its data in memory (of `heap`, in Java's words); it ends with our process at the latest. */
export async function startMongoServer(heap = '512m'): Promise<MongoServer> {
  for (let left = START_ATTEMPTS - 1; ; left--) {
    try {
      return await launch(heap);
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken the port in the meantime
    }
  }
}

async function launch(heap: string): Promise<MongoServer> {
  const port = await freePort();
  const url = `mongodb://${HOST}:${port}/`;
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-mongo-'));
  const group = startGroup({
    command: [
      'java',
      `-Xmx${heap}`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      [join(FOLDER, 'classes'), join(FOLDER, 'lib', '*')].join(delimiter),
      'MongoServerMain',
      String(port),
    ],
    environment: { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
    folder,
  });
  try {
    await untilReady(group, url);
  } catch (error) {
    await group.stop();
    throw error;
  }
  return { host: HOST, port, url, stop: () => group.stop() };
}

async function untilReady(group: ProcessGroup, url: string): Promise<void> {
  const end = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(url))) {
    if (group.hasEnded()) throw new Error(`mongo-java-server ended at start:\n${group.log()}`);
    if (Date.now() > end) throw new Error(`mongo-java-server is not ready after 30 s:\n${group.log()}`);
    await sleep(25);
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 500 });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } catch {
    return false; // not yet; why it never will be is in its log
  } finally {
    await client.close();
  }
}
