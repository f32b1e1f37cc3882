import { Fault } from '../../core/fault';
import type { Position, SliceKey } from '../../core/position';
import { errorCode } from './classify';
import { quoted } from './names';
import { type Session, transaction } from './session';

/** Our own tables in one namespace, quoted for statements. */
export interface Bookkeeping {
  readonly namespace: string;
  readonly schema: string;
  readonly positions: string;
  readonly tables: string;
  readonly loads: string;
  readonly quarantine: string;
  readonly shapes: string;
}

const LAST_ADDED = '_explorerio_quarantine_stream';

/** What is known of a load. */
export type LoadState = 'loading' | 'published' | 'discarded';

/** Names our tables in `namespace`. */
export function bookkeeping(namespace: string): Bookkeeping {
  const schema = quoted(namespace);
  const table = (name: string) => `${schema}._explorerio_${name}`;
  return {
    namespace,
    schema,
    positions: table('positions'),
    tables: table('tables'),
    loads: table('loads'),
    quarantine: table('quarantine'),
    shapes: table('shapes'),
  };
}

/** Creates the namespace and our tables in it where they are missing. Several processes may do this at once. */
export async function createBookkeeping(session: Session, books: Bookkeeping): Promise<void> {
  // The index that was added last: where it is, everything older is, too.
  const [existing] = await session.query('SELECT to_regclass($1) AS last, to_regnamespace($2) AS namespace', [
    `${books.schema}.${LAST_ADDED}`,
    books.schema,
  ]);
  if (existing?.last) return;
  await transaction(session, async () => {
    await lockDefinitions(session, books);
    if (!existing?.namespace) await createSchema(session, books);
    // `position` and `record` are json, not jsonb: jsonb refuses U+0000 and both must come back as they were given.
    await session.script(`
      CREATE TABLE IF NOT EXISTS ${books.positions} (
        integration text NOT NULL, stream text NOT NULL, partition text NOT NULL, load text NOT NULL,
        fence bigint NOT NULL, position json, rows bigint NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (integration, stream, partition, load));
      CREATE TABLE IF NOT EXISTS ${books.tables} (
        table_name text PRIMARY KEY, integration text NOT NULL, stream text NOT NULL, schema json NOT NULL);
      CREATE TABLE IF NOT EXISTS ${books.loads} (
        integration text NOT NULL, stream text NOT NULL, load text NOT NULL, state text NOT NULL, shadow text NOT NULL,
        rows bigint, notes json, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (integration, stream, load));
      CREATE TABLE IF NOT EXISTS ${books.quarantine} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, integration text NOT NULL, stream text NOT NULL,
        run text NOT NULL, partition text NOT NULL, reason text NOT NULL, field text, rule text, record json NOT NULL,
        at timestamptz NOT NULL DEFAULT now());
      ALTER TABLE ${books.loads} ADD COLUMN IF NOT EXISTS started_at timestamptz;
      ALTER TABLE ${books.loads} ALTER COLUMN started_at SET DEFAULT now();
      ALTER TABLE ${books.quarantine} ADD COLUMN IF NOT EXISTS record_key text, ADD COLUMN IF NOT EXISTS shape text,
        ADD COLUMN IF NOT EXISTS op smallint, ADD COLUMN IF NOT EXISTS reasons json, ADD COLUMN IF NOT EXISTS load text,
        ADD COLUMN IF NOT EXISTS began_at timestamptz, ADD COLUMN IF NOT EXISTS configuration text,
        ADD COLUMN IF NOT EXISTS revision integer NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS edited_at timestamptz,
        ADD COLUMN IF NOT EXISTS edited_fields json, ADD COLUMN IF NOT EXISTS source_digest text;
      CREATE UNIQUE INDEX IF NOT EXISTS _explorerio_quarantine_record
        ON ${books.quarantine} (integration, stream, record_key);
      CREATE TABLE IF NOT EXISTS ${books.shapes} (digest text PRIMARY KEY, schema json NOT NULL);
      CREATE INDEX IF NOT EXISTS ${LAST_ADDED} ON ${books.quarantine} (integration, stream, id);`);
  });
}

async function createSchema(session: Session, books: Bookkeeping): Promise<void> {
  try {
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${books.schema}`);
  } catch (error) {
    if (errorCode(error) !== '42501') throw error;
    throw new Fault('config', 'permission_denied', `creating the schema ${books.namespace}: permission denied`, {
      cause: error,
      hint: `Run as an administrator: CREATE SCHEMA ${books.schema} AUTHORIZATION the_role; or grant the role CREATE on the database.`,
    });
  }
}

/** Held to the end of the transaction by whoever changes definitions in the namespace. */
export async function lockDefinitions(session: Session, books: Bookkeeping): Promise<void> {
  await session.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 20201124))`, [
    `explorerio ${books.namespace}`,
  ]);
}

function keyValues(slice: SliceKey): string[] {
  return [slice.integration, slice.stream, slice.partition, slice.load ?? ''];
}

/** See `Destination.claim`. */
export async function claimSlice(
  session: Session,
  books: Bookkeeping,
  slice: SliceKey,
  fence: number,
): Promise<Position | undefined> {
  if (slice.load !== undefined) await refuseEndedLoad(session, books, slice, slice.load);
  const [row] = await session.query(
    `INSERT INTO ${books.positions} AS p (integration, stream, partition, load, fence) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (integration, stream, partition, load) DO UPDATE SET fence = excluded.fence
     WHERE p.fence <= excluded.fence RETURNING position`,
    [...keyValues(slice), fence],
  );
  if (!row) throw fenced(slice);
  return row.position == null ? undefined : (JSON.parse(row.position) as Position);
}

async function refuseEndedLoad(session: Session, books: Bookkeeping, slice: SliceKey, load: string): Promise<void> {
  const state = await loadState(session, books, slice, load);
  if (state === 'published' || state === 'discarded') {
    throw new Fault('lost', 'fenced', `claiming ${slice.stream}: its load ${load} was ${state} already`);
  }
}

/** The state of a load, `undefined` when it is not known. */
export async function loadState(
  session: Session,
  books: Bookkeeping,
  { integration, stream }: Pick<SliceKey, 'integration' | 'stream'>,
  load: string,
): Promise<LoadState | undefined> {
  const [row] = await session.query(
    `SELECT state FROM ${books.loads} WHERE integration = $1 AND stream = $2 AND load = $3`,
    [integration, stream, load],
  );
  return row?.state as LoadState | undefined;
}

/** The fault of a writer whose slice was claimed by another. */
export function fenced(slice: SliceKey): Fault {
  return new Fault(
    'lost',
    'fenced',
    `writing ${slice.stream}: another worker has claimed partition ${slice.partition}`,
  );
}

/** What a write came to. */
export interface Progress {
  readonly fence: number;
  readonly position: Position;
  readonly rows: number;
}

/** Moves the position inside the caller's transaction; the row stays locked until its end. */
export async function movePosition(
  session: Session,
  books: Bookkeeping,
  slice: SliceKey,
  { fence, position, rows }: Progress,
): Promise<void> {
  const moved = await session.execute(
    `UPDATE ${books.positions} SET position = $5, rows = rows + $6, updated_at = now()
     WHERE integration = $1 AND stream = $2 AND partition = $3 AND load = $4 AND fence = $7`,
    [...keyValues(slice), JSON.stringify(position), rows, fence],
  );
  if (moved === 0) throw fenced(slice);
}

/** See `Destination.seed`. */
export async function seedPosition(
  session: Session,
  books: Bookkeeping,
  slice: SliceKey,
  position: Position,
  instead?: Position,
): Promise<void> {
  const values = [...keyValues(slice), JSON.stringify(position)];
  if (instead) {
    await session.execute(
      `UPDATE ${books.positions} SET position = $5, updated_at = now()
       WHERE integration = $1 AND stream = $2 AND partition = $3 AND load = $4 AND position::text = $6`,
      [...values, JSON.stringify(instead)],
    );
    return;
  }
  await session.execute(
    `INSERT INTO ${books.positions} AS p (integration, stream, partition, load, fence, position)
     VALUES ($1, $2, $3, $4, 0, $5)
     ON CONFLICT (integration, stream, partition, load) DO UPDATE SET position = excluded.position
     WHERE p.position IS NULL`,
    values,
  );
}
