import { BSON, type Document } from 'mongodb';
import { Fault } from '../../core/fault';
import { ID } from './identifiers';

/** A range of identifiers in BSON's order over all types, as canonical Extended JSON; without a bound it is open. */
export interface IdRange {
  /** All after this one. */
  readonly after?: string;
  /** All up to this one, itself included. */
  readonly upTo?: string;
}

/** A query for a range. */
export interface RangeFilter {
  readonly filter: Document;
  /** Of a type that not every server knows; one that does not has no value of it. */
  readonly seldom: boolean;
}

/** Types that are compared with each other; comparisons in a query never leave them. */
interface Bracket {
  /** Absent for strings, which are asked for by the lowest of them: symbols stand among them. */
  readonly types?: readonly string[];
  /** Keys of Extended JSON by which its values are known. */
  readonly marks: readonly string[];
  /** There is only one value. */
  readonly single?: true;
  readonly seldom?: true;
}

// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ without what _id cannot be.
const BRACKETS: readonly Bracket[] = [
  { types: ['minKey'], marks: ['$minKey'], single: true },
  { types: ['null'], marks: ['null'], single: true },
  {
    types: ['int', 'long', 'double', 'decimal'],
    marks: ['$numberInt', '$numberLong', '$numberDouble', '$numberDecimal'],
  },
  { marks: ['string', '$symbol'] },
  { types: ['object'], marks: ['object'] },
  { types: ['binData'], marks: ['$binary'] },
  { types: ['objectId'], marks: ['$oid'] },
  { types: ['bool'], marks: ['boolean'] },
  { types: ['date'], marks: ['$date'] },
  { types: ['timestamp'], marks: ['$timestamp'] },
  { types: ['dbPointer'], marks: ['$dbPointer'], seldom: true },
  { types: ['javascript'], marks: ['$code'], seldom: true },
  { types: ['javascriptWithScope'], marks: ['$scope'], seldom: true },
  { types: ['maxKey'], marks: ['$maxKey'], single: true },
];
const NUMBERS = BRACKETS.findIndex(({ types }) => types?.includes('double'));
const NOT_A_NUMBER = 'NaN';
const ANY_STRING = { $gte: '' };

/** The value that canonical Extended JSON stands for, as the driver sends it. */
export function bsonValue(json: string): unknown {
  return BSON.EJSON.parse(json, { relaxed: false });
}

/** The place of a value's bracket among all. */
export function bracketOf(json: string): number {
  const marks = marksOf(JSON.parse(json));
  const index = BRACKETS.findLastIndex((bracket) => bracket.marks.some((mark) => marks.includes(mark)));
  if (index < 0) throw new Fault('bug', 'unknown_order', `${json} has no place in the order of BSON`);
  return index;
}

function marksOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (typeof value !== 'object') return [typeof value];
  const keys = Object.keys(value);
  return keys[0]?.startsWith('$') ? keys : ['object'];
}

/** A condition for a field to be in a bracket. */
export function within(bracket: number): Document {
  const types = BRACKETS[bracket]?.types;
  return types === undefined ? ANY_STRING : { $type: [...types] };
}

/** Conditions of which a field meets one where its value is in none but this bracket. Seldom types are left out. */
export function without(bracket: number): Document[] {
  const others = BRACKETS.filter(({ seldom }, index) => index !== bracket && !seldom);
  return [{ $type: [...others.flatMap(({ types = [] }) => types), 'array', 'regex'] }, ANY_STRING];
}

/** Filters that give a range, one after the other, each sorted by `_id`. */
export function rangeFilters({ after, upTo }: IdRange): RangeFilter[] {
  if (after === undefined && upTo === undefined) return [{ filter: {}, seldom: false }];
  const first = after === undefined ? -1 : bracketOf(after);
  const last = upTo === undefined ? BRACKETS.length : bracketOf(upTo);
  if (after !== undefined && upTo !== undefined && first === last) return sameBracket(first, after, upTo);
  return [
    ...(after === undefined ? [] : greater(first, after)),
    ...between(first + 1, last),
    ...(upTo === undefined ? [] : [filterOf(last, lowerOrEqual(last, upTo))]),
  ];
}

/** Whole brackets, as many in one query as may be. */
function between(first: number, end: number): RangeFilter[] {
  const groups: { types: string[]; strings: boolean; seldom: boolean }[] = [];
  for (const { types, seldom = false } of BRACKETS.slice(first, end)) {
    const last = groups.at(-1);
    const group = last && !seldom && !last.seldom ? last : { types: [], strings: false, seldom };
    if (group !== last) groups.push(group);
    if (types === undefined) group.strings = true;
    else group.types.push(...types);
  }
  return groups.map(({ types, strings, seldom }) => {
    const conditions = [...(types.length > 0 ? [{ $type: types }] : []), ...(strings ? [ANY_STRING] : [])];
    const filters = conditions.map((condition) => ({ [ID]: condition }));
    return { filter: filters.length === 1 ? (filters[0] ?? {}) : { $or: filters }, seldom };
  });
}

function filterOf(bracket: number, filter: Document): RangeFilter {
  return { filter, seldom: BRACKETS[bracket]?.seldom ?? false };
}

function sameBracket(bracket: number, after: string, upTo: string): RangeFilter[] {
  if (BRACKETS[bracket]?.single || isNotANumber(upTo)) return [];
  return [filterOf(bracket, { [ID]: { ...higherThan(after), $lte: bsonValue(upTo) } })];
}

function greater(bracket: number, after: string): RangeFilter[] {
  return BRACKETS[bracket]?.single ? [] : [filterOf(bracket, { [ID]: higherThan(after) })];
}

/** NaN is the lowest number, and compares with none. */
function higherThan(after: string): Document {
  return isNotANumber(after) ? { $gte: Number.NEGATIVE_INFINITY } : { $gt: bsonValue(after) };
}

function lowerOrEqual(bracket: number, upTo: string): Document {
  if (BRACKETS[bracket]?.single) return { [ID]: within(bracket) };
  if (isNotANumber(upTo)) return { [ID]: Number.NaN };
  const upper = { [ID]: { $lte: bsonValue(upTo) } };
  return bracket === NUMBERS ? { $or: [{ [ID]: Number.NaN }, upper] } : upper;
}

function isNotANumber(json: string): boolean {
  return json.includes(`"${NOT_A_NUMBER}"`) && /^\{"\$number/.test(json);
}
