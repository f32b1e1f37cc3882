import { createHash } from 'node:crypto';
import { RECORD_ID, REST } from '../../core/schema';

/** PostgreSQL cuts names after this many bytes. */
const LONGEST_NAME = 63;
const HASH_DIGITS = 8;

/** Everything that is ours in a schema of the user begins with this. */
export const RESERVED = '_explorerio_';

/** Indexes of words begin with this. */
export const SEARCH_INDEX = `${RESERVED}search_`;

/** Indexes of parts of words begin with this. */
export const SIMILAR_INDEX = `${RESERVED}similar_`;

/** When a row was last written. */
export const SYNCED_AT = `${RESERVED}synced_at`;

/** When a row was deleted at the source; only where deletes are soft. */
export const DELETED_AT = `${RESERVED}deleted_at`;

/** An identifier as it stands in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The table of a stream. One stream always gives the same table and two streams never share one, without knowing of
 * each other: a name that the plain rule would change in any other way than `.` to `__` carries a hash of the stream.
 */
export function tableName(stream: string): string {
  const dotted = stream.replaceAll('.', '__');
  const plain = dotted.replace(/[^\p{L}\p{M}\p{N}_]/gu, '_');
  const ambiguous = plain !== dotted || /_[_.]|\.[_.]/.test(stream) || looksHashed(plain);
  return ambiguous || !fits(plain) ? hashed(plain, stream) : plain;
}

/** The column in which a stream's column is stored. */
export function columnName(column: string): string {
  if (column === RECORD_ID || column === REST) return column;
  const plain = column.replaceAll('\0', '_');
  return plain !== column || !fits(plain) ? hashed(plain, column) : plain;
}

/** The table that one load of a stream fills. No stream's own table can have such a name. */
export function shadowName(stream: string, load: string): string {
  return `${RESERVED}load_${hash(`${stream}\0${load}`, 16)}`;
}

/** The primary key's index of a table. It lies where no table of a stream can be. */
export function keyName(table: string): string {
  return `${RESERVED}key_${hash(table, 16)}`;
}

/** The index of a table's words. */
export function searchName(table: string): string {
  return `${SEARCH_INDEX}${hash(table, 16)}`;
}

/** The index of a table's parts of words. */
export function similarName(table: string): string {
  return `${SIMILAR_INDEX}${hash(table, 16)}`;
}

/** A passing name for an index that is built before it takes the place of `index`. */
export function passingName(index: string, table: string): string {
  return `${RESERVED}index_${hash(`${table}\0${index}`, 16)}`;
}

function fits(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= LONGEST_NAME && !name.startsWith(RESERVED);
}

function looksHashed(name: string): boolean {
  return /_[0-9a-f]{8}$/.test(name);
}

function hashed(plain: string, original: string): string {
  return `${cut(plain, LONGEST_NAME - 1 - HASH_DIGITS)}_${hash(original, HASH_DIGITS)}`;
}

function cut(text: string, bytes: number): string {
  let length = 0;
  let result = '';
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    result += character;
  }
  return result;
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
