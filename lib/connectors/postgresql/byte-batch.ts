import type { ByteBatch, ByteFormat } from '../../core/batch';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { aborted } from '../shared/aborted';
import { copyOut } from './copy-batches';
import type { Session } from './session';
import type { Sessions } from './sessions';
import { commit } from './snapshot';

/** What PostgreSQL can send. */
export type PgCopyFormat = 'pgcopy-binary' | 'pgcopy-text';

/** The first byte format of the reader that PostgreSQL can send. */
export function byteFormat(accept: readonly ByteFormat[]): PgCopyFormat | undefined {
  return accept.find((format) => format === 'pgcopy-binary' || format === 'pgcopy-text') as PgCopyFormat | undefined;
}

interface BytesRequest {
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
  readonly schema: StreamSchema;
  readonly after: Position;
  readonly format: PgCopyFormat;
  /** Begins the transaction on the body's own connection and tells what to read in it. */
  begin(session: Session): Promise<string>;
}

/**
 * A batch of COPY's bytes. The body reads on a connection of its own when it is asked to, so that a reader may hold
 * several batches, in any state, while the scan goes on or ends.
 */
export function copyBytes({ sessions, signal, schema, after, format, begin }: BytesRequest): ByteBatch {
  async function* body(): AsyncGenerator<Uint8Array> {
    const lease = await sessions.acquire(signal);
    try {
      const select = await begin(lease.session);
      yield* lease.session.copy(copyOut(select, format === 'pgcopy-text' ? 'text' : 'binary'));
      await commit(lease.session);
      lease.finished();
    } catch (error) {
      throw signal.aborted ? aborted() : error;
    } finally {
      lease.release();
    }
  }
  return { kind: 'bytes', format, schema, after, body: body() };
}
