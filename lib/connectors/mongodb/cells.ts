import type { Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import { Bson } from './bson-elements';
import { binaryAt, objectIdAt, plainDecimalAt, stringAt, subtypeAt, timestamptz, uuidOf } from './bson-values';
import { extendedJson } from './extended-json';

/** A value of BSON as a cell, or `undefined` where the column's type cannot hold it. */
export type ReadCell = (bytes: Buffer, type: number, start: number) => Exclude<Value, symbol> | undefined;

const GENERIC_SUBTYPE = 0;
const UUID_SUBTYPE = 4;
const FIRST_INT64 = -(2 ** 63);
const AFTER_INT64 = 2 ** 63;

const text: ReadCell = (bytes, type, start) => (type === Bson.String ? stringAt(bytes, start) : undefined);

const objectId: ReadCell = (bytes, type, start) => (type === Bson.ObjectId ? objectIdAt(bytes, start) : undefined);

const int64: ReadCell = (bytes, type, start) => {
  if (type === Bson.Int) return BigInt(bytes.readInt32LE(start));
  if (type === Bson.Long) return bytes.readBigInt64LE(start);
  return type === Bson.Double ? wholeDouble(bytes.readDoubleLE(start)) : undefined;
};

/** Shells and JavaScript write whole numbers as doubles. */
function wholeDouble(value: number): bigint | undefined {
  const whole = Number.isInteger(value) && !Object.is(value, -0) && value >= FIRST_INT64 && value < AFTER_INT64;
  return whole ? BigInt(value) : undefined;
}

const float64: ReadCell = (bytes, type, start) => {
  if (type === Bson.Double) return bytes.readDoubleLE(start);
  if (type === Bson.Int) return bytes.readInt32LE(start);
  if (type !== Bson.Long) return undefined;
  const long = bytes.readBigInt64LE(start);
  return BigInt(Number(long)) === long ? Number(long) : undefined;
};

const decimal: ReadCell = (bytes, type, start) => {
  if (type === Bson.Decimal) return plainDecimalAt(bytes, start);
  if (type === Bson.Int) return String(bytes.readInt32LE(start));
  return type === Bson.Long ? String(bytes.readBigInt64LE(start)) : undefined;
};

const READERS: { readonly [T in ColumnType]?: ReadCell } = {
  bool: (bytes, type, start) => (type === Bson.Bool ? bytes[start] === 1 : undefined),
  int64,
  float64,
  decimal,
  text,
  timestamptz: (bytes, type, start) => (type === Bson.Date ? timestamptz(bytes.readBigInt64LE(start)) : undefined),
  uuid(bytes, type, start) {
    if (type !== Bson.Binary || subtypeAt(bytes, start) !== UUID_SUBTYPE) return undefined;
    const content = binaryAt(bytes, start);
    return content.length === 16 ? uuidOf(content) : undefined;
  },
  bytes(bytes, type, start) {
    if (type !== Bson.Binary || subtypeAt(bytes, start) !== GENERIC_SUBTYPE) return undefined;
    return Uint8Array.from(binaryAt(bytes, start)); // a copy: the whole answer of the server would be kept else
  },
  json: (bytes, type, start) => extendedJson(bytes, type, start, 'relaxed'),
};

/** `native` of columns of text that hold identifiers. */
export const OBJECT_ID = 'mongodb/objectId';

/** How the cells of a column are read. */
export function cellReader(type: ColumnType, native: string): ReadCell {
  return native === OBJECT_ID ? objectId : (READERS[type] ?? (() => undefined));
}
