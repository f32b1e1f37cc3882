import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import oracledb, { type Connection, type ConnectionOptions, type ExecuteOptions, type ResultSet } from 'oracledb';

/** A cell as the driver gives it. */
export type Cell = string | boolean | Buffer | null;

/** What answers the statements of one connection: rows, or an {@link OracleError}; nothing where a statement has no result. */
export interface Answering {
  answer(statement: string, values: readonly unknown[]): Iterable<readonly Cell[]> | undefined;
  close(): void;
}

/** An error as the driver makes it of one of the server. */
export class OracleError extends Error {
  readonly code: string;
  readonly errorNum: number;

  constructor(errorNum: number, message: string) {
    const code = `ORA-${String(errorNum).padStart(5, '0')}`;
    super(`${code}: ${message}`);
    this.code = code;
    this.errorNum = errorNum;
  }
}

/** How the seam lets in, and what it says about the server. */
export interface SeamOptions {
  readonly user: string;
  readonly password: string;
  readonly service: string;
  open(): Answering;
}

/** A running seam. */
export interface OracleSeam {
  /** A port that takes connections and says nothing. */
  readonly port: number;
  connections(): number;
  /** Breaks all connections, as a server that dies. */
  dropAll(): void;
  /** From now on statements are in the middle of something, until they are told to stop. */
  hold(): void;
  /** How often statements were told to. */
  stops(): number;
  stop(): Promise<void>;
}

const seams = new Map<string, (options: ConnectionOptions) => Promise<Connection>>();
let actual: typeof oracledb.getConnection | undefined;

/** Takes the place of the driver's connections to one port; those to other ports stay the driver's. It is no Oracle. */
export async function startOracleSeam(options: SeamOptions): Promise<OracleSeam> {
  const server = createServer((socket) => void socket.on('error', () => socket.destroy()).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = new Set<FakeConnection>();
  const works: Works = { held: false, stops: 0 };
  install(`(PORT=${port})`, async (login) => {
    await setImmediate();
    if (!login.connectString.includes(`(SERVICE_NAME=${options.service})`)) throw unknownService();
    if (login.user !== options.user || login.password !== options.password) {
      throw new OracleError(1017, 'invalid username/password; logon denied');
    }
    const connection = new FakeConnection(options.open(), works, () => open.delete(connection));
    open.add(connection);
    return connection;
  });
  return {
    port,
    connections: () => open.size,
    dropAll() {
      for (const connection of open) connection.drop();
    },
    hold() {
      works.held = true;
    },
    stops: () => works.stops,
    async stop() {
      uninstall(`(PORT=${port})`);
      for (const connection of open) await connection.close();
      server.close();
    },
  };
}

function install(place: string, seam: (options: ConnectionOptions) => Promise<Connection>): void {
  seams.set(place, seam);
  if (actual) return;
  const driver = oracledb.getConnection;
  actual = driver;
  oracledb.getConnection = (options) => {
    const [, one = driver] = [...seams].find(([port]) => options.connectString.includes(port)) ?? [];
    return one(options);
  };
}

function uninstall(place: string): void {
  seams.delete(place);
  if (seams.size > 0 || actual === undefined) return;
  oracledb.getConnection = actual;
  actual = undefined;
}

interface Works {
  held: boolean;
  stops: number;
}

class FakeConnection implements Connection {
  callTimeout = 0;
  readonly oracleServerVersionString = '23.4.0.0.0';
  readonly #answering: Answering;
  readonly #works: Works;
  readonly #left: () => void;
  #wake: () => void = () => undefined;
  #broken = false;
  #dropped = false;
  #closed = false;

  constructor(answering: Answering, works: Works, left: () => void) {
    this.#answering = answering;
    this.#works = works;
    this.#left = left;
  }

  async execute(statement: string, values: readonly unknown[], options: ExecuteOptions) {
    await this.#step();
    // Else the driver would make numbers of what no number holds.
    const { type } = options.fetchTypeHandler({ name: 'N', dbType: oracledb.DB_TYPE_NUMBER }) ?? {};
    if (type !== oracledb.STRING) throw new Error('numbers are not asked for as text');
    const rows = this.#answering.answer(statement, values);
    return rows === undefined ? {} : { resultSet: this.#resultSet(rows[Symbol.iterator]()) };
  }

  async break(): Promise<void> {
    this.#broken = true;
    this.#works.stops++;
    this.#wake();
  }

  /** As the server's end of the connection. */
  drop(): void {
    this.#dropped = true;
  }

  async close(): Promise<void> {
    if (this.#closed) throw lost('NJS-003');
    this.#closed = true;
    this.#left();
    this.#answering.close();
  }

  #resultSet(rows: Iterator<readonly Cell[]>): ResultSet {
    return {
      getRows: async (count) => {
        await this.#step();
        const found: unknown[][] = [];
        while (found.length < count) {
          const { done, value } = rows.next();
          if (done) break;
          found.push([...value]);
        }
        return found;
      },
      close: async () => void rows.return?.(),
    };
  }

  async #step(): Promise<void> {
    await setImmediate();
    if (this.#works.held) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#closed) throw lost('NJS-003');
    if (this.#dropped) throw lost('NJS-500');
    if (!this.#broken) return;
    this.#broken = false;
    throw new OracleError(1013, 'user requested cancel of current operation');
  }
}

function lost(code: string): Error {
  return Object.assign(new Error(`${code}: connection to the Oracle Database was broken`), { code });
}

function unknownService(): Error {
  return Object.assign(new Error('NJS-518: cannot connect to Oracle Database. Service is not registered.'), {
    code: 'NJS-518',
  });
}
