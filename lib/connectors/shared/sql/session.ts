import type { Row } from '../../../core/batch';
import type { Fragment } from './fragment';
import type { Range } from './range';
import type { SqlColumn } from './relation';

/**
 * What relational connectors share. A connector brings its dialect, its types and its driver:
 *
 * - {@link SqlColumn} and {@link SqlRelation} (`relation.ts`): what is read, found in the server's catalog;
 * - {@link SqlSession}: one connection. `row-pump.ts` makes batches of a driver that hands over row by row;
 * - `Dialect` (`dialect.ts`): names, limits, transactions, clocks, which transactions are open;
 * - `Snapshots` (`snapshot.ts`): one moment that several sessions read. `SessionSnapshot` is for servers where each reader
 *   needs a transaction begun at that moment; a server that reads any moment by its number gives its own.
 *
 * `RelationalSource` (`source.ts`) makes a `Source` of these: discovery, parts, full reads in the order of the key,
 * resumed between any two rows, and increments that lose no late commit (`cursor-progress.ts` says how). SQL is made of
 * `Fragment`s (`fragment.ts`), so that values are bound. `mysql` is the example to follow.
 */
export interface SqlSession<C extends SqlColumn> {
  /** How the server calls this connection, so that its transactions are known as our own. */
  readonly id: string;
  readonly closed: boolean;
  /** Runs a statement with a small result: every cell as the server's text. */
  query(statement: Fragment): Promise<readonly TextRow[]>;
  /**
   * Reads rows of any number as batches of at most `size`, each row one value per column. While nobody asks for more, the
   * server is held back. Left early, the session is in the middle of something: `cancel` or `destroy` it.
   */
  rows(statement: Fragment, columns: readonly C[], size: Size): AsyncIterable<Row[]>;
  /** What `rows` gives for the query of a range, where the session has a faster way. */
  range?(range: Range<C>, size: Size): AsyncIterable<Row[]>;
  /** Ends what the server is doing for the session, which is then at rest, in the same transaction; or else closed. */
  cancel(): Promise<void>;
  /** Drops the connection at once, and what the server is doing for it. */
  destroy(): void;
  close(): Promise<void>;
}

/** Cells of a small result, in order. */
export type TextRow = readonly (string | null)[];

/** Targets for one batch, whichever is met first. */
export interface Size {
  readonly rows: number;
  readonly bytes: number;
}
