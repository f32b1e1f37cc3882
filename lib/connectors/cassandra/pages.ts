import type { Cluster, Statement } from './client';
import type { DriverRow } from './selection';

const FIRST_PAGE = 20;
const LARGEST_PAGE = 2000;
const GROWTH = 8;

/** Finds out how many rows a page may have to be of the size that is wanted: the protocol counts rows only. */
export class PageSize {
  readonly #most: number;
  readonly #bytes: number;
  #rows = FIRST_PAGE;

  constructor(size: { readonly rows: number; readonly bytes: number }) {
    this.#most = Math.max(1, Math.min(size.rows, LARGEST_PAGE));
    this.#bytes = size.bytes;
  }

  get rows(): number {
    return Math.min(this.#rows, this.#most);
  }

  /** Takes what the rows since the last call were. */
  saw(rows: number, bytes: number): void {
    if (rows === 0) return;
    const fitting = Math.floor((this.#bytes * rows) / Math.max(1, bytes));
    this.#rows = Math.max(1, Math.min(fitting, this.#rows * GROWTH, LARGEST_PAGE));
  }
}

/** The pages of a statement; the next one is fetched while one is worked on. */
export async function* pages(
  cluster: Cluster,
  signal: AbortSignal,
  statement: Statement,
  size: PageSize,
): AsyncGenerator<readonly DriverRow[]> {
  let state: string | undefined;
  let coming = cluster.page(signal, { ...statement, rows: size.rows });
  for (;;) {
    const result = await coming;
    state = result.pageState ?? undefined;
    const rows = result.rows as unknown as readonly DriverRow[];
    if (state === undefined) {
      yield rows;
      return;
    }
    coming = cluster.page(signal, { ...statement, rows: size.rows, state });
    coming.catch(() => undefined); // thrown where it is awaited; a reader that left does not ask
    yield rows;
  }
}
