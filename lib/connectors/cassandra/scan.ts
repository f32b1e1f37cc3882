import type { Row, RowBatch } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import { rowBytes } from '../shared/documents/rows';
import type { Cluster, Statement } from './client';
import { PageSize, pages } from './pages';
import { fitsPosition, type Reached, reachedPosition, type TimeWindow, type TokenRange } from './parts';
import type { DriverRow, Selection } from './selection';
import type { Table } from './table';

/** One bounded read of a table. */
export interface TableScan {
  readonly cluster: Cluster;
  readonly request: ScanRequest;
  readonly table: Table;
  readonly selection: Selection;
  readonly range: TokenRange;
  readonly reached?: Reached;
  /** Only rows written in it, and those without a write time. */
  readonly window?: TimeWindow;
  /** The position when all has been read. */
  readonly end: Position;
}

// A read that passes nothing on still says how far it is.
const HEARTBEAT_ROWS = 50_000;
// Rows of one partition whose keys no position can hold are not cut apart; beyond this a batch would fill the memory.
const MOST_OVER = 4;

/** Reads the rows of a range in the order of the ring, as batches that can be cut between any two rows. */
export async function* scanTable(scan: TableScan): AsyncGenerator<RowBatch> {
  const { cluster, request } = scan;
  const pageSize = new PageSize(request.size);
  const cutter = new Cutter(scan);
  for await (const statement of statements(scan)) {
    for await (const page of pages(cluster, request.signal, statement, pageSize)) {
      const before = cutter.seenBytes;
      for (const given of page) {
        const batch = cutter.take(given);
        if (batch) yield batch;
      }
      pageSize.saw(page.length, cutter.seenBytes - before);
    }
  }
  yield cutter.batch(scan.end);
}

/** Collects rows until a batch is full; it ends where a position can say so. */
class Cutter {
  readonly #scan: TableScan;
  seenBytes = 0;
  #rows: Row[] = [];
  #bytes = 0;
  #passed = 0;
  #last: DriverRow | undefined;

  constructor(scan: TableScan) {
    this.#scan = scan;
  }

  /** Takes a row; gives the batch that ends before it, if one does. */
  take(given: DriverRow): RowBatch | undefined {
    const { selection } = this.#scan;
    const cut = this.#last && this.#isFull(1) ? this.#cutBetween(this.#last, given) : undefined;
    const row = selection.row(given);
    const bytes = rowBytes(row);
    this.seenBytes += bytes;
    this.#passed++;
    this.#last = given;
    if (this.#isWanted(given)) {
      this.#rows.push(row);
      this.#bytes += bytes;
    }
    return cut;
  }

  batch(after: Position): RowBatch {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    this.#passed = 0;
    return { kind: 'rows', schema: this.#scan.table.schema, rows, after };
  }

  #isFull(times: number): boolean {
    const { size } = this.#scan.request;
    const full = this.#rows.length >= size.rows * times || this.#bytes >= size.bytes * times;
    return full || this.#passed >= HEARTBEAT_ROWS * times;
  }

  #cutBetween(last: DriverRow, next: DriverRow): RowBatch | undefined {
    const { selection, window, table } = this.#scan;
    const token = selection.token(last);
    if (selection.token(next) !== token) return this.batch(reachedPosition({ token }, window));
    const key = selection.key(last);
    if (key && fitsPosition(key)) return this.batch(reachedPosition({ token, key }, window));
    if (this.#isFull(MOST_OVER)) throw uncuttable(table);
    return undefined;
  }

  #isWanted(given: DriverRow): boolean {
    const { selection, window } = this.#scan;
    if (window === undefined) return true;
    const time = selection.writeTime(given);
    return time === undefined || (time >= window.since && time < window.until);
  }
}

function uncuttable({ name }: Table): Fault {
  return new Fault(
    'data',
    'key_not_kept',
    `reading ${name}: many rows of one partition have keys that are null or too long`,
    {
      hint: 'Empty values in clustering columns that are no text, and keys of more than 7 KB, can be read only few at a time.',
    },
  );
}

async function* statements({ cluster, request, selection, range, reached }: TableScan): AsyncGenerator<Statement> {
  if (reached?.key) {
    yield* selection.behind(reached.key);
    // Two partitions may have the same token, though this is rare.
    const { rows } = await cluster.page(request.signal, { ...selection.partitionsAt(reached.token), rows: 1000 });
    for (const given of rows as unknown as readonly DriverRow[]) {
      const key = selection.partitionKey(given);
      if (selection.comesAfter(key, reached.key)) yield selection.partition(key);
    }
  }
  const after = reached?.token ?? range.after;
  if (after < range.to) yield selection.range({ after, to: range.to });
}
