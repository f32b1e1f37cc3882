import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Fragment } from '../shared/sql/fragment';
import type { Size, TextRow } from '../shared/sql/session';
import { isGoneMoment } from './classify';
import type { OracleSession } from './session';
import type { OracleColumn } from './types';

/** Before the number of a moment, behind the name of a table. */
export const AS_OF = ' as of scn ';

/** A session that reads an earlier moment: when the server has forgotten it, the snapshot is lost. */
export class MomentSession implements OracleSession {
  readonly #session: OracleSession;
  readonly #gone: () => void;

  constructor(session: OracleSession, gone: () => void) {
    this.#session = session;
    this.#gone = gone;
  }

  get id() {
    return this.#session.id;
  }

  get closed() {
    return this.#session.closed;
  }

  get version() {
    return this.#session.version;
  }

  get home() {
    return this.#session.home;
  }

  async query(statement: Fragment): Promise<readonly TextRow[]> {
    try {
      return await this.#session.query(statement);
    } catch (error) {
      throw this.#told(error, statement);
    }
  }

  async *rows(statement: Fragment, columns: readonly OracleColumn[], size: Size): AsyncGenerator<Row[]> {
    try {
      yield* this.#session.rows(statement, columns, size);
    } catch (error) {
      throw this.#told(error, statement);
    }
  }

  cancel(): Promise<void> {
    return this.#session.cancel();
  }

  destroy(): void {
    this.#session.destroy();
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #told(error: unknown, { text }: Fragment): unknown {
    // What sees its own moment can be read again from where it stopped.
    if (!isGoneMoment(error) || !text.includes(AS_OF)) return error;
    this.#gone();
    return new Fault('lost', 'snapshot_lost', 'the server does not know the moment of this full read any more', {
      hint: 'The full read begins anew by itself; a larger UNDO_RETENTION keeps moments longer.',
      cause: error,
    });
  }
}
