import { Binary, BSON, BSONSymbol, Code, DBRef, Decimal128, type Document, Long, ObjectId, UUID } from 'mongodb';
import { documentJson } from '../../../../lib/connectors/mongodb/extended-json';
import { infer } from '../../../../lib/connectors/mongodb/infer';
import { fieldJson, RowReader } from '../../../../lib/connectors/mongodb/rows';
import { type Column, type ColumnType, REST, type StreamSchema } from '../../../../lib/core/schema';

const oid = '0123456789abcdef01234567';
const bytesOf = (document: Document) => Buffer.from(BSON.serialize(document, { ignoreUndefined: false }));
const json = (document: Document) => documentJson(bytesOf(document), 0, 'relaxed');

function schemaOf(columns: readonly (readonly [name: string, type: ColumnType])[]): StreamSchema {
  const all: Column[] = columns.map(([name, type]) => ({ name, type, nullable: true, native: `mongodb/${type}` }));
  const rest: Column = { name: REST, type: 'json', nullable: true, native: 'mongodb/json' };
  const id: Column = { name: '_id', type: 'int64', nullable: false, native: 'mongodb/long' };
  return { stream: 's', columns: [id, ...all, rest], key: ['_id'] };
}

/** One element of BSON as bytes, for what the driver does not write. */
function element(type: number, name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value]);
}

function documentOf(...elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat([...elements, Buffer.of(0)]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(body.length + 4);
  return Buffer.concat([size, body]);
}

const id = element(0x10, '_id', Buffer.of(1, 0, 0, 0));
const string = (bytes: Buffer) => {
  const size = Buffer.alloc(4);
  size.writeInt32LE(bytes.length + 1);
  return Buffer.concat([size, bytes, Buffer.of(0)]);
};

describe('Extended JSON', () => {
  it.each([
    [{ v: new Binary(Buffer.of(1), 5) }, '{"v":{"$binary":{"base64":"AQ==","subType":"05"}}}'],
    [{ v: new Code('a"b') }, '{"v":{"$code":"a\\"b"}}'],
    [{ v: new Code('f', { n: 1 }) }, '{"v":{"$code":"f","$scope":{"n":1}}}'],
    [{ v: new BSONSymbol('s') }, '{"v":{"$symbol":"s"}}'],
    [{ v: new DBRef('c', new ObjectId(oid)) }, `{"v":{"$ref":"c","$id":{"$oid":"${oid}"}}}`],
    [{ v: 1e21, w: 1e-7, x: 0.1 }, '{"v":1e+21,"w":1e-7,"x":0.1}'],
    [{ 'a"': { '': [] } }, '{"a\\"":{"":[]}}'],
  ])('writes %j', (document, text) => {
    expect(json(document)).toBe(text);
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it('writes what the driver reads again as the same', () => {
    const document = { a: [new UUID(), new ObjectId(), Long.MIN_VALUE, 1.5, 'x', null, new Date(-5)], b: { c: true } };
    const text = documentJson(bytesOf(document), 0, 'canonical');
    expect(text).toBe(BSON.EJSON.stringify(document, { relaxed: false }));
  });

  it('writes the old types', () => {
    const pointer = Buffer.concat([string(Buffer.from('db.c')), Buffer.from(oid, 'hex')]);
    const bytes = documentOf(element(0x06, 'u', Buffer.alloc(0)), element(0x0c, 'p', pointer));
    expect(documentJson(bytes, 0, 'relaxed')).toBe(
      `{"u":{"$undefined":true},"p":{"$dbPointer":{"$ref":"db.c","$id":{"$oid":"${oid}"}}}}`,
    );
  });
});

describe('rows', () => {
  const broken = Buffer.of(0x61, 0xff);

  it('keep bytes that are no text, the second of two equal names, and dates of no calendar', () => {
    const reader = new RowReader(
      schemaOf([
        ['t', 'text'],
        ['n', 'int64'],
        ['d', 'timestamptz'],
      ]),
    );
    const far = Buffer.alloc(8);
    far.writeBigInt64LE(2n ** 62n);
    const bytes = documentOf(
      id,
      element(0x02, 't', string(broken)),
      element(0x10, 'n', Buffer.of(1, 0, 0, 0)),
      element(0x10, 'n', Buffer.of(2, 0, 0, 0)),
      element(0x09, 'd', far),
    );
    const rest = `{"t":{"$binary":{"base64":"Yf8=","subType":"00"}},"n":2,"d":{"$date":{"$numberLong":"${2n ** 62n}"}}}`;
    expect(reader.read(bytes)).toEqual([1n, null, 1n, null, rest]);
  });

  it('keep a replacement character that is a text of its own', () => {
    const reader = new RowReader(schemaOf([['t', 'text']]));
    expect(reader.read(bytesOf({ _id: 1, t: 'a\ufffd' }))).toEqual([1n, 'a\ufffd', null]);
  });

  it('hold numbers only where nothing is lost', () => {
    const reader = new RowReader(
      schemaOf([
        ['f', 'float64'],
        ['i', 'int64'],
      ]),
    );
    const lossy = { _id: 1, f: Long.fromString('9007199254740993'), i: 1.5 };
    expect(reader.read(bytesOf(lossy))).toEqual([1n, null, null, '{"f":9007199254740993,"i":1.5}']);
    const exact = { _id: 1, f: Long.fromString('9007199254740992'), i: -4e15 };
    expect(reader.read(bytesOf(exact))).toEqual([1n, 2 ** 53, -4_000_000_000_000_000n, null]);
  });

  it('have decimals as the driver reads them, without exponent', () => {
    const reader = new RowReader(schemaOf([['d', 'decimal']]));
    const texts = [
      '0',
      '-0',
      '1.10',
      '-0.001',
      '123E-3',
      '1E+2',
      '-12E-40',
      '9'.repeat(34),
      'NaN',
      '-Infinity',
      '0E-3',
    ];
    const read = texts.map((text) => reader.read(bytesOf({ _id: 1, d: Decimal128.fromString(text) }))[1]);
    expect(read).toEqual([
      '0',
      '-0',
      '1.10',
      '-0.001',
      '0.123',
      '100',
      `-0.${'0'.repeat(38)}12`,
      '9'.repeat(34),
      'NaN',
      '-Infinity',
      '0.000',
    ]);
  });

  it('know names apart that fall into one place', () => {
    const names = Array.from({ length: 3000 }, (_, index) => `name ${index} é`);
    const document = Object.fromEntries(names.map((name, index) => [name, index]));
    expect(json(document)).toBe(JSON.stringify(document));
    expect(json({ ['x'.repeat(200)]: 1 })).toBe(`{"${'x'.repeat(200)}":1}`);
  });

  it('refuse a type that BSON does not have', () => {
    const reader = new RowReader(schemaOf([]));
    expect(() => reader.read(documentOf(id, element(0x55, 'v', Buffer.alloc(1))))).toThrow(
      expect.objectContaining({ kind: 'data', code: 'unknown_bson_type' }),
    );
  });

  it('give fields by path', () => {
    const bytes = bytesOf({ a: { b: { c: 'x' } }, d: [1] });
    expect([fieldJson(bytes, 'a.b.c'), fieldJson(bytes, 'a.c'), fieldJson(bytes, 'd.0')]).toEqual([
      '"x"',
      undefined,
      undefined,
    ]);
  });
});

describe('columns', () => {
  const columns = (documents: readonly Document[]) =>
    infer('s', documents.map(bytesOf), {}).schema.columns.map(({ name, type }) => `${name} ${type}`);

  it.each([
    [[{ v: 1 }, { v: Long.MAX_VALUE }], 'int64'],
    [[{ v: 1 }, { v: 1.5 }], 'float64'],
    [[{ v: 'a' }, { v: null }], 'text'],
    [[{ v: new UUID() }, { v: new Binary(Buffer.of(1)) }], 'json'],
    [[{ v: new Binary(Buffer.of(1), 5) }], 'json'],
    [[{ v: { a: 1 } }, { v: 'a' }], 'json'],
  ])('of %j are %s', (documents, type) => {
    expect(columns(documents)).toEqual(['_id text', `v ${type}`, `${REST} json`]);
  });

  it('are bounded, and named by what can be a name', () => {
    const fields = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`f${index}`, index]));
    const found = infer('s', [bytesOf({ 'a.b': 1, '': 1, [REST]: 1, ...fields })], {});
    expect([found.schema.columns.length, found.leftOut]).toEqual([302, 100]);
    expect(found.schema.columns[1]?.name).toBe('f0');
  });
});
