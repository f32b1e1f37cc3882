import { createHash } from 'node:crypto';
import { Op, type Row, UNCHANGED, type Value } from '../../core/batch';
import type { Rejection } from '../../core/destination';
import type { Json } from '../../core/json';
import type { Column, StreamSchema } from '../../core/schema';

/** A cell above this is kept by its beginning: the record must fit into one text. */
const LONGEST_CELL = 4 * 1024 * 1024;

/** The text that is kept of a record: column name to value. */
export function recordText({ row, schema }: Rejection): string {
  const fields = schema.columns.flatMap(({ name }, place): [string, Json][] => {
    const value = row[place];
    return value === UNCHANGED || value === undefined ? [] : [[name, jsonForm(value)]];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

/** What tells one record of a stream from another: its key, or all of it where it has none. */
export function identityText({ row, schema, op = Op.Insert }: Rejection): string {
  if (!hasIdentity({ row, schema })) return JSON.stringify([op, ...row.map((value) => jsonForm(value ?? null))]);
  const places = schema.key.map((name) => schema.columns.findIndex((column) => column.name === name));
  return JSON.stringify(['key', ...places.map((place) => jsonForm(row[place] ?? null))]);
}

/** Whether a record has a key, and all of it. Two records without one are two, even where they are equal. */
export function hasIdentity({ row, schema }: Pick<Rejection, 'row' | 'schema'>): boolean {
  return (
    schema.key.length > 0 &&
    schema.key.every((name) => isGiven(row[schema.columns.findIndex((column) => column.name === name)]))
  );
}

function isGiven(value: Value | undefined): boolean {
  return value !== undefined && value !== null && value !== UNCHANGED;
}

/** Whether nothing of the record was cut off. */
export function isWhole({ row, schema }: Rejection): boolean {
  return (
    row.length === schema.columns.length &&
    row.every((value) =>
      value instanceof Uint8Array
        ? value.length <= LONGEST_CELL / 2
        : typeof value !== 'string' || value.length <= LONGEST_CELL,
    )
  );
}

/** The shape as text, and its name. */
export function shapeText(schema: StreamSchema): { readonly digest: string; readonly text: string } {
  const text = JSON.stringify(schema);
  return { digest: createHash('sha256').update(text).digest('hex').slice(0, 32), text };
}

/** The row that a kept text stands for. A field that is not in it was left out by the source. */
export function rowOf(record: { readonly [column: string]: Json }, schema: StreamSchema): Row {
  return schema.columns.map((column) => {
    const value = Object.hasOwn(record, column.name) ? record[column.name] : undefined;
    return value === undefined ? UNCHANGED : typedValue(value, column);
  });
}

function typedValue(value: Json, { type }: Column): Value {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  const text = String(value);
  if (type === 'int64' && /^-?\d+$/.test(text)) return BigInt(text);
  if (type === 'bytes' && text.startsWith('\\x')) return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  return type === 'float64' || type === 'int32' ? Number(text) : text;
}

function jsonForm(value: Value): Json {
  if (typeof value === 'string') return shortened(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value);
  if (value instanceof Uint8Array) {
    const kept = value.subarray(0, LONGEST_CELL / 2);
    const text = `\\x${Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString('hex')}`;
    return kept.length < value.length ? `${text}… (${value.length} bytes in all)` : text;
  }
  return typeof value === 'boolean' ? value : null;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function shortened(text: string): string {
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}… (${text.length} characters in all)` : text;
}
