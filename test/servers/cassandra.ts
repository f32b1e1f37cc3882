import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { auth, Client } from 'cassandra-driver';
import { cassandraYaml, javaOptions, LOGBACK } from './cassandra-node';
import { patient } from './patience';
import { freePort } from './port';
import { type ProcessGroup, startGroup } from './process-group';
import type { ServerRecipe } from './require';

/** A node that belongs to one test. */
export interface CassandraServer {
  readonly host: string;
  readonly port: number;
  readonly dataCenter: string;
  /** May do everything. */
  readonly user: string;
  readonly password: string;
  /** Logged in as somebody else than {@link user}, so that the connections of both can be told apart. */
  readonly client: Client;
  readonly pid: number;
  log(): string;
  stop(): Promise<void>;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const HOME = process.env.CASSANDRA_HOME ?? resolve(HERE, '../../.build/cassandra');
const JAVA = '/usr/bin/java';
const READER = { user: 'reader', password: 'reader-secret' };
const START_ATTEMPTS = 3;
const READY_TIMEOUT_MS = patient(90_000);

/** For `describeWithServer`: one node with logins. */
export function cassandra(): ServerRecipe<CassandraServer> {
  return {
    name: 'Cassandra 5.0',
    unavailable() {
      if (!existsSync(JAVA)) return `no ${JAVA}; install a Java 17 runtime`;
      return existsSync(join(HOME, 'installed')) ? undefined : 'not installed; run scripts/install-cassandra.sh';
    },
    start: startCassandra,
  };
}

/** A private node on loopback; it ends with our process at the latest. */
export async function startCassandra(): Promise<CassandraServer> {
  for (let left = START_ATTEMPTS - 1; ; left--) {
    try {
      return await launch();
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken a port in the meantime
    }
  }
}

async function launch(): Promise<CassandraServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-cassandra-'));
  mkdirSync(join(folder, 'conf'));
  const yaml = cassandraYaml(folder, { native: port, storage: await freePort(), encrypted: await freePort() });
  writeFileSync(join(folder, 'conf/cassandra.yaml'), yaml);
  writeFileSync(join(folder, 'conf/logback.xml'), LOGBACK);
  const library = join(HOME, 'lib');
  const agent = readdirSync(library).find((name) => /^jamm-.*\.jar$/.test(name)) ?? '';
  const group = startGroup({
    command: [JAVA, ...javaOptions(folder, library, join(library, agent))],
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    folder,
  });
  try {
    const client = await untilReady(group, port);
    const { pid, log } = group;
    const stop = async () => {
      await client.shutdown();
      await group.stop();
    };
    return { host: '127.0.0.1', port, dataCenter: 'datacenter1', ...READER, client, pid, log, stop };
  } catch (error) {
    await group.stop();
    throw error;
  }
}

// The port is open before the first role is there: ready means that it can log in, and has made another.
async function untilReady(group: ProcessGroup, port: number): Promise<Client> {
  for (const end = Date.now() + READY_TIMEOUT_MS; ; ) {
    const client = administrator(port);
    try {
      await client.execute(
        `create role if not exists ${READER.user} with password = '${READER.password}' and login = true and superuser = true`,
      );
      return client;
    } catch (error) {
      await client.shutdown();
      if (group.hasEnded() || Date.now() > end)
        throw new Error(`Cassandra is not ready:\n${tail(group)}`, { cause: error });
      await sleep(100);
    }
  }
}

function administrator(port: number): Client {
  return new Client({
    contactPoints: [`127.0.0.1:${port}`],
    localDataCenter: 'datacenter1',
    authProvider: new auth.PlainTextAuthProvider('cassandra', 'cassandra'),
    monitorReporting: { enabled: false },
    socketOptions: { readTimeout: 30_000 },
    queryOptions: { prepare: true },
  });
}

function tail(group: ProcessGroup): string {
  return group.log().split('\n').slice(-15).join('\n');
}
