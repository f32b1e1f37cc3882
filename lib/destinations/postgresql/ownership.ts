import { Fault } from '../../core/fault';
import type { SliceKey } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import type { Bookkeeping } from './bookkeeping';
import type { Session } from './session';
import type { Shape } from './shape';
import { qualified } from './table';

/**
 * Enters the stream's table under this integration, inside the caller's transaction. A table that belongs to another
 * integration, another stream or the owner of the database is refused.
 */
export async function ownTable(session: Session, books: Bookkeeping, slice: SliceKey, shape: Shape): Promise<void> {
  const { integration } = slice;
  // Not the slice's: one of a feed writes to the tables of many streams.
  const { stream } = shape.schema;
  const [known] = await session.query(`SELECT integration, stream FROM ${books.tables} WHERE table_name = $1`, [
    shape.table,
  ]);
  if (known?.integration === integration && known.stream === stream) return;
  const doing = `preparing table ${books.namespace}.${shape.table} for stream ${stream}`;
  if (known) {
    const owner = known.integration === integration ? `stream ${known.stream}` : `integration ${known.integration}`;
    throw new Fault('config', 'table_owned_by_another', `${doing}: it belongs to ${owner}`, {
      hint: 'Give this integration a schema of its own (destination.schema), or remove the other one.',
    });
  }
  const [found] = await session.query('SELECT to_regclass($1) AS found', [qualified(books.namespace, shape.table)]);
  if (found?.found) {
    throw new Fault(
      'config',
      'table_not_ours',
      `${doing}: a table of this name is there already, and was not made by us`,
      {
        hint: 'Rename or move that table, or give this integration a schema of its own (destination.schema).',
      },
    );
  }
  await session.execute(
    `INSERT INTO ${books.tables} (table_name, integration, stream, schema) VALUES ($1, $2, $3, $4)`,
    [shape.table, integration, stream, schemaText(shape.schema)],
  );
}

/** Remembers the newest schema of a stream. */
export async function rememberSchema(session: Session, books: Bookkeeping, shape: Shape): Promise<void> {
  await session.execute(`UPDATE ${books.tables} SET schema = $2 WHERE table_name = $1`, [
    shape.table,
    schemaText(shape.schema),
  ]);
}

function schemaText({ stream, columns, key }: StreamSchema): string {
  return JSON.stringify({ stream, columns, key });
}
