import type { Host } from '../../core/connector';
import type { Destination, DestinationContext } from '../../core/destination';
import { Fault } from '../../core/fault';
import { appendBatches } from './append';
import { bookkeeping, claimSlice, createBookkeeping, seedPosition } from './bookkeeping';
import { checkDestination } from './check';
import { errorCode } from './classify';
import type { PostgresqlConfig } from './config';
import { lookupValues } from './lookup';
import { prepareStream } from './prepare';
import { publishLoad } from './publish';
import { quarantineCipher } from './quarantine-cipher';
import { editEntry } from './quarantine-edit';
import { quarantineEntries, removeEntries } from './quarantine-entries';
import { listQuarantine } from './quarantine-list';
import { pruneQuarantine } from './quarantine-prune';
import { replayRecords } from './quarantine-replay';
import { discardLoad, dropIntegration } from './remove';
import { openSessions, type Session } from './session';
import { shapes } from './shape';
import { typeCatalog } from './types';
import { type Writing, writeBatch } from './write';

/** UNDEFINED_TABLE and INVALID_SCHEMA_NAME. */
const GONE = new Set(['42P01', '3F000']);

/** Opens the destination; the server is not talked to before it is needed. */
export function openPostgresql(config: PostgresqlConfig, context: DestinationContext, host: Host): Destination {
  const sessions = openSessions(config, host);
  // Of their own: a look-up is made while a writer holds its connection, and waiting for each other would be for ever.
  const lookups = openSessions({ ...config, max_connections: 1 }, host);
  const books = bookkeeping(context.namespace);
  const cipher = quarantineCipher(context.quarantineKey);
  const target = { namespace: context.namespace, softDeletes: context.deletes === 'soft' };
  const search = new Map(Object.entries(context.search ?? {}));
  const writing: Writing = { books, target, bind: shapes(typeCatalog()), fitting: new WeakMap(), search, cipher };
  const { integration } = context;
  let ready = false;
  const withBooks = <T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T> =>
    sessions.use(signal, async (session) => {
      if (!ready) await createBookkeeping(session, books);
      ready = true;
      try {
        return await work(session);
      } catch (error) {
        if (!GONE.has(errorCode(error) ?? '')) throw error;
        ready = false;
        throw new Fault('lost', 'tables_gone', `our tables in schema ${context.namespace} are gone`, {
          cause: error,
          hint: 'Somebody removed the schema or its tables. Run a full load.',
        });
      }
    });
  return {
    accepts: ['pgcopy-binary', 'pgcopy-text'],
    check: (signal) => checkDestination(config, context, sessions, signal),
    prepare: (slice, next) => withBooks(undefined, (session) => prepareStream(session, writing, slice, next)),
    claim: (slice, fence) => withBooks(undefined, (session) => claimSlice(session, books, slice, fence)),
    write: (batch, slice, options) =>
      withBooks(options.signal, (session) => writeBatch(session, writing, batch, slice, options)),
    append: (additions, slice, options) =>
      withBooks(options.signal, (session) => appendBatches(session, writing, additions, slice, options)),
    publish: (stream, load, options) =>
      withBooks(options.signal, (session) => publishLoad(session, writing, integration, stream, load, options)),
    discard: (stream, load) =>
      withBooks(undefined, (session) => discardLoad(session, books, integration, stream, load)),
    seed: (slice, position, instead) =>
      withBooks(undefined, (session) => seedPosition(session, books, slice, position, instead)),
    lookup: (request) => lookups.use(undefined, (session) => lookupValues(session, context.namespace, request)),
    quarantined: (query) => withBooks(undefined, (session) => listQuarantine(session, writing, integration, query)),
    quarantine: {
      entries: (filter, page) =>
        withBooks(undefined, (session) => quarantineEntries(session, writing, integration, filter, page)),
      remove: (filter) => withBooks(undefined, (session) => removeEntries(session, books, integration, filter)),
      edit: (id, fields) => withBooks(undefined, (session) => editEntry(session, writing, integration, id, fields)),
      prune: (bounds, signal) =>
        withBooks(signal, (session) => pruneQuarantine(session, writing, integration, bounds, signal)),
      replay: (request) =>
        withBooks(request.signal, (session) => replayRecords(session, writing, integration, request)),
    },
    drop: async () => {
      await sessions.use(undefined, (session) => dropIntegration(session, books, integration));
      ready = false;
    },
    close: async () => void (await Promise.all([sessions.close(), lookups.close()])),
  };
}
