import type { Row } from '../../../core/batch';
import type { StreamSchema } from '../../../core/schema';
import type { DocumentDialect, Fields } from './dialect';
import { ROLE } from './infer';

/** Makes the rows of a schema out of documents: each field goes into its column, or into the one for the rest. */
export function rowMaker<V>(schema: StreamSchema, dialect: DocumentDialect<V>): (document: Fields<V>) => Row {
  const { columns } = schema;
  const places = new Map(columns.map((column, place) => [column.name, { place, type: column.type }]));
  const roleAt = (role: string) => columns.findIndex(({ native }) => native === `${dialect.name}/${role}`);
  const restAt = roleAt(ROLE.rest);
  const documentAt = roleAt(ROLE.document);
  for (const at of [restAt, documentAt]) places.delete(columns[at]?.name ?? '');
  return (document) => {
    const row: Row = new Array(columns.length).fill(null);
    const rest: (readonly [string, V])[] = [];
    for (const field of document) {
      const found = places.get(field[0]);
      const cell = found && dialect.cell(field[1], found.type);
      if (found && cell !== undefined) row[found.place] = cell;
      else rest.push(field);
    }
    if (rest.length > 0 && restAt >= 0) row[restAt] = objectJson(rest, dialect);
    if (documentAt >= 0) row[documentAt] = objectJson(document, dialect);
    return row;
  };
}

/** An object of JSON whose members are in the order of their names. */
export function objectJson<V>(fields: Fields<V>, { json }: Pick<DocumentDialect<V>, 'json'>): string {
  const sorted = [...fields].sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${json(value)}`).join(',')}}`;
}

const SMALL_CELL = 8;

/** About how many bytes a row takes. */
export function rowBytes(row: Row): number {
  let bytes = 0;
  for (const cell of row) {
    bytes += typeof cell === 'string' || cell instanceof Uint8Array ? cell.length : SMALL_CELL;
  }
  return bytes;
}
