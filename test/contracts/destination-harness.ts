import type { Batch, Row, RowBatch } from '../../lib/core/batch';
import type { Destination, DestinationContext, WriteOptions } from '../../lib/core/destination';
import type { Json } from '../../lib/core/json';
import { INCREMENT, type Position, type SliceKey } from '../../lib/core/position';
import type { Column, ColumnType, StreamSchema } from '../../lib/core/schema';

/** A stored row: column to text. Our own columns are not in it. */
export type StoredRow = { readonly [column: string]: string | null };

/** What the suite needs of a destination under test. */
export interface DestinationFixture {
  /** What stands behind it; printed with the results. */
  readonly server: 'real' | 'emulator' | 'memory';
  open(context: DestinationContext): Promise<Destination>;
  /** The visible rows of a stream, without deleted ones; `undefined` when there is no table. */
  read(namespace: string, stream: string): Promise<readonly StoredRow[] | undefined>;
  /** A byte document of one of the accepted formats that holds these rows of (int64, text). */
  document?(rows: readonly (readonly [bigint, string])[]): { format: 'pgcopy-text'; body: AsyncIterable<Uint8Array> };
}

/** Never aborted. */
export const signal = new AbortController().signal;
/** A position of the suite. */
export const position = (value: Json): Position => ({ format: 1, value });
let names = 0;

/** A column, nullable and of no dialect in particular. */
export function column(name: string, type: ColumnType, native = `test/${type}`): Column {
  return { name, type, nullable: true, native };
}

/** A stream `orders` of (id, name), or what is given. */
export function orders(columns?: readonly Column[], key: readonly string[] = ['id']): StreamSchema {
  return { stream: 'orders', columns: columns ?? [column('id', 'int64'), column('name', 'text')], key };
}

/** How the suite writes: first fence, one run. */
export function options(fence = 1, more: Partial<WriteOptions> = {}): WriteOptions {
  return { fence, run: 'run-1', signal, ...more };
}

/** A batch of rows. */
export function rowBatch(schema: StreamSchema, rows: Row[], after: Json = 1, ops?: readonly number[]): RowBatch {
  return { kind: 'rows', schema, after: position(after), rows, ...(ops && { ops: Uint8Array.from(ops) }) };
}

/** Opens destinations for tests, each in a namespace of its own unless told otherwise, and closes them. */
export function harness(fixture: () => DestinationFixture) {
  const opened: Destination[] = [];
  afterEach(async () => {
    for (const destination of opened.splice(0)) await destination.close();
  });

  async function start(more: Partial<DestinationContext> = {}) {
    const context: DestinationContext = { integration: 'shop', namespace: `ns_${++names}`, deletes: 'hard', ...more };
    const destination = await fixture().open(context);
    opened.push(destination);
    const slice: SliceKey = { integration: context.integration, stream: 'orders', partition: INCREMENT };
    const read = async (stream = 'orders') => fixture().read(context.namespace, stream);
    return { context, destination, slice, read };
  }

  async function startWriting(more: Partial<DestinationContext> = {}, schema = orders()) {
    const started = await start(more);
    await started.destination.prepare(started.slice, schema);
    await started.destination.claim(started.slice, 1);
    const write = (batch: Batch, fence = 1) => started.destination.write(batch, started.slice, options(fence));
    return { ...started, schema, write };
  }

  const pairs = (rows: readonly StoredRow[] | undefined) => rows?.map(({ id, name }) => `${id}=${name}`).sort();

  return { start, startWriting, pairs };
}

/** What the groups of tests are given. */
export type Harness = ReturnType<typeof harness>;
