import type { Row, Value } from '../../core/batch';
import type { StreamSchema } from '../../core/schema';
import { quoteIdentifier, quoteLiteral } from './identifiers';
import { loggedReader } from './logged-values';
import type { Relation } from './relation';
import type { Session } from './session';
import { textOf } from './values';

/** The row of a table with the key of `row`, as it is now; `undefined` when there is none. */
export async function currentRow(
  session: Session,
  relations: readonly Relation[],
  schema: StreamSchema,
  row: Row,
): Promise<Row | undefined> {
  const relation = relations.find((one) => one.schema.stream === schema.stream);
  if (relation === undefined) return undefined;
  const condition = schema.key.map((name) => {
    const value = row[schema.columns.findIndex((column) => column.name === name)] ?? null;
    return `t.${quoteIdentifier(name)} = ${quoteLiteral(textOf(value))}`;
  });
  const reads = schema.columns.map(({ name }) => relation.reads.find(({ column }) => column.name === name));
  const cells = reads.map((read, place) => `${read?.expression ?? 'null'} as c${place}`);
  const [found] = await session.query(
    `select ${cells.join(', ')} from ${relation.source} where ${condition.join(' and ')}`,
  );
  return found && schema.columns.map((column, place) => cellOf(found[`c${place}`] ?? null, column));
}

function cellOf(text: string | null, column: StreamSchema['columns'][number]): Value {
  if (text === null) return null;
  const bytes = Buffer.from(text);
  return loggedReader(column)(bytes, 0, bytes.length);
}
