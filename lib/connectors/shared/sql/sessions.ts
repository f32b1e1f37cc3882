import { type Lease as LeaseOf, Pool } from '../pool';
import type { SqlColumn } from './relation';
import type { SqlSession } from './session';

/** A connection on loan. */
export type Lease<C extends SqlColumn> = LeaseOf<SqlSession<C>>;

/** A bounded set of connections, kept for the next user. */
export class Sessions<C extends SqlColumn> extends Pool<SqlSession<C>> {
  /** The server's names of all open connections. */
  get ids(): string[] {
    return this.open.map((session) => session.id);
  }
}
