import type { Batch, Row } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import type { Position } from '../../core/position';
import { copyRows, ending } from './copy-batches';
import { DONE, FORMAT } from './full-scan';
import { quoteIdentifier, quoteLiteral } from './identifiers';
import type { Relation } from './relation';
import type { Session } from './session';
import { snapshotLost } from './snapshot';
import { textOf } from './values';

type KeyedValue = { readonly done?: boolean; readonly key?: readonly string[] };

/**
 * Reads all rows in the order of their key. The position is the last key, so that any process goes on behind it; a row
 * whose key stays the same, and which is there all the time, is read exactly once.
 */
export async function* scanKeyed(request: ScanRequest, relation: Relation, session: Session): AsyncGenerator<Batch> {
  const { done, key: last } = (request.from?.value ?? {}) as KeyedValue;
  if (done) return;
  const { schema } = relation;
  if (schema.key.length === 0) throw snapshotLost();
  const places = schema.key.map((name) => schema.columns.findIndex((column) => column.name === name));
  const key = schema.key.map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  const where = last ? `where (${key}) > (${last.map(quoteLiteral).join(', ')})` : '';
  const columns = relation.reads.map((read) => read.expression).join(', ');
  const batches = copyRows({
    session,
    select: `select ${columns} from ${relation.source} ${where} order by ${key}`,
    extra: 0,
    schema,
    size: request.size,
    after: ({ lines }) => keyPosition(lines.row(lines.length - 1), places),
    end: DONE,
  });
  yield* ending(batches, schema, request.from, DONE);
}

function keyPosition(row: Row, places: readonly number[]): Position {
  return { format: FORMAT, value: { key: places.map((place) => textOf(row[place] ?? null)) } };
}
