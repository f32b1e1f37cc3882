import type { Column } from '../../core/schema';
import { Bson } from './bson-elements';
import { stringAt } from './bson-values';
import { cellReader, OBJECT_ID, type ReadCell } from './cells';
import { extendedJson } from './extended-json';
import type { Kind } from './shapes';

/** The field that every document has and that is the key. */
export const ID = '_id';

const STRINGS = 'mongodb/string';
const MIXED = 'mongodb/mixed';
const WHOLE: readonly Kind[] = ['int', 'long'];

/**
 * The column of `_id`, by the kinds in a sample that has the first and the last of them in it. In BSON's order all that
 * lies between two ObjectIds is an ObjectId, and the same for strings; numbers and binary values are of several kinds.
 */
export function idColumn(kinds: ReadonlySet<Kind>): Column {
  const all = [...kinds];
  const column = (type: Column['type'], native: string): Column => ({ name: ID, type, nullable: false, native });
  if (all.every((kind) => kind === 'objectId')) return column('text', OBJECT_ID);
  if (all.every((kind) => kind === 'string')) return column('text', STRINGS);
  if (all.every((kind) => kind === 'uuid')) return column('uuid', 'mongodb/uuid');
  if (all.every((kind) => WHOLE.includes(kind))) return column('int64', 'mongodb/long');
  return column('text', MIXED);
}

/**
 * How `_id` is read: its own kind as it is, every other as canonical Extended JSON, so that two different ones never look
 * alike. Whole numbers and UUIDs have columns that cannot hold another kind: `undefined` then.
 */
export function idReader({ type, native }: Column): ReadCell {
  const plain = cellReader(type, native);
  if (type !== 'text') return plain;
  const canonical: ReadCell = (bytes, found, start) => extendedJson(bytes, found, start, 'canonical');
  if (native === OBJECT_ID) return (...value) => plain(...value) ?? canonical(...value);
  if (native !== STRINGS) return canonical;
  return (bytes, found, start) => {
    const text = found === Bson.String ? stringAt(bytes, start) : undefined;
    return text === undefined || looksLikeJson(text) ? canonical(bytes, found, start) : text;
  };
}

function looksLikeJson(text: string): boolean {
  return /^[{"]/.test(text) || text === 'true' || text === 'false' || text === 'null';
}
