import { randomUUID } from 'node:crypto';
import { access, constants, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { durationMs } from '../../core/duration';
import { Fault } from '../../core/fault';
import type { Network } from '../../core/network';
import { aborted } from '../shared/aborted';
import { resultOf } from './classify';
import type { ConnectionConfig } from './config';
import { type Download, download, objectHint, webHint } from './download';
import { type Driver, type DriverConnection, loadDriver } from './driver';
import { addressElsewhere, addressOf, storedObject } from './object';

const DEFAULT_MEGABYTES = 1024;
const DEFAULT_DOWNLOAD = '10m';
/** Of a database in WAL mode whose -shm file cannot be made: no right to the folder, a read-only disk, or no place. */
const NO_PLACE = new Set([14, 1288, 1544, 264]);

/** The file that a source reads; fetched when it is first asked for, where it is elsewhere. */
export class DatabaseFile {
  readonly #connection: ConnectionConfig;
  readonly #network: Network | undefined;
  readonly #closing = new AbortController();
  #path: Promise<string> | undefined;

  constructor(connection: ConnectionConfig, network: Network | undefined) {
    this.#connection = connection;
    this.#network = network;
  }

  /** How it is called in messages, which must not show an address. */
  get name(): string {
    return this.#connection.path === undefined ? 'the file of connection.url' : basename(this.#connection.path);
  }

  /** Whether it is a copy that nobody writes to. */
  get isFetched(): boolean {
    return /^(https?|s3):/i.test(this.#connection.url?.reveal() ?? '');
  }

  /** Where it is on this machine. */
  async path(): Promise<string> {
    this.#path ??= this.#locate();
    try {
      return await this.#path;
    } catch (error) {
      this.#path = undefined;
      throw error;
    }
  }

  /** Opens it for reading; nothing is made where it is missing. */
  async open(): Promise<DriverConnection> {
    const path = await this.path();
    const found = await stat(path);
    if (!found.isFile()) throw notADatabase(this.name);
    // Read and closed by others in this process, it would lose its locks: SQLite alone opens it.
    await access(path, constants.R_OK);
    return openReadOnly(await loadDriver(), path);
  }

  /** Removes what was fetched. */
  async close(): Promise<void> {
    this.#closing.abort();
    const path = await this.#path?.catch(() => undefined);
    if (path !== undefined && this.isFetched) {
      for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    }
    this.#path = undefined;
  }

  async #locate(): Promise<string> {
    const { path, url, max_megabytes: megabytes, download_timeout: timeout } = this.#connection;
    if (path !== undefined) return resolve(path);
    const address = new URL(url?.reveal() ?? '');
    if (address.protocol === 'file:') return fileURLToPath(address);
    const from = address.protocol === 's3:' ? await ofObject(this.#connection) : { url: address, hint: webHint };
    const target = join(tmpdir(), `explorerio-${randomUUID()}.db`);
    const tooLong = AbortSignal.timeout(durationMs(timeout ?? DEFAULT_DOWNLOAD));
    try {
      await download({
        ...from,
        target,
        mostBytes: (megabytes ?? DEFAULT_MEGABYTES) << 20,
        signal: AbortSignal.any([this.#closing.signal, tooLong]),
        network: this.#network,
      });
      return target;
    } catch (error) {
      await rm(target, { force: true });
      throw this.#closing.signal.aborted ? aborted() : tooLong.aborted ? timedOut(error) : error;
    }
  }
}

async function ofObject(connection: ConnectionConfig): Promise<Pick<Download, 'url' | 'elsewhere' | 'hint'>> {
  const object = await storedObject(connection);
  return {
    url: addressOf(object, new Date(Date.now())),
    elsewhere: (answer) => addressElsewhere(object, answer, new Date(Date.now())),
    hint: objectHint,
  };
}

async function openReadOnly(driver: Driver, path: string): Promise<DriverConnection> {
  const address = pathToFileURL(path).href;
  try {
    return begun(driver, `${address}?mode=ro`);
  } catch (error) {
    // Without a -wal file nobody has it open: it can be read as what cannot change.
    if (!NO_PLACE.has(resultOf(error) ?? 0) || (await exists(`${path}-wal`))) throw error;
    return begun(driver, `${address}?mode=ro&immutable=1`);
  }
}

function begun(driver: Driver, uri: string): DriverConnection {
  const connection = opened(driver, uri);
  try {
    connection.all('pragma query_only = 1', []);
    connection.all('pragma busy_timeout = 0', []);
    connection.all('pragma schema_version', []);
    return connection;
  } catch (error) {
    if (resultOf(error) === BUSY) return connection;
    connection.close();
    throw error;
  }
}

const BUSY = 5;

function opened(driver: Driver, uri: string): DriverConnection {
  try {
    return driver.open(uri);
  } catch (error) {
    if (resultOf(error) !== undefined) throw error;
    // libsql says only in words why it could not open a file.
    throw new Fault('config', 'file_unreadable', `opening the file: ${(error as Error).message}`, {
      hint: 'Check connection.path, and that the user who runs ExplorerIO may read the file and its folder.',
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false; // for whoever asks, what cannot be reached is not there
  }
}

function notADatabase(name: string): Fault {
  return new Fault('config', 'not_a_database', `opening ${name}: it is no file`, {
    hint: 'connection.path names a folder or a device; name the file of the database.',
  });
}

function timedOut(cause: unknown): Fault {
  return new Fault('transient', 'download_timeout', 'fetching the file from connection.url: it takes too long', {
    hint: 'Raise connection.download_timeout.',
    cause,
  });
}
