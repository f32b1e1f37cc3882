import { Fault } from '../../core/fault';
import { type Name, nameAt } from './bson-names';

/** The types of BSON by the byte that stands for them: https://bsonspec.org/spec.html */
export const Bson = {
  Double: 0x01,
  String: 0x02,
  Document: 0x03,
  Array: 0x04,
  Binary: 0x05,
  Undefined: 0x06,
  ObjectId: 0x07,
  Bool: 0x08,
  Date: 0x09,
  Null: 0x0a,
  Regex: 0x0b,
  DbPointer: 0x0c,
  Code: 0x0d,
  Symbol: 0x0e,
  CodeWithScope: 0x0f,
  Int: 0x10,
  Timestamp: 0x11,
  Long: 0x12,
  Decimal: 0x13,
  MinKey: 0xff,
  MaxKey: 0x7f,
} as const;

const HEADER = 4;
const NO_NAME: Name = { text: '', json: '""' };
const OBJECT_ID = 12;

/**
 * Walks over the elements of one document as it came off the wire, without decoding what nobody asks for. The driver's
 * own decoding would lose which kind of number it was.
 */
export class Elements {
  readonly bytes: Buffer;
  type = 0;
  /** Where the value lies in `bytes`. */
  start: number;
  end: number;
  #name: Name = NO_NAME;
  readonly #last: number;

  constructor(bytes: Buffer, start = 0) {
    this.bytes = bytes;
    this.start = start;
    this.end = start + HEADER;
    this.#last = start + bytes.readInt32LE(start) - 1;
  }

  get name(): string {
    return this.#name.text;
  }

  /** The name in quotes, as in JSON. */
  get nameJson(): string {
    return this.#name.json;
  }

  /** Goes to the next element; false at the end. */
  next(): boolean {
    const { bytes } = this;
    if (this.end >= this.#last) return false;
    this.type = bytes[this.end] ?? 0;
    let nameEnd = this.end + 1;
    while (nameEnd < this.#last && bytes[nameEnd] !== 0) nameEnd++;
    this.#name = nameAt(bytes, this.end + 1, nameEnd);
    this.start = nameEnd + 1;
    this.end = this.start + sizeOf(bytes, this.type, this.start);
    return true;
  }
}

function sizeOf(bytes: Buffer, type: number, start: number): number {
  switch (type) {
    case Bson.Double:
    case Bson.Date:
    case Bson.Timestamp:
    case Bson.Long:
      return 8;
    case Bson.Int:
      return 4;
    case Bson.Bool:
      return 1;
    case Bson.Undefined:
    case Bson.Null:
    case Bson.MinKey:
    case Bson.MaxKey:
      return 0;
    case Bson.ObjectId:
      return OBJECT_ID;
    case Bson.Decimal:
      return 16;
    case Bson.String:
    case Bson.Code:
    case Bson.Symbol:
      return HEADER + bytes.readInt32LE(start);
    case Bson.Document:
    case Bson.Array:
    case Bson.CodeWithScope:
      return bytes.readInt32LE(start);
    case Bson.Binary:
      return HEADER + 1 + bytes.readInt32LE(start);
    case Bson.DbPointer:
      return HEADER + bytes.readInt32LE(start) + OBJECT_ID;
    case Bson.Regex:
      return bytes.indexOf(0, bytes.indexOf(0, start) + 1) + 1 - start;
    default:
      throw new Fault('data', 'unknown_bson_type', `a value has the type ${type}, which BSON does not have`, {
        hint: 'The document is damaged; write it again.',
      });
  }
}
