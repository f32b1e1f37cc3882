import type { Column, ColumnType } from '../../core/schema';
import { Bson, type Elements } from './bson-elements';
import { subtypeAt } from './bson-values';
import { OBJECT_ID } from './cells';

/** What a sample shows of one field. */
export interface Seen {
  readonly path: string;
  readonly kinds: Set<Kind>;
  /** In how many documents it had a value. */
  count: number;
  /** All dates were midnights so far. */
  midnights: boolean;
  /** Fields of the documents that it holds, where they may become columns. */
  readonly inside?: Map<string, Seen>;
}

/** The types of BSON, as far as columns tell them apart. */
export type Kind =
  | 'int'
  | 'long'
  | 'double'
  | 'decimal'
  | 'string'
  | 'bool'
  | 'date'
  | 'objectId'
  | 'uuid'
  | 'bytes'
  | 'document'
  | 'other';

const KINDS: { readonly [type: number]: Kind } = {
  [Bson.Double]: 'double',
  [Bson.String]: 'string',
  [Bson.Document]: 'document',
  [Bson.ObjectId]: 'objectId',
  [Bson.Bool]: 'bool',
  [Bson.Date]: 'date',
  [Bson.Int]: 'int',
  [Bson.Long]: 'long',
  [Bson.Decimal]: 'decimal',
};

/** The kind of the value that a walk is at. */
export function kindOf({ bytes, type, start }: Elements): Kind {
  if (type === Bson.Binary) {
    const subtype = subtypeAt(bytes, start);
    return subtype === 4 && bytes.readInt32LE(start) === 16 ? 'uuid' : subtype === 0 ? 'bytes' : 'other';
  }
  return KINDS[type] ?? 'other';
}

type Shape = readonly [type: ColumnType, native: string];

const SINGLE: { readonly [K in Kind]?: Shape } = {
  string: ['text', 'mongodb/string'],
  bool: ['bool', 'mongodb/bool'],
  date: ['timestamptz', 'mongodb/date'],
  objectId: ['text', OBJECT_ID],
  uuid: ['uuid', 'mongodb/uuid'],
  bytes: ['bytes', 'mongodb/binData'],
};
const JSON_SHAPE: Shape = ['json', 'mongodb/json'];
const NUMBERS: readonly (readonly [kinds: readonly Kind[], shape: Shape])[] = [
  [
    ['int', 'long'],
    ['int64', 'mongodb/long'],
  ],
  [
    ['int', 'long', 'double'],
    ['float64', 'mongodb/double'],
  ],
  [
    ['int', 'long', 'decimal'],
    ['decimal', 'mongodb/decimal'],
  ],
];

/** The column for values of these kinds; kinds that have no common type become JSON. */
export function columnOf({ path, kinds }: Pick<Seen, 'path' | 'kinds'>): Column {
  const [only] = kinds;
  const single = kinds.size === 1 && only ? SINGLE[only] : undefined;
  const number = NUMBERS.find(([allowed]) => [...kinds].every((kind) => allowed.includes(kind)))?.[1];
  const [type, native] = single ?? number ?? JSON_SHAPE;
  return { name: path, type, nullable: true, native };
}
