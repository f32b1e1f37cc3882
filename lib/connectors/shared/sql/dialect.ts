import type { Fragment } from './fragment';
import type { OpenTransactions } from './open-transactions';
import type { SqlColumn, SqlRelation } from './relation';
import type { SqlSession } from './session';

/** How one type of server says what all of them can do. */
export interface Dialect<C extends SqlColumn> {
  /** Whether `(a, b) > (1, 2)` is known, and finds its rows by an index. */
  readonly comparesRows: boolean;
  /** A query's first `count` rows. */
  first(query: Fragment, count: number): Fragment;
  /** Begins a transaction that writes nothing; all its statements see the moment of its begin. */
  begin(session: SqlSession<C>): Promise<void>;
  end(session: SqlSession<C>): Promise<void>;
  /**
   * The transactions that may still commit rows, but for those of `own` (ids of sessions): whatever is begun later must not
   * take a name from this list. `undefined`: the server does not tell; then `marginMs` stands in.
   */
  openTransactions(session: SqlSession<C>, own: readonly string[]): Promise<OpenTransactions | undefined>;
  /** Where open transactions are not told: rows at most this much older than the newest are read again each time. */
  readonly marginMs: number;
  /**
   * The largest value of a cursor that counts as reached, by the server's own clock, as SQL. `undefined`: any is, as the
   * column has nothing to do with time.
   */
  latest(column: C): string | undefined;
  /** A value of a cursor made older, as SQL; `undefined` where the column has nothing to do with time. */
  earlier(column: C, value: Fragment, milliseconds: number): Fragment | undefined;
  /**
   * Bounds between ranges of about as many rows in the first column of the order, where it holds no numbers. By default a
   * relation with such an order is one part.
   */
  sampledBounds?(session: SqlSession<C>, relation: SqlRelation<C>, want: number): Promise<readonly string[]>;
  /** A record id, as a column that is never asked for: its value is made while reading. */
  recordIdNative: string;
}
