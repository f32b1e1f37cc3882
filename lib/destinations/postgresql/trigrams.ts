import { errorCode } from './classify';
import type { Session } from './session';

/** The role may not, the files are not there, or there is no schema `public`. */
const UNAVAILABLE = new Set(['42501', '0A000', '58P01', '3F000', '42704', '22023']);

/** The schema of the extension pg_trgm as it stands in statements; `undefined` where it is not there or not for us. */
export async function trigramSchema(session: Session): Promise<string | undefined> {
  const [row] = await session.query(
    `SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_trgm' AND has_schema_privilege(n.oid, 'USAGE')`,
  );
  return row?.schema ?? undefined;
}

/** The same, after an attempt to create it where it is missing; inside the caller's transaction. */
export async function ensureTrigrams(session: Session): Promise<string | undefined> {
  const known = await trigramSchema(session);
  if (known !== undefined) return known;
  // Two that create it at once would fail with a violated unique index.
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 20201124))', ['explorerio pg_trgm']);
  await session.query('SAVEPOINT trigrams');
  try {
    await session.query('CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public');
  } catch (error) {
    if (!UNAVAILABLE.has(errorCode(error) ?? '')) throw error;
    await session.query('ROLLBACK TO SAVEPOINT trigrams');
    return undefined;
  }
  return trigramSchema(session);
}
