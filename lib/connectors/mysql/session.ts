import type { Socket } from 'node:net';
import mysql, { type Connection, type Query } from 'mysql2';
import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import { SilenceWatch } from '../shared/silence';
import { begun } from '../shared/sql/begun';
import { type Fragment, statementOf } from '../shared/sql/fragment';
import { RowPump } from '../shared/sql/row-pump';
import type { Size, SqlSession, TextRow } from '../shared/sql/session';
import { within } from '../shared/within';
import { classify } from './classify';
import { connect, openSocket } from './connection';
import type { Endpoint } from './endpoint';
import type { MysqlColumn } from './types';
import { type RowPacket, readRow, rowName } from './wire';

/** A connection of ours. */
export interface MysqlSession extends SqlSession<MysqlColumn> {
  /** As in `10.11.14-MariaDB`. */
  readonly version: string;
}

/** The driver's command in its state of reading rows: https://github.com/sidorares/node-mysql2/blob/v3.24.6/lib/commands/query.js */
interface RowCommand extends Query {
  row: (this: RowCommand, packet: RowPacket, connection: unknown) => unknown;
}

// Everything that decides how a value looks, and what could end a long read.
const SETTINGS = [
  // Asked for when logging in, too, which not every server heeds.
  'character_set_client = utf8mb4',
  'character_set_results = utf8mb4',
  'collation_connection = utf8mb4_general_ci',
  `time_zone = '+00:00'`,
  `sql_mode = ''`,
  'sql_big_selects = 1',
  'sql_select_limit = default',
  'wait_timeout = 2000000',
  'net_write_timeout = 2000000',
  'net_read_timeout = 2000000',
];
const OF_MARIADB = ['idle_transaction_timeout = 0', 'idle_readonly_transaction_timeout = 0'];
const ISOLATION = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY';
const CANCEL_WAIT_MS = 3000;

/** Connects, logs in, and sets what the form of values depends on. */
export async function openSession(endpoint: Endpoint): Promise<MysqlSession> {
  const socket = openSocket(endpoint);
  return begun(new DriverSession(await connect(endpoint, socket), socket, endpoint));
}

/** Whether it is MariaDB that answers; every session of this connector is one of {@link openSession}. */
export function isMariadb(session: SqlSession<MysqlColumn>): boolean {
  return (session as MysqlSession).version.includes('MariaDB');
}

class DriverSession implements MysqlSession {
  readonly #connection: Connection;
  readonly #endpoint: Endpoint;
  /** What is told of the loss of the connection: the driver says nothing more once it was destroyed. */
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #watch: SilenceWatch;
  #version = '';
  #closed = false;
  #paused = false;
  #idle: Promise<void> = Promise.resolve();
  #discard: (() => void) | undefined;

  constructor(connection: Connection, socket: Socket, endpoint: Endpoint) {
    this.#connection = connection;
    this.#endpoint = endpoint;
    this.#watch = new SilenceWatch(
      {
        heard: () => socket.bytesRead,
        isPaused: () => this.#paused,
        ask: async () => (await connect(endpoint)).destroy(),
        giveUp: (fault) => {
          this.#lost(fault);
          connection.destroy();
        },
      },
      endpoint.connectTimeoutMs,
      classify,
    );
    connection.on('error', (error) => this.#lost(error));
    connection.on('end', () => this.#lost(connectionLost('the server closed the connection')));
  }

  get id() {
    return String(this.#connection.threadId);
  }

  get closed() {
    return this.#closed;
  }

  get version() {
    return this.#version;
  }

  async begin(): Promise<void> {
    const [row] = await this.#ask('select version()');
    this.#version = row?.[0] ?? '';
    const ofMariadb = isMariadb(this);
    const settings = [...SETTINGS, ...(ofMariadb ? OF_MARIADB : []), ...timeLimit(this.#endpoint, ofMariadb)];
    await this.#ask(`SET ${settings.map((setting) => `SESSION ${setting}`).join(', ')}`);
    await this.#ask(ISOLATION);
  }

  query(statement: Fragment): Promise<readonly TextRow[]> {
    return this.#ask(escaped(statement));
  }

  async *rows(statement: Fragment, columns: readonly MysqlColumn[], size: Size): AsyncGenerator<Row[]> {
    const connection = this.#connection;
    const pump = new RowPump({ pause: () => this.#hold(true), resume: () => this.#hold(false) }, size);
    const fail = (error: unknown) => pump.end(error);
    this.#open();
    this.#waiting.add(fail);
    const command = connection.query({ sql: escaped(statement), rowsAsArray: true }) as RowCommand;
    const { row: finish } = command;
    let discarding = false;
    // The driver would make an object of each cell; this reads the value from where the cell lies.
    command.row = function row(packet, owner) {
      if (packet.isEOF()) return finish.call(this, packet, owner);
      if (!discarding) take(pump, packet, columns, fail);
      return row;
    };
    this.#discard = () => {
      discarding = true;
      pump.end();
      this.#hold(false);
    };
    this.#idle = new Promise((resolve) => {
      command.once('error', fail);
      command.once('end', () => {
        this.#waiting.delete(fail);
        this.#discard = undefined;
        pump.end();
        resolve();
      });
    });
    this.#watch.begin();
    try {
      yield* pump.batches();
      await this.#idle;
    } finally {
      this.#watch.end();
      this.#paused = false;
    }
  }

  async cancel(): Promise<void> {
    if (this.#closed || this.#discard === undefined) return;
    this.#discard();
    kill(this.#endpoint, `KILL QUERY ${this.id}`);
    const rested = await Promise.race([this.#idle.then(() => true), waited(CANCEL_WAIT_MS)]);
    if (!rested) return this.destroy();
    // Should the order to stop come late, it meets this.
    await this.#ask('DO 0').catch(() => this.#ask('DO 0'));
  }

  destroy(): void {
    if (this.#closed) return;
    if (this.#waiting.size > 0) kill(this.#endpoint, `KILL CONNECTION ${this.id}`);
    this.#lost(connectionLost('the connection was dropped'));
    this.#connection.destroy();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ended = new Promise<void>((resolve) => this.#connection.end(() => resolve()));
    // A server that hangs does not close its side.
    if (!(await within(this.#endpoint.connectTimeoutMs, ended))) this.#connection.destroy();
  }

  #ask(statement: string): Promise<readonly TextRow[]> {
    this.#open();
    return this.#watch.during(() => this.#answer(statement));
  }

  #answer(statement: string): Promise<readonly TextRow[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const text = (field: { string(encoding: string): string | null }) => field.string('utf8');
      const options = { sql: statement, rowsAsArray: true, typeCast: text } as mysql.QueryOptions;
      this.#connection.query(options, (error: unknown, rows: unknown) => {
        this.#waiting.delete(reject);
        if (error) reject(error);
        else resolve(Array.isArray(rows) ? (rows as TextRow[]) : []);
      });
    });
  }

  #hold(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#connection.pause();
    else this.#connection.resume();
  }

  #open(): void {
    if (this.#closed) throw connectionLost('the connection is closed');
  }

  #lost(error: unknown): void {
    this.#closed = true;
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
  }
}

function take(pump: RowPump, packet: RowPacket, columns: readonly MysqlColumn[], fail: (error: unknown) => void): void {
  try {
    pump.push(readRow(packet, columns), packet.end - packet.offset);
  } catch (error) {
    fail(error instanceof Fault ? ofRow(error, rowName(packet, columns)) : error);
  }
}

function ofRow({ kind, code, message, hint }: Fault, row: string): Fault {
  return new Fault(kind, code, `${message} (${row})`, hint === undefined ? {} : { hint });
}

function timeLimit({ statementTimeoutMs }: Endpoint, ofMariadb: boolean): string[] {
  if (statementTimeoutMs === undefined) return [];
  return [
    ofMariadb ? `max_statement_time = ${statementTimeoutMs / 1000}` : `max_execution_time = ${statementTimeoutMs}`,
  ];
}

// The session's sql_mode has backslashes escape, which is what the driver relies on.
function escaped(fragment: Fragment): string {
  return statementOf(fragment, (place) => mysql.escape(fragment.values[place - 1]));
}

/** Sends an order about one connection by another. A best effort: what it is for is dropped or waited for in any case. */
function kill(endpoint: Endpoint, order: string): void {
  connect(endpoint).then(
    (connection) => {
      connection.on('error', () => undefined);
      connection.query(order, () => connection.destroy());
    },
    () => undefined, // without it the server notices the lost connection at its next write
  );
}

async function waited(milliseconds: number): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
  return false;
}

function connectionLost(message: string): Fault {
  return new Fault('transient', 'connection_lost', message, { hint: 'It is tried again by itself.' });
}
