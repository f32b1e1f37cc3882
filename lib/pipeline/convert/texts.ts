import type { Conversion } from '../../core/transformations';
import { type Convert, FAILED, type MakeConverter } from './converter';

/** `string`: the value as text. Of JSON, a text in it as it is, all else as JSON. */
export const toText: MakeConverter = (options, from) => {
  const problem = 'is not text in that encoding';
  if (from.type === 'text') return { type: 'text', problem };
  if (from.type === 'bytes') return { type: 'text', problem, convert: decoder(options) };
  if (from.type === 'json') return { type: 'text', problem, convert: (value) => jsonText(String(value)) };
  return { type: 'text', problem, convert: (value) => String(value) };
};

function jsonText(json: string): string | null {
  const text = json.trim();
  if (text === 'null') return null;
  return text.startsWith('"') ? (JSON.parse(text) as string) : json;
}

function decoder({ encoding = 'utf8' }: Conversion): Convert {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (value) => {
    if (!(value instanceof Uint8Array)) return FAILED;
    if (encoding !== 'utf8') return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(encoding);
    try {
      return utf8.decode(value);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return FAILED;
      throw error;
    }
  };
}

/** `json`: a text that holds JSON, or any other value as JSON. */
export const toJson: MakeConverter = (_options, from) => {
  const problem = 'is not JSON';
  if (from.type === 'json') return { type: 'json', problem };
  if (from.type === 'bytes') return undefined;
  if (from.type === 'text') return { type: 'json', problem, convert: (value) => checkedJson(String(value)) };
  if (from.type === 'decimal' || from.type === 'float64') return { type: 'json', problem, convert: jsonNumber };
  const isPlain = from.type === 'bool' || from.type === 'int32' || from.type === 'int64';
  return { type: 'json', problem, convert: (value) => (isPlain ? String(value) : JSON.stringify(String(value))) };
};

/** JSON has no NaN and no infinity. */
const jsonNumber: Convert = (value) => (/^-?[\d.]+(e[+-]?\d+)?$/.test(String(value)) ? String(value) : FAILED);

function checkedJson(text: string): string | null | typeof FAILED {
  if (text.trim() === '') return null;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return FAILED; // nothing else than text that is no JSON can throw
  }
}

const UUID = /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/;

/** `uuid`: with or without dashes and braces, in any case; or 16 bytes. */
export const toUuid: MakeConverter = (_options, from) => {
  const problem = 'is not a UUID';
  if (from.type === 'uuid') return { type: 'uuid', problem };
  if (from.type !== 'text' && from.type !== 'json' && from.type !== 'bytes') return undefined;
  const convert: Convert = (value) => {
    const text = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
    const match = UUID.exec(text.trim().toLowerCase());
    return match === null ? FAILED : match.slice(1).join('-');
  };
  return { type: 'uuid', convert, problem };
};

const HEX = /^(?:\\x|0x)?((?:[0-9a-f]{2})*)$/i;
const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?$/;

/** `bytes`: out of text in an encoding. */
export const toBytes: MakeConverter = ({ encoding = 'utf8' }, from) => {
  const problem = `is not ${encoding}`;
  if (from.type === 'bytes') return { type: 'bytes', problem };
  if (from.type !== 'text') return undefined;
  const convert: Convert = (value) => {
    const text = String(value);
    if (encoding === 'utf8') return Buffer.from(text, 'utf8');
    if (encoding === 'hex') {
      const digits = HEX.exec(text.trim())?.[1];
      return digits === undefined ? FAILED : Buffer.from(digits, 'hex');
    }
    const compact = text.replace(/\s/g, '');
    return BASE64.test(compact) ? Buffer.from(compact, 'base64') : FAILED;
  };
  return { type: 'bytes', convert, problem };
};
