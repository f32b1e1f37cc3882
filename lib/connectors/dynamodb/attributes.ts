import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import type { DocumentDialect } from '../shared/documents/dialect';
import { plainDecimal } from '../shared/documents/plain-decimal';
import { objectJson } from '../shared/documents/rows';

type Shape = readonly [type: ColumnType, native: string];

/** Columns for the types that a key can have. */
export const SCALARS: { readonly [type: string]: Shape } = {
  S: ['text', 'S'],
  N: ['decimal', 'N'],
  B: ['bytes', 'B'],
};
const BOOLEAN: Shape = ['bool', 'BOOL'];
const NESTED: Shape = ['json', 'json'];

/** How attributes become cells: numbers keep all their 38 digits, whatever is nested is JSON. */
export const attributes: DocumentDialect<AttributeValue> = { name: 'dynamodb', shapeOf, cell, json };

function shapeOf(value: AttributeValue): Shape | undefined {
  if (value.NULL !== undefined) return undefined;
  if (value.BOOL !== undefined) return BOOLEAN;
  return SCALARS[Object.keys(value)[0] ?? ''] ?? NESTED;
}

function cell(value: AttributeValue, type: ColumnType): Value | undefined {
  if (value.NULL !== undefined) return null;
  switch (type) {
    case 'text':
      return value.S;
    case 'decimal':
      return value.N === undefined ? undefined : plainDecimal(value.N);
    case 'bytes':
      return value.B;
    case 'bool':
      return value.BOOL;
    default:
      return json(value);
  }
}

/**
 * Maps with their names in order; sets as lists in order; binary as in MongoDB's Extended JSON, so that it is not taken for
 * a text. Equal values have equal texts, though DynamoDB gives maps and sets in any order.
 */
function json(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return plainDecimal(value.N);
  if (value.BOOL !== undefined) return String(value.BOOL);
  if (value.M !== undefined) return objectJson(Object.entries(value.M), { json });
  if (value.L !== undefined) return list(value.L.map(json));
  if (value.B !== undefined) return binary(value.B);
  if (value.SS !== undefined) return list([...value.SS].sort().map((text) => JSON.stringify(text)));
  if (value.NS !== undefined) return list(value.NS.map(plainDecimal).sort(byValue));
  return value.BS === undefined ? 'null' : list(value.BS.map(binary).sort());
}

function list(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

function binary(bytes: Uint8Array): string {
  return `{"$binary":{"base64":"${Buffer.from(bytes).toString('base64')}","subType":"00"}}`;
}

// Numbers that differ only behind the 17th digit are equal as doubles: then by their texts.
function byValue(left: string, right: string): number {
  return Number(left) - Number(right) || (left < right ? -1 : 1);
}
