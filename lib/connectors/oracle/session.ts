import type { Connection, ExecuteOptions, ResultSet } from 'oracledb';
import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import { SilenceWatch } from '../shared/silence';
import { begun } from '../shared/sql/begun';
import { type Fragment, type SqlValue, sql, statementOf } from '../shared/sql/fragment';
import type { Size, SqlSession, TextRow } from '../shared/sql/session';
import { within } from '../shared/within';
import { RowCutter, textCell } from './cells';
import { classify, isLost } from './classify';
import { type Connected, connect } from './connection';
import { fetchAs, oracledb } from './driver';
import type { Endpoint } from './endpoint';
import type { OracleColumn } from './types';

/** A connection of ours. */
export interface OracleSession extends SqlSession<OracleColumn> {
  /** As in `23.4.0.24.5`. */
  readonly version: string;
  /** The schema in which names are looked up: that of the user. */
  readonly home: string;
}

const CLOSE_WAIT_MS = 3000;
// What decides how a value looks, and what is before what.
const SETTINGS = [
  sql`alter session set nls_sort = binary nls_comp = binary nls_calendar = 'GREGORIAN' nls_numeric_characters = '.,'`,
  sql`alter session set time_zone = '+00:00'`,
];
const FACTS = sql`select sys_context('userenv', 'current_schema'), sys_context('userenv', 'instance'),
  sys_context('userenv', 'sid') from dual`;
const FEW_ROWS = 100;
const FEW_LARGE_ROWS = 8;
const SMALL_RESULT_ROWS = 1000;

/** Connects, logs in, and sets what the form of values depends on. */
export async function openSession(endpoint: Endpoint): Promise<OracleSession> {
  return begun(new DriverSession(await connect(endpoint)));
}

/** Every session of this connector is one of {@link openSession}, or reads by one. */
export function homeOf(session: SqlSession<OracleColumn>): string {
  return (session as OracleSession).home;
}

class DriverSession implements OracleSession {
  readonly version: string;
  readonly #connection: Connection;
  readonly #connected: Connected;
  readonly #watch: SilenceWatch;
  readonly #waiting = new Set<(error: unknown) => void>();
  #facts: TextRow = [];
  #closed = false;

  constructor(connected: Connected) {
    const { connection, dial } = connected;
    this.#connected = connected;
    this.#connection = connection;
    this.version = connection.oracleServerVersionString;
    connection.callTimeout = dial.endpoint.statementTimeoutMs ?? 0;
    this.#watch = new SilenceWatch(
      {
        heard: () => dial.socket?.bytesRead ?? 0,
        isPaused: () => false,
        ask: () => signOfLife(dial.endpoint),
        giveUp: (fault) => this.#drop(fault),
      },
      dial.endpoint.connectTimeoutMs,
      classify,
    );
  }

  get id() {
    return `${this.#facts[1]}.${this.#facts[2]}`;
  }

  get closed() {
    return this.#closed;
  }

  get home() {
    return this.#facts[0] ?? '';
  }

  async begin(): Promise<void> {
    for (const setting of SETTINGS) await this.query(setting);
    const [row = []] = await this.query(FACTS);
    this.#facts = row;
  }

  async query(statement: Fragment): Promise<readonly TextRow[]> {
    const found: TextRow[] = [];
    const results = await this.#execute(statement, SMALL_RESULT_ROWS);
    if (results === undefined) return found;
    for (;;) {
      const rows = await this.#call(() => results.getRows(SMALL_RESULT_ROWS));
      if (rows.length === 0) break;
      for (const cells of rows) found.push(cells.map(textCell));
    }
    await this.#call(() => results.close());
    return found;
  }

  async *rows(statement: Fragment, columns: readonly OracleColumn[], size: Size): AsyncGenerator<Row[]> {
    const cutter = new RowCutter(columns, size);
    const first = Math.min(size.rows, columns.some(({ isLarge }) => isLarge) ? FEW_LARGE_ROWS : FEW_ROWS);
    const results = await this.#execute(statement, first);
    if (results === undefined) return;
    for (let asked = first; ; asked = cutter.worthAsking(asked)) {
      const rows = await this.#call(() => results.getRows(asked));
      if (rows.length === 0) break;
      for (const cells of rows) {
        const batch = cutter.add(cells);
        if (batch) yield batch;
      }
    }
    const rest = cutter.rest();
    if (rest) yield rest;
    await this.#call(() => results.close());
  }

  async cancel(): Promise<void> {
    this.destroy();
  }

  destroy(): void {
    this.#drop(connectionLost('the connection was dropped'));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { socket } = this.#connected.dial;
    // A server that hangs does not say goodbye.
    if (!(await within(CLOSE_WAIT_MS, this.#connection.close()))) socket?.destroy();
  }

  async #execute(statement: Fragment, rows: number): Promise<ResultSet | undefined> {
    const text = statementOf(statement, (place) => `:${place}`);
    const options: ExecuteOptions = {
      resultSet: true,
      outFormat: oracledb.OUT_FORMAT_ARRAY,
      prefetchRows: rows,
      fetchArraySize: rows,
      fetchTypeHandler: fetchAs,
    };
    const { resultSet } = await this.#call(() =>
      this.#connection.execute(text, statement.values.map(bindable), options),
    );
    return resultSet;
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw connectionLost('the connection is closed');
    let tell: (error: unknown) => void = () => undefined;
    const dropped = new Promise<never>((_, reject) => {
      tell = reject;
    });
    this.#waiting.add(tell);
    try {
      return await this.#watch.during(() => Promise.race([work(), dropped]));
    } catch (error) {
      if (isLost(error)) this.#drop(error);
      throw error;
    } finally {
      this.#waiting.delete(tell);
    }
  }

  #drop(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const isBusy = this.#waiting.size > 0;
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
    void leave(this.#connected, isBusy);
  }
}

/** Has the server stop what it does, and leaves. Nobody waits for it. */
async function leave({ connection, dial }: Connected, isBusy: boolean): Promise<void> {
  try {
    if (isBusy) await connection.break();
    dial.socket?.destroySoon();
    await connection.close();
  } catch {
    dial.socket?.destroy(); // it is gone already
  }
}

async function signOfLife(endpoint: Endpoint): Promise<void> {
  const { connection } = await connect(endpoint);
  await connection.close();
}

function bindable(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return typeof value === 'string' || value === null ? value : String(value);
}

function connectionLost(message: string): Fault {
  return new Fault('transient', 'connection_lost', message, { hint: 'It is tried again by itself.' });
}
