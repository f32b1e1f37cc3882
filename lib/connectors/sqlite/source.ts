import type { Source } from '../../core/connector';
import { RelationalSource } from '../shared/sql/source';
import type { SqliteServer } from './server';

/** A file as a source. It is opened, or fetched, when something is first asked for. */
export function sourceOf(server: SqliteServer): Source {
  const source = new RelationalSource(server);
  return {
    check: (signal) => source.check(signal),
    discover: (signal) => source.discover(signal),
    partitions({ resumable, ...request }) {
      // Without a key there is only the rowid to go on by, and a VACUUM may give each row another.
      const hasKey = request.stream.key.length > 0;
      return source.partitions({ ...request, ...(resumable && hasKey && { resumable }) });
    },
    scan: (request) => source.scan(request),
    async close() {
      await source.close();
      await server.file.close();
    },
  };
}
