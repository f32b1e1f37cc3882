import { type Column, type ColumnType, REST, type StreamSchema } from '../../../core/schema';
import type { DocumentDialect, Fields } from './dialect';

/** Ends the `native` of the columns that hold no field: {@link REST}, and the one of whole documents. */
export const ROLE = { rest: 'rest', document: 'document' } as const;

const MOST_COLUMNS = 500;
const LONGEST_NAME = 255;
// The second and third are for documents whose key has such a name.
const DOCUMENT = ['document', 'document_', 'document__'];

interface Seen {
  readonly type: ColumnType;
  readonly native: string;
  readonly count: number;
}

/** A column for each field of the sample, the key before the others; fields of several types become JSON. */
export function inferColumns<V>(
  stream: string,
  key: readonly Column[],
  sample: Iterable<Fields<V>>,
  dialect: DocumentDialect<V>,
): StreamSchema {
  const seen = new Map<string, Seen>();
  for (const document of sample) for (const [name, value] of document) see(seen, name, dialect, value);
  for (const { name } of key) seen.delete(name);
  const fields = [...seen].filter(([name]) => name !== REST && name !== '' && name.length <= LONGEST_NAME);
  const often = fields.sort(([, left], [, right]) => right.count - left.count).slice(0, MOST_COLUMNS);
  const columns = often.map(([name, { type, native }]) => ({ name, type, nullable: true, native }));
  columns.sort((left, right) => (left.name < right.name ? -1 : 1));
  const rest: Column = { name: REST, type: 'json', nullable: true, native: `${dialect.name}/${ROLE.rest}` };
  return { stream, columns: [...key, ...columns, rest], key: key.map(({ name }) => name) };
}

function see<V>(seen: Map<string, Seen>, name: string, dialect: DocumentDialect<V>, value: V): void {
  const shape = dialect.shapeOf(value);
  if (shape === undefined) return;
  const [type, suffix] = shape;
  const native = `${dialect.name}/${suffix}`;
  const known = seen.get(name);
  const count = (known?.count ?? 0) + 1;
  const same = known === undefined || (known.type === type && known.native === native);
  seen.set(name, same ? { type, native, count } : { type: 'json', native: `${dialect.name}/json`, count });
}

/** The key and the whole document as one column of JSON. */
export function wholeDocuments(stream: string, key: readonly Column[], dialect: string): StreamSchema {
  const document: Column = {
    name: DOCUMENT.find((free) => key.every(({ name }) => name !== free)) ?? '',
    type: 'json',
    nullable: false,
    native: `${dialect}/${ROLE.document}`,
  };
  return { stream, columns: [...key, document], key: key.map(({ name }) => name) };
}
