import type { Value } from '../../core/batch';
import type { Column, ColumnType } from '../../core/schema';
import type { DocumentDialect } from '../shared/documents/dialect';
import { plainDecimal } from '../shared/documents/plain-decimal';

/** The key of every database. */
export const ID: Column = { name: '_id', type: 'text', nullable: false, native: 'couchdb/string' };

/** How members of documents, as they are written, become cells. */
export const members: DocumentDialect<string> = { name: 'couchdb', shapeOf, cell, json: (raw) => raw };

function shapeOf(raw: string): readonly [type: ColumnType, native: string] | undefined {
  switch (raw[0]) {
    case '"':
      return ['text', 'string'];
    case '{':
    case '[':
      return ['json', 'json'];
    case 't':
    case 'f':
      return ['bool', 'boolean'];
    case 'n':
      return undefined;
    default:
      return ['decimal', 'number'];
  }
}

function cell(raw: string, type: ColumnType): Value | undefined {
  if (raw === 'null') return null;
  if (type === 'json') return raw;
  if (shapeOf(raw)?.[0] !== type) return undefined;
  switch (type) {
    case 'text':
      return JSON.parse(raw) as string;
    case 'bool':
      return raw === 'true';
    default:
      return plainDecimal(raw);
  }
}

/** Whether an id is of a design document: views and the like, no data. */
export function isDesign(id: string): boolean {
  return id.startsWith('_design/');
}
