import type { Dialect } from './dialect';
import { sql } from './fragment';
import { numberBounds, type Part, rangesBetween } from './parts';
import type { SqlColumn, SqlRelation } from './relation';
import type { ReadPlace } from './snapshot';

// Less is not worth a part of its own.
const LEAST_ROWS = 10_000;
const NUMBERS = new Set(['int32', 'int64', 'decimal']);
const WHOLE = /^-?\d+$/;

/** Plans the parts of a relation: ranges of its first number, or else one. */
export async function planParts<C extends SqlColumn>(
  dialect: Dialect<C>,
  place: ReadPlace<C>,
  relation: SqlRelation<C>,
  want: number,
  snapshot: string,
): Promise<Part[]> {
  const [first] = relation.order;
  if (first === undefined) return [{ kind: 'whole', snapshot }];
  const rows = relation.info.estimate?.rows;
  const worth = rows === undefined ? want : Math.min(want, Math.ceil(rows / LEAST_ROWS));
  if (worth <= 1 || !NUMBERS.has(first.column.type)) {
    await touch(place, relation, dialect);
    const bounds = worth > 1 ? await dialect.sampledBounds?.(place.session, relation, worth) : undefined;
    return rangesBetween(snapshot, bounds ?? []);
  }
  const [ends] = await place.session.query(
    sql`select min(${first.order}), max(${first.order}) from ${place.from(relation)}`,
  );
  const [least, largest] = ends ?? [];
  const whole = [least, largest].every((end) => WHOLE.test(end ?? ''));
  return rangesBetween(snapshot, whole ? numberBounds(BigInt(least ?? 0), BigInt(largest ?? 0), worth) : []);
}

// A table that was changed after the snapshot cannot be read in it: better known now than in the middle.
async function touch<C extends SqlColumn>(
  place: ReadPlace<C>,
  relation: SqlRelation<C>,
  dialect: Dialect<C>,
): Promise<void> {
  await place.session.query(dialect.first(sql`select 1 from ${place.from(relation)}`, 1));
}
