import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openHome } from '../../bin/embedded';
import type { IntegrationDocument } from '../../lib/core/integration';
import type { Json } from '../../lib/core/json';
import type { StateStore } from '../../lib/core/ports';
import type { RunDetails } from '../../lib/core/run';
import { Redactor } from '../../lib/core/secret';
import type { Service } from '../../lib/core/service';
import { type LogLine, recordingLogger } from '../contracts/recording-logger';
import { patient } from '../servers/patience';
import type { PostgresqlServer } from '../servers/postgresql';

/** Databases of one server, each with a client whose values are all texts. */
export interface Databases {
  readonly source: pg.Client;
  readonly target: pg.Client;
  readonly sourceUrl: string;
  readonly targetUrl: string;
  close(): Promise<void>;
}

/** The whole program but its process: home, engine, connector and destination over a temporary data folder. */
export interface EndToEnd {
  readonly service: Service;
  readonly state: StateStore;
  readonly lines: readonly LogLine[];
  readonly dataFolder: string;
  /** Creates the integration, or replaces it. */
  store(document: IntegrationDocument): Promise<void>;
  /** Runs a sync to its end. */
  sync(name: string, type?: 'full' | 'incremental'): Promise<RunDetails>;
  /** Stops as at SIGTERM, and opens the program on the same folder again. */
  restart(between: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Both ways that rows go from PostgreSQL to PostgreSQL. */
export const PATHS = ['auto', 'off'] as const;

const LONGEST_RUN_MS = patient(100_000);
const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** Makes the databases `source` and `target` of a server, and `target` in another tablespace where asked. */
export async function makeDatabases(server: PostgresqlServer, target = server, options = ''): Promise<Databases> {
  await once(server.url, 'create database source');
  await once(target.url, `create database target ${options}`);
  const [sourceUrl, targetUrl] = [urlOf(server, 'source'), urlOf(target, 'target')];
  const [sourceClient, targetClient] = [await connect(sourceUrl), await connect(targetUrl)];
  return {
    source: sourceClient,
    target: targetClient,
    sourceUrl,
    targetUrl,
    close: async () => void (await Promise.all([sourceClient.end(), targetClient.end()])),
  };
}

/** A client whose values are all texts. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types });
  client.on('error', () => undefined); // the server may be stopped first
  await client.connect();
  return client;
}

async function once(url: string, sql: string): Promise<void> {
  const client = await connect(url);
  await client.query(sql);
  await client.end();
}

/** The address of a database of a server. */
export function urlOf(server: PostgresqlServer, database: string): string {
  return server.url.replace(/\/[^/]*$/, `/${database}`);
}

/** A document that reads the schema of the integration's name in the database `source`, what is new where it can. */
export function documentOf(server: PostgresqlServer, name: string, more: { readonly [key: string]: Json } = {}) {
  const { host, port, user, password } = server;
  return {
    name,
    type: 'postgresql',
    connection: { host, port, database: 'source', username: user, password },
    schemas: [name],
    sync_strategy: { type: 'incremental' },
    ...more,
  };
}

/** Opens the program on a new data folder, and begins to work. */
export async function openEndToEnd(destinationUrl: string): Promise<EndToEnd> {
  const dataFolder = temporaryFolder();
  const { log, lines } = recordingLogger();
  const open = async () => {
    const opened = await openHome({ dataFolder, destinationUrl, env: {}, log, redactor: new Redactor() });
    await opened.startWork();
    return opened;
  };
  let home = await open();
  return {
    get service() {
      return home.service;
    },
    get state() {
      return home.state;
    },
    lines,
    dataFolder,
    async store(document) {
      const name = String(document.name);
      const stored = (await home.service.list()).some(({ id }) => id === name);
      await (stored ? home.service.update(name, document, undefined) : home.service.create(document));
    },
    async sync(name, type) {
      const request = { trigger: 'manual', whenRunning: 'refuse', ...(type && { type }) } as const;
      const { id } = await home.service.sync(name, request);
      return home.service.wait(id, AbortSignal.timeout(LONGEST_RUN_MS));
    },
    async restart(between) {
      await home.stop();
      await between();
      home = await open();
    },
    async close() {
      await home.stop();
      rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A folder that every user may enter. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-e2e-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** The faults of a run's streams, by stream. */
export function faultsOf(run: RunDetails) {
  return Object.fromEntries(run.streams.flatMap(({ stream, fault }) => (fault ? [[stream, fault]] : [])));
}

/** Waits until `check` gives something. */
export async function eventually<T>(check: () => Promise<T | undefined>, ms = 20_000): Promise<T> {
  const end = Date.now() + patient(ms);
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`nothing came of it within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
