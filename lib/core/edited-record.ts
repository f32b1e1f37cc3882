import { type Row, UNCHANGED, type Value } from './batch';
import { nearest } from './config';
import { Fault, type FieldIssue } from './fault';
import type { Json } from './json';
import type { EntryRecord, FieldValues } from './quarantine';
import type { Column } from './schema';

/**
 * The row of a record with some fields replaced. Each value has to be one of its column's type; the text of a value is
 * taken, too. A key that identifies the record stays: with another one it would be another record.
 * @throws Fault `config`/`invalid_record` naming each wrong field
 */
export function editedRow({ row, schema }: EntryRecord, fields: FieldValues): Row {
  const issues: FieldIssue[] = [];
  const next = [...row];
  const names = schema.columns.map(({ name }) => name);
  for (const [path, given] of Object.entries(fields)) {
    const place = names.indexOf(path);
    const column = schema.columns[place];
    const isKept = schema.key.includes(path) && row[place] !== null && row[place] !== UNCHANGED;
    if (column === undefined) issues.push({ path, message: unknownField(path, names) });
    else if (isKept) issues.push({ path, message: 'is the key, by which the record is known: it cannot be changed' });
    else {
      const value = valueFor(given, column);
      if (value === undefined) issues.push({ path, message: `expected ${FORMS[column.type]}${orNull(column)}` });
      else next[place] = value;
    }
  }
  if (issues.length > 0) throw invalidRecord(issues);
  return next;
}

function invalidRecord(issues: readonly FieldIssue[]): Fault {
  const wrong = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new Fault('config', 'invalid_record', `editing a quarantined record: ${wrong}`, {
    hint: 'Give values in the shape that the source has, before any step. Nothing was changed.',
    issues,
  });
}

function unknownField(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined
    ? `unknown field; there are: ${known.join(', ')}`
    : `unknown field; did you mean "${near}"?`;
}

function orNull({ nullable }: Column): string {
  return nullable ? ', or null' : '';
}

const DAY = '\\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const TIME = '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?';

function timePattern(pattern: string): RegExp {
  return new RegExp(`^(${pattern}( BC)?|-?infinity)$`);
}

const FORMS: { readonly [type in Column['type']]: string } = {
  bool: 'true or false',
  int32: 'a whole number of 32 bits',
  int64: 'a whole number of 64 bits, as text where it has more than 15 digits',
  float64: 'a number, NaN, Infinity or -Infinity',
  decimal: 'a decimal number, such as "12.50"',
  text: 'text',
  bytes: 'bytes as text, such as "\\x00ff"',
  date: 'a date, such as "2026-01-31"',
  time: 'a time, such as "10:00:00.5"',
  timestamp: 'a time without a zone, such as "2026-01-31 10:00:00"',
  timestamptz: 'a time in UTC, such as "2026-01-31 10:00:00+00"',
  uuid: 'a UUID in lower case',
  json: 'JSON',
};

type Reader = (text: string) => Value | undefined;

const matching =
  (pattern: RegExp): Reader =>
  (text) =>
    pattern.test(text) ? text : undefined;
const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);

/** Reads the text of a value; that there is such a day the destination knows. */
const READERS: { readonly [type in Column['type']]: Reader } = {
  bool: (text) => BOOLEANS.get(text),
  int32: (text) => {
    const value = integer(text, 32n);
    return value === undefined ? undefined : Number(value);
  },
  int64: (text) => integer(text, 64n),
  float64: (text) => (/^(-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|-?Infinity)$/i.test(text) ? Number(text) : undefined),
  decimal: matching(/^(-?\d+(\.\d+)?|NaN|-?Infinity)$/),
  text: (text) => text,
  bytes: (text) => (/^\\x([0-9a-f]{2})*$/i.test(text) ? new Uint8Array(Buffer.from(text.slice(2), 'hex')) : undefined),
  date: matching(timePattern(DAY)),
  time: matching(new RegExp(`^(${TIME}|24:00:00)$`)),
  timestamp: matching(timePattern(`${DAY} ${TIME}`)),
  timestamptz: matching(timePattern(`${DAY} ${TIME}\\+00`)),
  uuid: matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  json: jsonText,
};

/** The value that is meant; `undefined` when it is none of the column's type. */
function valueFor(given: Json, { type, nullable }: Column): Value | undefined {
  if (given === null) return nullable ? null : undefined;
  if (typeof given === 'object') return type === 'json' ? JSON.stringify(given) : undefined;
  if (typeof given === 'boolean' && type !== 'bool' && type !== 'json') return undefined;
  if (typeof given === 'number' && (!NUMERIC.has(type) || (type === 'int64' && !Number.isSafeInteger(given)))) {
    return undefined;
  }
  return READERS[type](String(given));
}

const NUMERIC: ReadonlySet<Column['type']> = new Set(['int32', 'int64', 'float64', 'decimal', 'json']);

function integer(text: string, bits: bigint): bigint | undefined {
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  const beyond = 2n ** (bits - 1n);
  return value >= -beyond && value < beyond ? value : undefined;
}

/** JSON is kept as the text that it is. */
function jsonText(text: string): string | undefined {
  try {
    JSON.parse(text);
    return text;
  } catch {
    // The only error there is: the text is no JSON.
    return undefined;
  }
}
