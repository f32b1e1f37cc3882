import { setMaxListeners } from 'node:events';
import { Client, Pool, type PoolClient } from 'pg';
import type { Host } from '../../core/connector';
import { Fault } from '../../core/fault';
import { errorCode, errorMessage } from './classify';
import { clientOptions } from './client';
import type { PostgresqlConfig } from './config';
import { CopyIn } from './copy-in';
import { createSlots } from './slots';

/** A row as the server gave it: text or null. */
export type TextRow = { readonly [column: string]: string | null };

/** One connection, borrowed. */
export interface Session {
  /** Marks what was made on this connection, such as staging tables; newest use last. */
  readonly staging: Map<string, string>;
  query(text: string, values?: readonly (string | number | null)[]): Promise<readonly TextRow[]>;
  /** Several statements in one message, without parameters: the rows of each. */
  script(text: string): Promise<readonly (readonly TextRow[])[]>;
  /** Rows affected by one statement. */
  execute(text: string, values?: readonly (string | number | null)[]): Promise<number>;
  /** The type of each column of a query's result, by object id and modifier. */
  describe(text: string): Promise<readonly { readonly type: number; readonly modifier: number }[]>;
  /** Runs a COPY FROM STDIN; gives the rows that the server counted. */
  copy(text: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<number>;
}

/** Lends connections. */
export interface Sessions {
  /** Work that is interrupted at once when `signal` aborts. */
  use<T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Values travel as text, so the forms that text takes must not depend on settings of the role or the server. A commit
 * must be durable when it is acknowledged, whatever the role prefers.
 */
const SETUP = `
  SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC'; SET bytea_output = 'hex';
  SET extra_float_digits = 3; SET standard_conforming_strings = on; SET statement_timeout = 0; SET lock_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed';
  SET default_transaction_read_only = off; SET client_min_messages = warning; SET xmloption = content;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;
const CANCEL_GRACE_MS = 2000;

interface Held {
  readonly session: Session;
  broken: boolean;
}

/** Opens the pool; no connection is made before it is needed. */
export function openSessions(config: PostgresqlConfig, host: Host): Sessions {
  const pool = new Pool({ ...clientOptions(config), max: config.max_connections, idleTimeoutMillis: 10_000 });
  pool.on('error', (error) => host.log.debug('an idle connection to the destination ended', { reason: error.message }));
  const slots = createSlots(config.max_connections);
  const held = new WeakMap<PoolClient, Held>();
  const borrow = async (): Promise<{ client: PoolClient; state: Held }> => {
    const client = await connected(config, () => pool.connect());
    const known = held.get(client);
    if (known) return { client, state: known };
    const state: Held = { session: sessionOn(client, () => state.broken), broken: false };
    held.set(client, state);
    client.on('error', () => {
      state.broken = true;
    });
    client.on('end', () => {
      state.broken = true;
    });
    try {
      await state.session.script(SETUP);
    } catch (error) {
      client.release(true);
      throw error;
    }
    return { client, state };
  };
  const borrowed = async <T>(
    { client, state }: { client: PoolClient; state: Held },
    signal: AbortSignal | undefined,
    work: (session: Session) => Promise<T>,
  ): Promise<T> => {
    const stop = signal && onAbort(signal, () => interrupt(client, state, config, host));
    try {
      signal?.throwIfAborted();
      return await work(state.session);
    } finally {
      stop?.();
      client.release(state.broken || signal?.aborted === true);
    }
  };
  return {
    async use(signal, work) {
      let giveBack: (() => void) | undefined;
      // One signal serves all writers of a run; ten of them are no leak.
      if (signal) setMaxListeners(0, signal);
      try {
        signal?.throwIfAborted();
        giveBack = await slots.take(signal);
        return await borrowed(await borrow(), signal, work);
      } catch (error) {
        throw signal?.aborted ? aborted(error) : error;
      } finally {
        giveBack?.();
      }
    },
    close: () => pool.end(),
  };
}

/** Commits what `work` did, or nothing of it. */
export async function transaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('BEGIN');
  return finishTransaction(session, work);
}

/** Like {@link transaction}, where the BEGIN was sent already. */
export async function finishTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await rollback(session, error);
    throw error;
  }
  await session.query('COMMIT');
  return result;
}

async function rollback(session: Session, cause: unknown): Promise<void> {
  try {
    await session.query('ROLLBACK');
  } catch (error) {
    // The connection is gone, and with it the transaction: the first error says more.
    if (cause instanceof Error && cause.cause === undefined) cause.cause = error;
  }
}

function sessionOn(client: PoolClient, isBroken: () => boolean): Session {
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // `pg` gives no code to the error of a connection that ended under a query.
      if (errorCode(error) === undefined && !(error instanceof Fault) && isBroken()) {
        throw new Fault('transient', 'connection_lost', 'the connection to the server ended', { cause: error });
      }
      throw error;
    }
  };
  const run = (text: string, values?: readonly (string | number | null)[]) =>
    named(() => client.query(text, values === undefined ? undefined : [...values]));
  return {
    staging: new Map(),
    query: async (text, values) => (await run(text, values)).rows as TextRow[],
    script: async (text) => {
      const results: unknown = await run(text);
      const all = Array.isArray(results) ? results : [results];
      return all.map((result: { rows: TextRow[] }) => result.rows);
    },
    execute: async (text, values) => (await run(text, values)).rowCount ?? 0,
    describe: async (text) =>
      (await run(text)).fields.map((field) => ({ type: field.dataTypeID, modifier: field.dataTypeModifier })),
    copy: (text, chunks) =>
      named(
        () =>
          new Promise<number>((resolve, reject) => {
            client.query(new CopyIn(text, chunks, resolve, reject));
          }),
      ),
  };
}

async function connected<T>(config: PostgresqlConfig, connect: () => Promise<T>): Promise<T> {
  const start = Date.now();
  try {
    return await connect();
  } catch (error) {
    throw errorCode(error) === undefined ? connectFault(error, config, Date.now() - start) : error;
  }
}

/** `pg` gives no code to three errors of connecting; what was asked for tells them apart. */
function connectFault(error: unknown, config: PostgresqlConfig, milliseconds: number): unknown {
  const parts: readonly unknown[] =
    typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  const coded = parts.find((part) => errorCode(part) !== undefined);
  if (coded !== undefined) return coded;
  if (milliseconds >= config.connect_timeout * 900) {
    return new Fault('transient', 'connect_timeout', `no connection within ${config.connect_timeout} s`, {
      cause: error,
      hint: 'Check that the destination server runs and can be reached from here, or raise connect_timeout.',
    });
  }
  if (config.ssl !== false) {
    return new Fault('config', 'tls_failed', `encryption could not be set up: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Let the server offer TLS (ssl = on), or leave ssl out for a network that you trust.',
    });
  }
  return new Fault('transient', 'connection_failed', `connecting failed: ${errorMessage(error)}`, { cause: error });
}

function onAbort(signal: AbortSignal, action: () => void): () => void {
  signal.addEventListener('abort', action, { once: true });
  return () => signal.removeEventListener('abort', action);
}

function aborted(cause: unknown): Fault {
  return new Fault('transient', 'aborted', 'the work was interrupted', { cause });
}

/** Asks the server to cancel; a connection that does not end soon is cut, which ends its transaction too. */
function interrupt(client: PoolClient, state: Held, config: PostgresqlConfig, host: Host): void {
  const { processID, connection } = client as PoolClient & {
    processID: number | null;
    connection: { stream: { destroy(): void } };
  };
  state.broken = true;
  const timer = setTimeout(() => connection.stream.destroy(), CANCEL_GRACE_MS);
  client.once('end', () => clearTimeout(timer));
  if (processID === null) return;
  cancelBackend(processID, config).catch((error: Error) =>
    host.log.debug('a query could not be cancelled; its connection is cut', { reason: error.message }),
  );
}

async function cancelBackend(processId: number, config: PostgresqlConfig): Promise<void> {
  const helper = new Client({ ...clientOptions(config), connectionTimeoutMillis: CANCEL_GRACE_MS });
  helper.on('error', () => undefined);
  try {
    await helper.connect();
    await helper.query('SELECT pg_cancel_backend($1)', [processId]);
  } finally {
    await helper.end();
  }
}
