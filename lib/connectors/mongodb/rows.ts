import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import { REST, type StreamSchema } from '../../core/schema';
import { Bson, Elements } from './bson-elements';
import { cellReader, type ReadCell } from './cells';
import { documentJson, elementJson } from './extended-json';
import { ID, idReader } from './identifiers';

/** `native` of the column with whole documents. */
export const WHOLE_DOCUMENT = 'mongodb/document';

/** The code of a document whose `_id` does not fit into its column. */
export const UNFIT_ID = 'unfit_id';

/** A field of a document: where its value goes, or what is inside. */
interface Field {
  readonly cell?: { readonly index: number; readonly read: ReadCell };
  readonly inside?: Fields;
}

type Fields = Map<string, Field>;

/** Makes rows of documents, in the columns of one schema. */
export class RowReader {
  readonly #schema: StreamSchema;
  readonly #fields: Fields = new Map();
  readonly #rest: number;
  readonly #document: number;

  constructor(schema: StreamSchema) {
    this.#schema = schema;
    this.#rest = schema.columns.findIndex((column) => column.name === REST);
    this.#document = schema.columns.findIndex((column) => column.native === WHOLE_DOCUMENT);
    for (const [index, column] of schema.columns.entries()) {
      if (index === this.#rest || index === this.#document) continue;
      const read = column.name === ID ? idReader(column) : cellReader(column.type, column.native);
      place(this.#fields, column.name.split('.'), { index, read });
    }
  }

  /** The row of a document. What has no place in a column is in the column for the rest. */
  read(bytes: Buffer): Row {
    const row: Row = new Array(this.#schema.columns.length).fill(null);
    const rest = fill(new Elements(bytes), this.#fields, row);
    if (rest !== '' && this.#rest >= 0) row[this.#rest] = `{${rest}}`;
    if (this.#document >= 0) row[this.#document] = documentJson(bytes, 0, 'relaxed');
    if (row[0] === null) throw this.#unfitId(bytes);
    return row;
  }

  /** A row of which only the key is known, as it stands for a document that was deleted. */
  readKey(bytes: Buffer): Row {
    return this.read(bytes).map((cell, index) => (index === 0 ? cell : null));
  }

  #unfitId(bytes: Buffer): Fault {
    const { stream, columns } = this.#schema;
    const id = idOf(bytes);
    if (id === undefined) {
      return new Fault('data', 'no_id', `reading ${stream}: a document has no _id`, {
        hint: 'A view must keep _id. Change it, or leave it out by "collections".',
      });
    }
    const expected = columns[0]?.native.replace('mongodb/', '');
    return new Fault('data', UNFIT_ID, `reading ${stream}: _id ${id} is none of type ${expected}, as all others were`, {
      hint: 'The next sync finds the new type of _id. Accept it, or remove the document.',
    });
  }
}

function place(fields: Fields, [first = '', ...inner]: readonly string[], cell: NonNullable<Field['cell']>): void {
  if (inner.length === 0) {
    fields.set(first, { ...fields.get(first), cell });
    return;
  }
  const known = fields.get(first);
  const inside: Fields = known?.inside ?? new Map();
  fields.set(first, { ...known, inside });
  place(inside, inner, cell);
}

/** Fills cells, and gives what is left as members of a JSON object. */
function fill(elements: Elements, fields: Fields, row: Row): string {
  let rest = '';
  while (elements.next()) {
    const left = fillOne(elements, fields.get(elements.name), row);
    if (left !== '') rest += `${rest === '' ? '' : ','}${elements.nameJson}:${left}`;
  }
  return rest;
}

function fillOne(elements: Elements, field: Field | undefined, row: Row): string {
  const { bytes, type, start } = elements;
  if (field === undefined) return elementJson(elements, 'relaxed');
  if (type === Bson.Null && field.cell?.index !== 0) return '';
  if (field.inside && type === Bson.Document) return fillInside(new Elements(bytes, start), field.inside, row);
  const value = field.cell?.read(bytes, type, start);
  // A name that a document has twice: the first is in the column.
  if (field.cell === undefined || value === undefined || row[field.cell.index] !== null) {
    return field.cell?.index === 0 ? '' : elementJson(elements, 'relaxed');
  }
  row[field.cell.index] = value;
  return '';
}

function fillInside(elements: Elements, inside: Fields, row: Row): string {
  const { end } = elements;
  const rest = fill(elements, inside, row);
  const isEmpty = elements.end === end;
  return rest === '' && !isEmpty ? '' : `{${rest}}`;
}

/** `_id` of a document as canonical Extended JSON. */
export function idOf(bytes: Buffer): string | undefined {
  return fieldJson(bytes, ID);
}

/** A field of the first level, or `outer.inner`, as canonical Extended JSON. */
export function fieldJson(bytes: Buffer, path: string): string | undefined {
  const elements = findField(new Elements(bytes), path.split('.'));
  return elements && elementJson(elements, 'canonical');
}

function findField(elements: Elements, [first = '', ...inner]: readonly string[]): Elements | undefined {
  while (elements.next()) {
    if (elements.name !== first) continue;
    if (inner.length === 0) return elements;
    return elements.type === Bson.Document ? findField(new Elements(elements.bytes, elements.start), inner) : undefined;
  }
  return undefined;
}
