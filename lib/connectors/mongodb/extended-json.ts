import { Bson, Elements } from './bson-elements';
import { binaryAt, decimalAt, objectIdAt, stringAt, stringBytes, subtypeAt } from './bson-values';

/**
 * `canonical` names the type of every value, for identifiers and positions. `relaxed` writes numbers as numbers, with all
 * their digits, and dates as ISO text; only whether a whole number had 32 or 64 bits is not told.
 */
export type JsonForm = 'canonical' | 'relaxed';

/** The value at `start` as MongoDB's Extended JSON (version 2). */
export function extendedJson(bytes: Buffer, type: number, start: number, form: JsonForm): string {
  switch (type) {
    case Bson.Double:
      return double(bytes.readDoubleLE(start), form);
    case Bson.String:
      return string(bytes, start);
    case Bson.Document:
      return documentJson(bytes, start, form);
    case Bson.Array:
      return arrayJson(bytes, start, form);
    case Bson.Binary:
      return binary(binaryAt(bytes, start), subtypeAt(bytes, start));
    case Bson.Undefined:
      return '{"$undefined":true}';
    case Bson.ObjectId:
      return `{"$oid":"${objectIdAt(bytes, start)}"}`;
    case Bson.Bool:
      return bytes[start] === 1 ? 'true' : 'false';
    case Bson.Date:
      return date(bytes.readBigInt64LE(start), form);
    case Bson.Null:
      return 'null';
    case Bson.Int:
      return form === 'relaxed' ? String(bytes.readInt32LE(start)) : `{"$numberInt":"${bytes.readInt32LE(start)}"}`;
    case Bson.Long:
      return form === 'relaxed'
        ? String(bytes.readBigInt64LE(start))
        : `{"$numberLong":"${bytes.readBigInt64LE(start)}"}`;
    case Bson.Decimal:
      return `{"$numberDecimal":"${decimalAt(bytes, start)}"}`;
    case Bson.Timestamp:
      return `{"$timestamp":{"t":${bytes.readUInt32LE(start + 4)},"i":${bytes.readUInt32LE(start)}}}`;
    case Bson.MinKey:
      return '{"$minKey":1}';
    case Bson.MaxKey:
      return '{"$maxKey":1}';
    default:
      return seldom(bytes, type, start, form);
  }
}

function seldom(bytes: Buffer, type: number, start: number, form: JsonForm): string {
  if (type === Bson.Regex) {
    const patternEnd = bytes.indexOf(0, start);
    const pattern = bytes.toString('utf8', start, patternEnd);
    const options = bytes.toString('utf8', patternEnd + 1, bytes.indexOf(0, patternEnd + 1));
    return `{"$regularExpression":{"pattern":${JSON.stringify(pattern)},"options":${JSON.stringify(options)}}}`;
  }
  if (type === Bson.Symbol) return `{"$symbol":${string(bytes, start)}}`;
  if (type === Bson.Code) return `{"$code":${string(bytes, start)}}`;
  if (type === Bson.CodeWithScope) {
    const code = start + 4;
    const scope = code + 4 + bytes.readInt32LE(code);
    return `{"$code":${string(bytes, code)},"$scope":${documentJson(bytes, scope, form)}}`;
  }
  const id = start + 4 + bytes.readInt32LE(start);
  return `{"$dbPointer":{"$ref":${string(bytes, start)},"$id":{"$oid":"${objectIdAt(bytes, id)}"}}}`;
}

/** A whole document. */
export function documentJson(bytes: Buffer, start: number, form: JsonForm): string {
  const elements = new Elements(bytes, start);
  let members = '';
  while (elements.next()) {
    members += `${members === '' ? '' : ','}${elements.nameJson}:${elementJson(elements, form)}`;
  }
  return `{${members}}`;
}

/** The value of the element that a walk is at. */
export function elementJson(elements: Elements, form: JsonForm): string {
  return extendedJson(elements.bytes, elements.type, elements.start, form);
}

function arrayJson(bytes: Buffer, start: number, form: JsonForm): string {
  const elements = new Elements(bytes, start);
  let members = '';
  while (elements.next()) members += (members === '' ? '' : ',') + elementJson(elements, form);
  return `[${members}]`;
}

// What is no UTF-8 has no form as a text in JSON.
function string(bytes: Buffer, start: number): string {
  const text = stringAt(bytes, start);
  return text === undefined ? binary(stringBytes(bytes, start), 0) : JSON.stringify(text);
}

function binary(content: Buffer, subtype: number): string {
  return `{"$binary":{"base64":"${content.toString('base64')}","subType":"${subtype.toString(16).padStart(2, '0')}"}}`;
}

function double(value: number, form: JsonForm): string {
  const text = doubleText(value);
  return form === 'relaxed' && Number.isFinite(value) ? text : `{"$numberDouble":"${text}"}`;
}

/** With a fraction or an exponent, so that it is never taken for a whole number. */
function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const FIRST_ISO = 0n;
const AFTER_ISO = 253_402_300_800_000n;

function date(milliseconds: bigint, form: JsonForm): string {
  if (form === 'canonical' || milliseconds < FIRST_ISO || milliseconds >= AFTER_ISO) {
    return `{"$date":{"$numberLong":"${milliseconds}"}}`;
  }
  return `{"$date":"${new Date(Number(milliseconds)).toISOString()}"}`;
}
