import type { PrepareResult } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { SliceKey } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { loadState, lockDefinitions } from './bookkeeping';
import { createTable } from './create';
import { withViewsAside } from './dependents';
import { applyEvolution, isEmpty, planEvolution, storedKey } from './evolve';
import { shadowName } from './names';
import { ownTable, rememberSchema } from './ownership';
import { withTableLock } from './retry-lock';
import { checkSearch, ensureSearch } from './search-index';
import { type Session, transaction } from './session';
import type { Shape } from './shape';
import { qualified, storedColumns } from './table';
import type { Writing } from './write';

const NOTHING: PrepareResult = { changes: [] };

/** See `Destination.prepare`. */
export async function prepareStream(
  session: Session,
  writing: Writing,
  slice: SliceKey,
  next: StreamSchema,
): Promise<PrepareResult> {
  const shape = await writing.bind(session, next);
  return slice.load === undefined
    ? prepareVisible(session, writing, slice, shape)
    : prepareShadow(session, writing, slice, shape, slice.load);
}

async function prepareVisible(
  session: Session,
  writing: Writing,
  slice: SliceKey,
  shape: Shape,
): Promise<PrepareResult> {
  const { books, target } = writing;
  return withTableLock(session, `preparing table ${target.namespace}.${shape.table}`, async () => {
    await lockDefinitions(session, books);
    await ownTable(session, books, slice, shape);
    const stored = await storedColumns(session, qualified(target.namespace, shape.table));
    if (stored) {
      const { changes } = await evolveTable(session, writing, shape, shape.table, true);
      if (changes.length > 0) await rememberSchema(session, books, shape);
      const indexed = await ensureSearch(session, writing, shape, shape.table);
      return { changes: [...changes, ...indexed.changes, ...indexed.notes] };
    }
    await createTable(session, target, shape, shape.table, true);
    const indexed = await ensureSearch(session, writing, shape, shape.table);
    return { changes: [`created table ${shape.table}`, ...indexed.changes, ...indexed.notes] };
  });
}

async function prepareShadow(
  session: Session,
  writing: Writing,
  slice: SliceKey,
  shape: Shape,
  load: string,
): Promise<PrepareResult> {
  const { books, target } = writing;
  const table = shadowName(slice.stream, load);
  return transaction(session, async () => {
    await lockDefinitions(session, books);
    await ownTable(session, books, slice, shape);
    const state = await loadState(session, books, slice, load);
    if (state === 'published') return NOTHING;
    if (state === 'discarded') {
      throw new Fault('lost', 'load_discarded', `preparing ${slice.stream}: its load ${load} was discarded`);
    }
    if (state === 'loading') return evolveTable(session, writing, shape, table, false);
    await session.execute(
      `INSERT INTO ${books.loads} (integration, stream, load, state, shadow) VALUES ($1, $2, $3, 'loading', $4)`,
      [slice.integration, slice.stream, load, table],
    );
    await createTable(session, target, shape, table, false);
    // Now, not when all is loaded.
    await checkSearch(session, writing, shape, table);
    return NOTHING;
  });
}

/** Adds and widens inside the caller's transaction; plain views are taken aside where they are in the way. */
export async function evolveTable(
  session: Session,
  { target }: Pick<Writing, 'target'>,
  shape: Shape,
  table: string,
  keyed: boolean,
): Promise<PrepareResult> {
  const name = qualified(target.namespace, table);
  const stored = (await storedColumns(session, name)) ?? new Map();
  const plan = planEvolution(target, shape, stored, await storedKey(session, name), keyed);
  if (isEmpty(plan)) return NOTHING;
  if (plan.widened.length === 0) return { changes: await applyEvolution(session, target, shape, table, plan) };
  const widenedNames = plan.widened.map((column) => column.name);
  const changes = await withViewsAside(session, name, widenedNames, () =>
    applyEvolution(session, target, shape, table, plan),
  );
  return { changes };
}
