import { type Bookkeeping, lockDefinitions } from './bookkeeping';
import { forgetPositions } from './loads';
import { shadowName } from './names';
import { withTableLock } from './retry-lock';
import type { Session } from './session';
import { qualified } from './table';

/** See `Destination.discard`. */
export async function discardLoad(
  session: Session,
  books: Bookkeeping,
  integration: string,
  stream: string,
  load: string,
): Promise<void> {
  await withTableLock(session, `discarding a load of ${stream}`, async () => {
    await lockDefinitions(session, books);
    const shadow = shadowName(stream, load);
    const [ended] = await session.query(
      `INSERT INTO ${books.loads} AS l (integration, stream, load, state, shadow) VALUES ($1, $2, $3, 'discarded', $4)
       ON CONFLICT (integration, stream, load) DO UPDATE SET state = 'discarded', updated_at = now()
       WHERE l.state = 'loading' RETURNING state`,
      [integration, stream, load, shadow],
    );
    if (!ended) return;
    await session.query(`DROP TABLE IF EXISTS ${qualified(books.namespace, shadow)}`);
    await forgetPositions(session, books, integration, stream, load);
  });
}

/** See `Destination.drop`. The last integration of a namespace takes the namespace along, if nothing else is in it. */
export async function dropIntegration(session: Session, books: Bookkeeping, integration: string): Promise<void> {
  const [existing] = await session.query('SELECT to_regclass($1) AS found', [books.quarantine]);
  if (!existing?.found) return;
  await withTableLock(session, `removing what ${integration} stored`, async () => {
    await lockDefinitions(session, books);
    const tables = await session.query(
      `SELECT table_name AS name FROM ${books.tables} WHERE integration = $1
       UNION SELECT shadow FROM ${books.loads} WHERE integration = $1 AND state = 'loading'`,
      [integration],
    );
    const names = tables.map(({ name }) => qualified(books.namespace, name ?? ''));
    if (names.length > 0) await session.query(`DROP TABLE IF EXISTS ${names.join(', ')}`);
    for (const table of [books.tables, books.positions, books.loads, books.quarantine]) {
      await session.execute(`DELETE FROM ${table} WHERE integration = $1`, [integration]);
    }
    await dropNamespaceIfUnused(session, books);
  });
}

async function dropNamespaceIfUnused(session: Session, books: Bookkeeping): Promise<void> {
  const [used] = await session.query(
    `SELECT EXISTS (SELECT FROM ${books.tables}) OR EXISTS (SELECT FROM ${books.positions})
       OR EXISTS (SELECT FROM ${books.quarantine}) AS by_others`,
  );
  if (used?.by_others === 't') return;
  await session.query(
    `DROP TABLE ${[books.tables, books.positions, books.loads, books.quarantine, books.shapes].join(', ')}`,
  );
  const [left] = await session.query(
    `SELECT $1 = 'public' OR NOT pg_has_role(n.nspowner, 'USAGE')
       OR EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid) OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)
       OR EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid) AS in_use
     FROM pg_namespace n WHERE n.nspname = $1`,
    [books.namespace],
  );
  if (left?.in_use === 'f') await session.query(`DROP SCHEMA ${books.schema}`);
}
