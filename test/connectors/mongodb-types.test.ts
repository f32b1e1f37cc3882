import {
  Binary,
  BSONRegExp,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import type { Value } from '../../lib/core/batch';
import { openSource } from '../contracts/open-source';
import { type Databases, makeDatabases, openEndToEnd } from '../e2e/home';
import { mongoServer } from '../servers/mongo-server';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf } from './mongodb';

const DATABASE = 'types';
const oid = '0123456789abcdef01234567';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const nines = '9'.repeat(34);

/** Fields by the type of their column: as they are stored, as they have to be read, and as PostgreSQL shows them. */
const VALUES: { readonly [column: string]: readonly (readonly [stored: unknown, cell: Value, shown?: string])[] } = {
  whole: [
    [new Int32(2_147_483_647), 2_147_483_647n],
    [new Int32(-2_147_483_648), -2_147_483_648n],
    [Long.MAX_VALUE, 9_223_372_036_854_775_807n],
    [Long.MIN_VALUE, -9_223_372_036_854_775_808n],
    [Long.fromString('9007199254740993'), 9_007_199_254_740_993n],
  ],
  real: [
    [new Double(Number.NaN), Number.NaN],
    [new Double(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
    [new Double(Number.NEGATIVE_INFINITY), Number.NEGATIVE_INFINITY],
    [new Double(-0), -0],
    [new Double(Number.MAX_VALUE), Number.MAX_VALUE, '1.7976931348623157e+308'],
    [new Double(5e-324), 5e-324],
    [new Int32(7), 7],
  ],
  exact: [
    [Decimal128.fromString(`${nines}E+6111`), `${nines}${'0'.repeat(6111)}`],
    [Decimal128.fromString('-1E-6176'), `-0.${'0'.repeat(6175)}1`],
    [Decimal128.fromString('1.10'), '1.10'],
    [Decimal128.fromString('NaN'), 'NaN'],
    [Decimal128.fromString('-Infinity'), '-Infinity'],
    [Decimal128.fromString('0E+3'), '0'],
    [Long.MAX_VALUE, '9223372036854775807'],
  ],
  words: [
    ['', ''],
    ['é 🙂 "\'\\ \t\n', 'é 🙂 "\'\\ \t\n'],
    ['x'.repeat(1 << 20), 'x'.repeat(1 << 20)],
  ],
  yes: [
    [true, true, 't'],
    [false, false, 'f'],
  ],
  at: [
    [new Date(0), '1970-01-01 00:00:00+00'],
    [new Date('9999-12-31T23:59:59.999Z'), '9999-12-31 23:59:59.999+00'],
    [new Date('0001-01-01T00:00:00Z'), '0001-01-01 00:00:00+00'],
    [new Date('-000043-03-15T12:00:00.120Z'), '0044-03-15 12:00:00.120+00 BC', '0044-03-15 12:00:00.12+00 BC'],
    [new Date(8_640_000_000_000_000), '275760-09-13 00:00:00+00'],
  ],
  object: [[new ObjectId(oid), oid]],
  unique: [[new UUID(uuid), uuid]],
  raw: [
    [new Binary(Buffer.of(0, 255, 10)), Uint8Array.of(0, 255, 10), '\\x00ff0a'],
    [new Binary(Buffer.alloc(0)), new Uint8Array(0), '\\x'],
  ],
  nested: [
    [{}, '{}'],
    [
      { deep: { n: new Double(1), i: new Int32(1), l: Long.MAX_VALUE, d: Decimal128.fromString('1.10') } },
      '{"deep":{"n":1.0,"i":1,"l":9223372036854775807,"d":{"$numberDecimal":"1.10"}}}',
    ],
    [[1.5, 'a"', null, true, []], '[1.5,"a\\"",null,true,[]]'],
    [new Date('2024-02-29T01:02:03.004Z'), '{"$date":"2024-02-29T01:02:03.004Z"}'],
    [[new Date(-1)], '[{"$date":{"$numberLong":"-1"}}]'],
    [[new ObjectId(oid)], `[{"$oid":"${oid}"}]`],
    [[Number.NaN], '[{"$numberDouble":"NaN"}]'],
    [new BSONRegExp('a"b', 'i'), '{"$regularExpression":{"pattern":"a\\"b","options":"i"}}'],
    [new Timestamp({ t: 7, i: 4_294_967_295 }), '{"$timestamp":{"t":7,"i":4294967295}}'],
    [new MinKey(), '{"$minKey":1}'],
    [new MaxKey(), '{"$maxKey":1}'],
  ],
};
const COLUMNS = Object.keys(VALUES);
const HEIGHT = Math.max(...Object.values(VALUES).map((values) => values.length));
const DOCUMENTS = Array.from({ length: HEIGHT }, (_, line): Document => {
  const fields = COLUMNS.flatMap((name) => (VALUES[name]?.[line] ? [[name, VALUES[name][line][0]]] : []));
  return { _id: new Int32(line), ...Object.fromEntries(fields) };
});
const cellsOf = (line: number) => COLUMNS.map((name) => VALUES[name]?.[line]?.[1] ?? null);
const shownOf = (line: number) =>
  COLUMNS.map((name) => {
    const [, cell = null, shown] = VALUES[name]?.[line] ?? [];
    if (cell === null || shown !== undefined) return shown ?? null;
    return Object.is(cell, -0) ? '-0' : String(cell);
  });

describeWithServer('types of MongoDB', mongoServer, (server) => {
  let client: MongoClient;
  beforeAll(async () => {
    client = new MongoClient(server().url);
    await client.db(DATABASE).collection('every_type').insertMany(DOCUMENTS);
  });
  afterAll(() => client?.close());

  const insert = (name: string, documents: Document[]) => client.db(DATABASE).collection(name).insertMany(documents);
  const read = async (collection: string, documents: object = {}) => {
    const config = { ...configOf(server(), DATABASE), documents };
    await using source = await openSource('mongodb', config);
    const schema = await source.schema(collection);
    const batches = await source.full(schema);
    return { schema, rows: batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : [])) };
  };
  const types = ({ schema }: Awaited<ReturnType<typeof read>>) =>
    Object.fromEntries(schema.columns.map(({ name, type }) => [name, type]));

  it('are read exactly, extremes included', async () => {
    const found = await read('every_type');
    expect(types(found)).toEqual({
      _id: 'int64',
      whole: 'int64',
      real: 'float64',
      exact: 'decimal',
      words: 'text',
      yes: 'bool',
      at: 'timestamptz',
      object: 'text',
      unique: 'uuid',
      raw: 'bytes',
      nested: 'json',
      _explorerio_rest: 'json',
    });
    const expected = DOCUMENTS.map((_, line) => [BigInt(line), ...cellsOf(line), null]);
    expect(found.rows).toEqual(expected);
  });

  it('are whole in one column, with dates beside it, where asked', async () => {
    const found = await read('every_type', { form: 'json' });
    expect(types(found)).toEqual({ _id: 'int64', at: 'timestamptz', document: 'json' });
    const [id, at, document] = found.rows[0] ?? [];
    expect([id, at]).toEqual([0n, '1970-01-01 00:00:00+00']);
    expect(document).toMatch(/^\{"_id":0,"whole":2147483647,"real":\{"\$numberDouble":"NaN"\},"exact":/);
  });

  it('that a column cannot hold are kept in the rest', async () => {
    await insert('unfit', [
      { _id: 1, a: 1, b: 'text' },
      { _id: 2, a: 2, b: 'text' },
      { _id: 3, a: 'three', b: new Binary(Buffer.of(1)), 'dotted.name': 1, later: [1] },
      { _id: 4, a: new Double(2.5), b: null, later: null },
      { _id: 5, a: new Double(4), b: 'text' },
      { _id: 6, a: 6, b: 'text' },
      { _id: 7, a: 7, b: 'text' },
    ]);
    const { rows } = await read('unfit', { sample: 4 });
    expect(rows).toEqual([
      [1n, 1n, 'text', null],
      [2n, 2n, 'text', null],
      [3n, null, null, '{"a":"three","b":{"$binary":{"base64":"AQ==","subType":"00"}},"dotted.name":1,"later":[1]}'],
      [4n, null, null, '{"a":2.5,"later":null}'],
      [5n, 4n, 'text', null],
      [6n, 6n, 'text', null],
      [7n, 7n, 'text', null],
    ]);
  });

  it('that conflict become JSON', async () => {
    await insert('mixed', [
      { _id: 1, a: 1 },
      { _id: 2, a: 'one' },
      { _id: 3, a: new Date(0) },
    ]);
    const { schema, rows } = await read('mixed');
    expect(schema.columns[1]).toMatchObject({ name: 'a', type: 'json' });
    expect(rows.map((row) => row[1])).toEqual(['1', '"one"', '{"$date":"1970-01-01T00:00:00.000Z"}']);
  });

  it('of nested documents become columns as deep as asked', async () => {
    await insert('deep', [
      { _id: 1, a: { b: { c: 1, 'x.y': 2 }, n: 'n' } },
      { _id: 2, a: { b: { c: 2 }, n: 5 } },
      { _id: 3, a: { b: {} } },
      { _id: 4, a: 'no document', e: { f: 1 } },
    ]);
    await insert('deep_alike', [
      { _id: 1, a: { b: { c: 1, 'x.y': 2 } } },
      { _id: 2, a: { b: 'unfit', c: 3 } },
      { _id: 3, a: {} },
    ]);
    const deep = await read('deep', { depth: 3 });
    expect(types(deep)).toEqual({ _id: 'int64', a: 'json', 'e.f': 'int64', _explorerio_rest: 'json' });
    const alike = await read('deep_alike', { depth: 2 });
    expect(types(alike)).toEqual({ _id: 'int64', 'a.b': 'json', 'a.c': 'int64', _explorerio_rest: 'json' });
    expect(alike.rows).toEqual([
      [1n, '{"c":1,"x.y":2}', null, null],
      [2n, '"unfit"', 3n, null],
      [3n, null, null, '{"a":{}}'],
    ]);
  });

  describeWithServer('after a sync into PostgreSQL', postgresql({ version: 18 }), (store) => {
    let databases: Databases;
    beforeAll(async () => {
      databases = await makeDatabases(store());
    });
    afterAll(() => databases?.close());

    it('are the same, value by value', async () => {
      const program = await openEndToEnd(databases.targetUrl);
      try {
        const { connection } = configOf(server(), DATABASE);
        await program.store({ name: 'docs', type: 'mongodb', connection, collections: ['every_type'] });
        const run = await program.sync('docs');
        expect(run).toMatchObject({ state: 'succeeded', rows: HEIGHT, quarantined: 0 });
        const list = COLUMNS.map((name) => `"${name}"`).join(', ');
        const { rows } = await databases.target.query({
          text: `select ${list} from docs.every_type order by _id`,
          rowMode: 'array',
        });
        // PostgreSQL writes JSON its own way, with the same values.
        const nested = COLUMNS.indexOf('nested');
        for (const [line, row] of rows.entries()) {
          const expected: (string | null)[] = shownOf(line);
          const { rows: shown } = await databases.target.query('select $1::jsonb as json', [expected[nested]]);
          expected[nested] = shown[0].json;
          expect(row).toEqual(expected);
        }
        expect(rows).toHaveLength(HEIGHT);
      } finally {
        await program.close();
      }
    });
  });
});

describeWithServer('identifiers of MongoDB', mongoServer, (server) => {
  const all: unknown[] = [
    new MinKey(),
    Number.NEGATIVE_INFINITY,
    new Double(1.5),
    new Int32(5),
    Decimal128.fromString('7.5'),
    Long.fromString('9007199254740993'),
    '',
    'a',
    '{"$oid":"x"}',
    { x: new Int32(1) },
    new UUID(uuid),
    new ObjectId(oid),
    false,
    true,
    new Date(0),
    new Timestamp({ t: 1, i: 1 }),
    new MaxKey(),
  ];
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(server().url);
  });
  afterAll(() => client?.close());

  const insert = (name: string, ids: readonly unknown[]) =>
    client
      .db(DATABASE)
      .collection<Document>(name)
      .insertMany(ids.map((_id) => ({ _id }) as Document));
  const read = async (name: string, size = { rows: 1, bytes: 1 << 20 }) => {
    await using source = await openSource('mongodb', configOf(server(), DATABASE));
    const schema = await source.schema(name);
    const batches = await source.full(schema, { size });
    const rests: unknown[][] = [];
    for (const { after } of batches) {
      const rest: unknown[] = [];
      for await (const batch of source.part(schema, {}, { from: JSON.parse(JSON.stringify(after)) })) {
        if (batch.kind === 'rows') rest.push(...batch.rows.map((row) => row[0]));
      }
      rests.push(rest);
    }
    const ids = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows.map((row) => row[0]) : []));
    return { schema, ids, rests };
  };

  it('of all types at once are read in their order, and resumed at any', async () => {
    await insert('every_id', all);
    const { schema, ids, rests } = await read('every_id');
    expect(schema.columns[0]).toMatchObject({ name: '_id', type: 'text', native: 'mongodb/mixed' });
    expect(ids).toEqual([
      '{"$minKey":1}',
      '{"$numberDouble":"-Infinity"}',
      '{"$numberDouble":"1.5"}',
      '{"$numberInt":"5"}',
      '{"$numberDecimal":"7.5"}',
      '{"$numberLong":"9007199254740993"}',
      '""',
      '"a"',
      '"{\\"$oid\\":\\"x\\"}"',
      '{"x":{"$numberInt":"1"}}',
      `{"$binary":{"base64":"${Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64')}","subType":"04"}}`,
      `{"$oid":"${oid}"}`,
      'false',
      'true',
      '{"$date":{"$numberLong":"0"}}',
      '{"$timestamp":{"t":1,"i":1}}',
      '{"$maxKey":1}',
    ]);
    rests.forEach((rest, index) => {
      expect(rest).toEqual(ids.slice(index + 1));
    });
  });

  it.each([
    ['objects', [new ObjectId(oid)], 'text', oid],
    ['strings', ['plain'], 'text', 'plain'],
    ['uuids', [new UUID(uuid)], 'uuid', uuid],
    ['wholes', [new Double(3), Long.MAX_VALUE], 'text', '{"$numberDouble":"3.0"}'],
  ])('of one type, %s, are read as they are', async (name, ids, type, first) => {
    await insert(name, ids);
    const found = await read(name);
    expect(found.schema.columns[0]?.type).toBe(type);
    expect(found.ids[0]).toBe(first);
  });

  it('of another type than all in the sample are reported by name', async () => {
    await insert('grown', [1, 2]);
    await using source = await openSource('mongodb', configOf(server(), DATABASE));
    const schema = await source.schema('grown');
    await insert('grown', ['three']);
    await expect(source.full(schema)).rejects.toMatchObject({
      kind: 'data',
      code: 'unfit_id',
      message: expect.stringContaining('reading grown: _id "three"'),
    });
  });
});
