import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patient } from './patience';
import { freePort } from './port';
import { type ProcessGroup, startGroup } from './process-group';
import type { ServerRecipe } from './require';

/** What a test wants of its emulator. */
export interface MinistackOptions {
  /** The folder of the node that runs Lambda functions; else the first node on PATH does. */
  readonly nodeFolder?: string;
  /** Variables for the emulator; its functions see them too. They see nothing of our own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running AWS emulator that belongs to one test. It does not enforce IAM. */
export interface Ministack {
  /** The endpoint of every service. */
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The same three, as the AWS CLI, the CDK CLI and every SDK read them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number;
  /** What the emulator has logged so far. */
  log(): string;
  /** Ends the emulator with its functions and removes its data. */
  stop(): Promise<void>;
}

const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const START_ATTEMPTS = 3;
const READY_TIMEOUT_MS = patient(60_000);
const INSTALL = 'run scripts/install-ministack.sh, or set MINISTACK_VENV to the virtual environment that has it';
const OWN_VENV = fileURLToPath(new URL('../../.build/ministack', import.meta.url));
const SHARED_VENV = '/work/shared/servers/venv';

/** For `describeWithServer`: the whole of AWS, emulated on loopback. */
export function ministack(options: MinistackOptions = {}): ServerRecipe<Ministack> {
  return {
    name: 'MiniStack 1.5.33',
    unavailable: () => (findExecutable() === undefined ? `there is no ministack here; ${INSTALL}` : undefined),
    start: () => startMinistack(options),
  };
}

/** A private emulator on loopback; it ends with our process at the latest. */
export async function startMinistack(options: MinistackOptions = {}): Promise<Ministack> {
  const executable = findExecutable();
  if (executable === undefined) throw new Error(`there is no ministack here; ${INSTALL}`);
  for (let left = START_ATTEMPTS - 1; ; left--) {
    try {
      return await launch(executable, options);
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken the port in the meantime
    }
  }
}

async function launch(executable: string, options: MinistackOptions): Promise<Ministack> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-ministack-'));
  const environment = environmentOf(port, folder, executable, options);
  for (const name of ['tmp', 'home', 's3', 'state']) mkdirSync(join(folder, name));
  const group = startGroup({ command: [executable], environment, folder });
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(group, url);
  } catch (error) {
    await group.stop();
    throw error;
  }
  return {
    url,
    region: REGION,
    credentials: CREDENTIALS,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    pid: group.pid,
    log: () => group.log(),
    stop: () => group.stop(),
  };
}

function environmentOf(
  port: number,
  folder: string,
  executable: string,
  { nodeFolder, environment }: MinistackOptions,
): Record<string, string> {
  // Python functions, which CDK makes for bucket notifications, run on the first python3 and need boto3 there.
  const path = [nodeFolder, dirname(executable), process.env.PATH ?? '/usr/bin:/bin'];
  return {
    PATH: path.filter((part) => part !== undefined).join(':'),
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    S3_DATA_DIR: join(folder, 's3'),
    STATE_DIR: join(folder, 'state'),
    LANG: 'C.UTF-8',
    BIND_HOST: '127.0.0.1', // its default is every interface
    GATEWAY_PORT: String(port),
    MINISTACK_HOST: 'localhost',
    // Both listen on a fixed port of their own.
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    ...environment,
  };
}

// The line in the log tells that it is ours: another process may have taken the port a moment ago.
async function untilReady(group: ProcessGroup, url: string): Promise<void> {
  const end = Date.now() + READY_TIMEOUT_MS;
  while (!(group.log().includes('services available on port') && (await answers(url)))) {
    if (group.hasEnded()) throw new Error(`MiniStack ended at start:\n${logTail(group)}`);
    if (Date.now() > end) throw new Error(`MiniStack is not ready after 60 s:\n${logTail(group)}`);
    await sleep(25);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_ministack/health`)).ok;
  } catch {
    return false; // not yet; why it never will be is in its log
  }
}

function logTail(group: ProcessGroup): string {
  return group.log().split('\n').slice(-15).join('\n');
}

function findExecutable(): string | undefined {
  const given = process.env.MINISTACK_VENV;
  const folders = given ? [given] : [OWN_VENV, SHARED_VENV];
  return folders.map((folder) => join(folder, 'bin', 'ministack')).find((file) => existsSync(file));
}
