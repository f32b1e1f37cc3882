import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Batch, ByteBatch, Row } from '../../lib/core/batch';
import type { Connector, Cursor, PartitionRequest, ScanRequest, Source } from '../../lib/core/connector';
import { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import { MAX_POSITION_BYTES, type Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { patient } from '../servers/patience';
import { recordingLogger } from './recording-logger';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export type Config = { readonly [key: string]: Json };

/** How one type of system is started for the suite; it asserts nothing itself. */
export interface SourceFixture {
  /** As it is printed: `PostgreSQL 18`. */
  readonly name: string;
  /** What stands behind it: the system itself, somebody's emulator, a fake of ours that speaks its protocol, or one in place of the driver. */
  readonly kind: 'real' | 'emulator' | 'wire-fake' | 'driver-seam';
  unavailable(): string | undefined;
  start(): Promise<RunningSource>;
  /** Checks that cannot hold here, each with the reason. */
  readonly waivers?: { readonly [check: string]: string };
}

/** The size of a large value. */
export const LARGE_VALUE = 100 << 20;

/** A stream that a fixture has made, and what is to be read from it. */
export interface Seeded {
  readonly stream: string;
  readonly rows: readonly Row[];
}

/** The way to a system, where something can be put in its middle. */
export interface Line {
  readonly host: string;
  readonly port: number;
  /** A configuration that goes through a port of this machine, and waits for answers no longer than it must. */
  through(port: number): Config;
}

/** What not every fixture can do. A check that asks for it in vain fails, unless it is waived. */
export interface Trouble {
  readonly line?: Line;
  /** Names a database that is not there. */
  noDatabase?(): Config;
  /** A stream and a column that are called so, as far as the system takes such names, with one row. */
  seedNamed?(stream: string, column: string): Promise<Seeded>;
  /** Equal rows in a stream that has a unique index, for which nulls are not equal. */
  seedNulls?(): Promise<Seeded>;
  /** A stream of one row, with a text of so many `x`: 100 MB, or about the most that the system takes. */
  seedText?(): Promise<{ readonly stream: string; readonly bytes: number }>;
  /** Inserts rows that nobody sees before they are committed; they are given then. */
  insertLate?(ids: readonly number[]): Promise<() => Promise<readonly Row[]>>;
  /** Makes so many streams; they need not be removed. */
  seedMany?(count: number): Promise<void>;
}

/** What a fixture can do where changes are followed. A check that asks for it in vain fails, unless it is waived. */
export interface Changes {
  /** Where it differs from that of those who only read. */
  readonly config?: Config;
  /** Gives a row another key, and then the row. */
  changeKey?(from: number, to: number): Promise<Row>;
  /** Empties the stream at once. */
  truncate?(): Promise<void>;
  /** What is inserted, updated and removed meanwhile is one transaction. */
  together?<T>(work: () => Promise<T>): Promise<T>;
  /** Changes every row of the stream that `seedLarge` has made, in one transaction. */
  rewriteLarge?(): Promise<void>;
  /** Takes the record of changes away from everybody who follows them. */
  loseLog?(): Promise<void>;
  /** What is in the system for the sake of those who follow. */
  kept?(): Promise<readonly string[]>;
}

/** A started system with one stream to play with. Rows are given as they have to be read. */
export interface RunningSource extends Trouble {
  readonly config: Config;
  /** Paths without which the configuration is refused. */
  readonly required: readonly string[];
  /** Texts that must never show. */
  readonly secrets: readonly string[];
  /** The shape `discover` has to find for the seeded stream. */
  readonly expected: StreamSchema;
  /** A cursor column of it that grows with each change; empty where nothing is read incrementally. */
  readonly cursor: string;
  /** Values of the key's first column; rows are told apart by it. */
  wrongPassword(): Config;
  closedPort(): Promise<Config>;
  /** Makes the stream anew with rows 1 to `count`. */
  seed(count: number): Promise<readonly Row[]>;
  insert(ids: readonly number[]): Promise<readonly Row[]>;
  update(ids: readonly number[]): Promise<readonly Row[]>;
  remove(ids: readonly number[]): Promise<void>;
  addColumn(name: string): Promise<void>;
  /** Makes another stream of about `bytes`, and gives its name. */
  seedLarge(bytes: number): Promise<string>;
  /** How many connections the system sees beside the fixture's own. */
  openConnections(): Promise<number>;
  /** Where changes are followed. */
  readonly changes?: Changes;
  /** Where byte formats are sent: loads a body where it can be read back, and reads it. */
  decode?(batch: ByteBatch): Promise<readonly Row[]>;
  stop(): Promise<void>;
}

/** Makes one check of the suite, unless it is waived. */
export type Check = (title: string, body: () => Promise<void>, timeout?: number) => void;

/** The started system; only within a check. */
export type Running = () => RunningSource;

/** How tests read where nothing else is said. */
export const SIZE = { rows: 40, bytes: 1 << 20 };

// Bytes outside the heap count: that is where a socket that nobody holds back would pile up. The first collection only
// begins to free them, on another thread; the second waits for that.
export function memory(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

export function cursorOf({ cursor }: RunningSource): Cursor {
  return { column: cursor, lookbackMs: 0 };
}

/** Who follows changes in tests. */
export const FOLLOWER = 'contract';

export function host() {
  return { log: recordingLogger().log, follower: FOLLOWER };
}

export function signal(): AbortSignal {
  return AbortSignal.timeout(25_000);
}

export async function withSource(connector: Connector, config: Config, body: (source: Source) => Promise<void>) {
  const source = await connector.open(config, host());
  try {
    await body(source);
  } finally {
    await source.close();
  }
}

export async function faultOf(work: () => Promise<unknown>): Promise<Fault> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export async function discoverFault(connector: Connector, config: Config): Promise<Fault> {
  return faultOf(() => withSource(connector, config, async (source) => void (await source.discover(signal()))));
}

export async function schemaOf(source: Source, stream: string): Promise<StreamSchema> {
  const found = (await source.discover(signal())).find(({ schema }) => schema.stream === stream);
  if (found === undefined) throw new Error(`discover does not find ${stream}`);
  return found.schema;
}

export async function partitions(
  source: Source,
  running: RunningSource,
  want: number,
  cursor?: Cursor,
  schema?: StreamSchema,
) {
  const request: PartitionRequest = {
    stream: schema ?? running.expected,
    want,
    signal: signal(),
    ...(cursor && { cursor }),
  };
  return (await source.partitions?.(request)) ?? { parts: [null] };
}

export async function partsOf(source: Source, running: RunningSource, want: number, schema?: StreamSchema) {
  const { parts } = await partitions(source, running, want, undefined, schema);
  for (const part of parts) expect(JSON.stringify(part).length).toBeLessThanOrEqual(MAX_POSITION_BYTES);
  return JSON.parse(JSON.stringify(parts)) as Json[];
}

export function scan(
  source: Source,
  running: RunningSource,
  request: Partial<ScanRequest>,
  schema?: StreamSchema,
): AsyncIterable<Batch> {
  if (source.scan === undefined) throw new Error('the source has no scan');
  const defaults = { stream: schema ?? running.expected, size: SIZE, accept: [], signal: signal(), repairable: false };
  return source.scan({ ...defaults, ...request });
}

export type RowsOnly = Extract<Batch, { kind: 'rows' }>;

export async function collect(
  source: Source,
  running: RunningSource,
  request: Partial<ScanRequest>,
): Promise<RowsOnly[]> {
  const batches: RowsOnly[] = [];
  for await (const batch of scan(source, running, request)) {
    if (batch.kind !== 'rows') throw new Error(`a batch of ${batch.kind} where only rows are accepted`);
    batches.push(batch);
  }
  return batches;
}

export async function fullRead(
  source: Source,
  running: RunningSource,
  request: Partial<ScanRequest>,
): Promise<RowsOnly[]> {
  const batches: RowsOnly[] = [];
  for (const partition of await partsOf(source, running, 2)) {
    batches.push(...(await collect(source, running, { ...request, partition })));
  }
  return batches;
}

export function increment(source: Source, running: RunningSource, from: Position | undefined): Promise<RowsOnly[]> {
  return collect(source, running, { cursor: cursorOf(running), repairable: true, ...(from && { from }) });
}

/** Reads on from the position after each batch, as another process would: what follows must be exactly the rest. */
export async function expectExactResume(read: (from: Position | undefined) => Promise<RowsOnly[]>): Promise<void> {
  const batches = await read(undefined);
  expect(batches.length).toBeGreaterThan(3);
  for (const [index, { after }] of batches.entries()) {
    const text = JSON.stringify(after);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_POSITION_BYTES);
    const rest = await read(JSON.parse(text) as Position);
    const expected = batches.slice(index + 1).flatMap((batch) => batch.rows);
    expect(sorted(rest.flatMap((batch) => batch.rows))).toEqual(sorted(expected));
  }
}

/** All rows of a stream as it is now, or was when this source was first asked for parts of it. */
export async function rowsOf(source: Source, running: RunningSource, schema: StreamSchema): Promise<Row[]> {
  const rows: Row[] = [];
  for (const partition of await partsOf(source, running, 1, schema)) {
    const size = { rows: 1000, bytes: 1 << 20 };
    for (const batch of await collect(source, running, { partition, stream: schema, size })) rows.push(...batch.rows);
  }
  return rows;
}

/** Rows as texts in an order that does not depend on how they were read. */
export function sorted(rows: readonly Row[]): string[] {
  return rows.map(textOf).sort();
}

/** Cells as one text, in which those of different types differ. */
export function textOf(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return typeof value === 'symbol' ? String(value) : value;
  });
}

/** What only some fixtures can do. */
export function able<T extends object, K extends keyof T & string>(of: T | undefined, what: K): NonNullable<T[K]> {
  const ability = of?.[what];
  if (ability === undefined || ability === null) {
    throw new Error(`the fixture has no ${what}: give it one, or waive the check with a reason`);
  }
  return ability;
}

export function without(config: Config, [first = '', ...rest]: readonly string[]): Config {
  const { [first]: removed, ...others } = config;
  return rest.length === 0 ? others : { ...others, [first]: without(removed as Config, rest) };
}

/** Waits up to three seconds for an expectation that a server needs a moment for. */
export async function eventually(expectation: () => Promise<void>): Promise<void> {
  for (const deadline = performance.now() + patient(3000); ; ) {
    try {
      return await expectation();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
