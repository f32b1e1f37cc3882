import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { ColumnType } from '../../core/schema';
import type { Present } from '../convert/converter';
import { utcText } from '../convert/iso-time';

/** How a cell is seen by an expression. */
export interface CelType {
  readonly name: string;
  read(value: Present): unknown;
}

/** The cell is none that an expression can see: a year that its times do not have. */
export const UNSEEN: unique symbol = Symbol('unseen');

const same = (value: Present) => value;
const text: CelType = { name: 'string', read: same };
const int: CelType = { name: 'int', read: (value) => (typeof value === 'number' ? BigInt(value) : value) };
const double: CelType = { name: 'double', read: Number };
const time: CelType = { name: 'google.protobuf.Timestamp', read: (value) => timeOf(String(value)) };

/** The type of expressions for every type of cells. */
export const CEL_TYPES: { readonly [type in ColumnType]: CelType } = {
  bool: { name: 'bool', read: same },
  int32: int,
  int64: int,
  float64: double,
  decimal: double,
  text,
  uuid: text,
  json: text,
  date: text,
  time: text,
  timestamp: time,
  timestamptz: time,
  bytes: { name: 'bytes', read: same },
};

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*(?:\+00)?$/;
const END_OF_TIME = 8.64e15;

function timeOf(cell: string): Date | typeof UNSEEN {
  const match = TIME.exec(cell);
  if (match) return new Date(`${match[1]}T${match[2]}Z`);
  if (cell === 'infinity') return new Date(END_OF_TIME);
  return cell === '-infinity' ? new Date(-END_OF_TIME) : UNSEEN;
}

/** Types that a result may have; lists and maps become JSON. */
const RESULTS: { readonly [name: string]: ColumnType } = {
  bool: 'bool',
  int: 'int64',
  uint: 'decimal',
  double: 'float64',
  string: 'text',
  bytes: 'bytes',
  'google.protobuf.Timestamp': 'timestamptz',
};

/** The type of cells that a result has; `undefined` when only the result itself tells, `unfit` when it can be none. */
export function resultType(cel: string): ColumnType | 'unfit' | undefined {
  if (cel === 'dyn' || cel === 'null') return undefined;
  if (cel.startsWith('list') || cel.startsWith('map')) return 'json';
  return RESULTS[cel] ?? 'unfit';
}

/** A result as a cell, with its type; `undefined` when it can be none. */
export function cellOf(result: unknown): { readonly type: ColumnType; readonly value: Present } | undefined {
  if (typeof result === 'string') return { type: 'text', value: result };
  if (typeof result === 'boolean') return { type: 'bool', value: result };
  if (typeof result === 'number') return { type: 'float64', value: result };
  if (typeof result === 'bigint') return isInt64(result) ? { type: 'int64', value: result } : undefined;
  if (result instanceof Uint8Array) return { type: 'bytes', value: result };
  if (result instanceof UnsignedInt) return { type: 'decimal', value: result.toString() };
  if (result instanceof SameTime) return { type: 'timestamptz', value: result.cell };
  if (result instanceof Duration || typeof result !== 'object' || result === null) return undefined;
  if (result instanceof Date) {
    const value = utcText(result.getTime());
    return value === undefined ? undefined : { type: 'timestamptz', value };
  }
  return { type: 'json', value: jsonOf(result) };
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** Whole numbers keep all their digits. */
function jsonOf(value: unknown): string {
  if (typeof value === 'bigint' || value instanceof UnsignedInt) return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (value instanceof Duration) return JSON.stringify(String(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}:${jsonOf(part)}`)
    .join(',')}}`;
}

/** A time that an expression gives back as it came, with its microseconds: expressions see only milliseconds. */
export class SameTime {
  readonly cell: string;

  constructor(type: ColumnType, value: string) {
    this.cell = type === 'timestamp' && !value.endsWith('y') ? `${value}+00` : value;
  }
}
