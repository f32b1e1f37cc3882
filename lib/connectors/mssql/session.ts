import type { Socket } from 'node:net';
import { type Connection, Request, TYPES } from 'tedious';
import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import { SilenceWatch } from '../shared/silence';
import { begun } from '../shared/sql/begun';
import { type Fragment, type SqlValue, sql, statementOf } from '../shared/sql/fragment';
import { RowPump } from '../shared/sql/row-pump';
import type { Size, SqlSession, TextRow } from '../shared/sql/session';
import { classify } from './classify';
import { connect } from './connection';
import type { Endpoint } from './endpoint';
import type { MssqlColumn } from './types';

/** A connection of ours. */
export interface MssqlSession extends SqlSession<MssqlColumn> {
  /** As in `16.0.4135.4`. */
  readonly version: string;
  /** Whether the database allows transactions that see one moment. */
  readonly seesOneMoment: boolean;
}

/** A cell as the driver gives it. */
export interface Cell {
  readonly value: unknown;
}

const CANCEL_WAIT_MS = 3000;
// What decides how a value looks; a wait for a lock ends, and is tried again.
const SETTINGS =
  'SET LOCK_TIMEOUT 30000; SET DEADLOCK_PRIORITY LOW; SET DATEFORMAT ymd; SET NUMERIC_ROUNDABORT OFF; SET XACT_ABORT OFF;';
const FACTS = sql`select convert(nvarchar(128), serverproperty('ProductVersion')), convert(varchar(11), @@spid),
  convert(varchar(11), (select d.snapshot_isolation_state from sys.databases d where d.database_id = db_id()))`;

/** Connects, logs in, and sets what the form of values depends on. */
export async function openSession(endpoint: Endpoint): Promise<MssqlSession> {
  let socket: Socket | undefined;
  const connection = await connect(endpoint, (connected) => {
    socket = connected;
  });
  return begun(new DriverSession(connection, endpoint, () => socket?.bytesRead ?? 0));
}

/** Every session of this connector is one of {@link openSession}. */
export function seesOneMoment(session: SqlSession<MssqlColumn>): boolean {
  return (session as MssqlSession).seesOneMoment;
}

class DriverSession implements MssqlSession {
  readonly #connection: Connection;
  readonly #watch: SilenceWatch;
  #facts: TextRow = [];
  #closed = false;
  #paused = false;
  /** Why the connection was given up. */
  #givenUp: Fault | undefined;
  #idle: Promise<void> = Promise.resolve();
  #discard: (() => void) | undefined;

  constructor(connection: Connection, endpoint: Endpoint, heard: () => number) {
    this.#connection = connection;
    this.#watch = new SilenceWatch(
      {
        heard,
        isPaused: () => this.#paused,
        ask: async () => (await connect(endpoint)).close(),
        giveUp: (fault) => {
          this.#givenUp = fault;
          this.destroy();
        },
      },
      endpoint.connectTimeoutMs,
      classify,
    );
    connection.once('end', () => {
      this.#closed = true;
    });
  }

  get id() {
    return this.#facts[1] ?? '';
  }

  get closed() {
    return this.#closed;
  }

  get version() {
    return this.#facts[0] ?? '';
  }

  get seesOneMoment() {
    return this.#facts[2] === '1';
  }

  async begin(): Promise<void> {
    await this.query(sql`${SETTINGS}`);
    const [row = []] = await this.query(FACTS);
    this.#facts = row;
  }

  async query(statement: Fragment): Promise<readonly TextRow[]> {
    const found: TextRow[] = [];
    const answer = () =>
      new Promise<void>((resolve, reject) => {
        this.#send(statement, (error) => (error ? reject(this.#reason(error)) : resolve())).on(
          'row',
          (cells: Cell[]) => {
            found.push(cells.map(({ value }) => textCell(value)));
          },
        );
      });
    await this.#watch.during(answer);
    return found;
  }

  async *rows(statement: Fragment, columns: readonly MssqlColumn[], size: Size): AsyncGenerator<Row[]> {
    let ended: () => void = () => undefined;
    const done = (error?: Error | null) => {
      this.#discard = undefined;
      pump.end(error ? this.#reason(error) : undefined);
      ended();
    };
    const hold = (paused: boolean) => {
      this.#paused = paused;
      if (paused) request.pause();
      else request.resume();
    };
    const pump = new RowPump({ pause: () => hold(true), resume: () => hold(false) }, size);
    this.#idle = new Promise((resolve) => {
      ended = resolve;
    });
    const request = this.#send(statement, done);
    this.#discard = () => pump.end();
    request.on('row', (cells: Cell[]) => take(pump, cells, columns));
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
    this.#connection.cancel();
    const rested = await Promise.race([this.#idle.then(() => true), waited(CANCEL_WAIT_MS)]);
    if (!rested) this.destroy();
  }

  destroy(): void {
    this.#closed = true;
    this.#connection.close();
  }

  async close(): Promise<void> {
    this.destroy();
  }

  #reason(error: Error): Error {
    return this.#givenUp ?? error;
  }

  #send(statement: Fragment, done: (error?: Error | null) => void): Request {
    if (this.#closed) throw connectionLost();
    const request = new Request(
      statementOf(statement, (place) => `@p${place}`),
      done,
    );
    // In a batch of its own what is SET stays; with parameters it would end with the statement.
    if (statement.values.length === 0) this.#connection.execSqlBatch(request);
    else {
      for (const [index, value] of statement.values.entries()) addParameter(request, `p${index + 1}`, value);
      this.#connection.execSql(request);
    }
    return request;
  }
}

function addParameter(request: Request, name: string, value: SqlValue): void {
  if (value instanceof Uint8Array) request.addParameter(name, TYPES.VarBinary, Buffer.from(value));
  else request.addParameter(name, TYPES.NVarChar, value === null ? null : String(value));
}

function take(pump: RowPump, cells: readonly Cell[], columns: readonly MssqlColumn[]): void {
  let bytes = 0;
  const row: Row = new Array(columns.length);
  try {
    for (const [index, { value }] of cells.entries()) {
      bytes += weightOf(value);
      row[index] = value === null || value === undefined ? null : (columns[index] as MssqlColumn).decode(value);
    }
    pump.push(row, bytes);
  } catch (error) {
    pump.end(error instanceof Fault ? ofRow(error, cells, columns) : error);
  }
}

// The driver makes strings of two bytes a character.
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 2;
  return Buffer.isBuffer(value) ? value.length : 8;
}

function ofRow({ kind, code, message, hint }: Fault, cells: readonly Cell[], columns: readonly MssqlColumn[]): Fault {
  const key = columns.flatMap(({ isKey, column }, index) =>
    isKey ? [`${column.name} = ${textCell(cells[index]?.value)}`] : [],
  );
  const row = key.length === 0 ? 'a row without a key' : key.join(', ');
  return new Fault(kind, code, `${message} (${row})`, hint === undefined ? {} : { hint });
}

function textCell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

async function waited(milliseconds: number): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
  return false;
}

function connectionLost(): Fault {
  return new Fault('transient', 'connection_lost', 'the connection is closed', {
    hint: 'It is tried again by itself.',
  });
}
