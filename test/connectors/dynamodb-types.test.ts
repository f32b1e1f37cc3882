import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Client } from 'pg';
import type { Value } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { openSource } from '../contracts/open-source';
import { makeDatabases, openEndToEnd } from '../e2e/home';
import { dynalite } from '../servers/dynalite';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, Filler, type Item } from './dynamodb';

const binary = Uint8Array.of(0, 255, 10, 34);
const inJson = '{"$binary":{"base64":"AP8KIg==","subType":"00"}}';
const longest = '9.9999999999999999999999999999999999999';

/** Attributes by the type of their column: as they are stored, and as they have to be read. */
const VALUES: { readonly [column: string]: readonly (readonly [AttributeValue, Value])[] } = {
  text: [
    [{ S: '' }, ''],
    [{ S: 'é 🙂 "\'\\ \t\n' }, 'é 🙂 "\'\\ \t\n'],
    [{ S: 'x'.repeat(300_000) }, 'x'.repeat(300_000)],
    [{ NULL: true }, null],
  ],
  decimal: [
    [{ N: '0' }, '0'],
    [{ N: '-12345678901234567890123456789012345678' }, '-12345678901234567890123456789012345678'],
    [{ N: longest }, longest],
    [{ N: `${longest}E+125` }, `99999999999999999999999999999999999999${'0'.repeat(88)}`],
    [{ N: '1E-130' }, `0.${'0'.repeat(129)}1`],
  ],
  bytes: [
    [{ B: binary }, binary],
    [{ B: new Uint8Array(0) }, new Uint8Array(0)],
  ],
  bool: [
    [{ BOOL: true }, true],
    [{ BOOL: false }, false],
  ],
  json: [
    [{ SS: ['b', 'a"', 'é'] }, '["a\\"","b","é"]'],
    [{ NS: ['10', '9', '-1.5', '12345678901234567890.5'] }, '[-1.5,9,10,12345678901234567890.5]'],
    [{ BS: [binary, Uint8Array.of(1)] }, `[${inJson},{"$binary":{"base64":"AQ==","subType":"00"}}]`],
    [{ L: [{ N: longest }, { NULL: true }, { L: [] }, { BOOL: false }] }, `[${longest},null,[],false]`],
    [
      { M: { b: { B: binary }, 'a "': { M: { deep: { N: '12345678901234567890' } } } } },
      `{"a \\"":{"deep":12345678901234567890},"b":${inJson}}`,
    ],
    [{ S: 'a text among them' }, '"a text among them"'],
  ],
};
const COLUMNS = Object.keys(VALUES).sort();
const HEIGHT = Math.max(...Object.values(VALUES).map((values) => values.length));
const KEY = [
  ['part "é', 'S'],
  ['sort', 'B'],
] as const;

const keyOf = (line: number): Item => ({ 'part "é': { S: `line ${line}` }, sort: { B: Uint8Array.of(line, 0) } });
const lines = Array.from({ length: HEIGHT }, (_, line): Item => {
  const cells = COLUMNS.flatMap((name) => (VALUES[name]?.[line] ? [[name, VALUES[name][line][0]]] : []));
  return { ...keyOf(line), ...Object.fromEntries(cells) };
});

describeWithServer('types of DynamoDB', dynalite(), (server) => {
  let filler: Filler;
  beforeAll(async () => {
    filler = new Filler(server());
    await filler.table('every_type', KEY);
    await filler.put('every_type', lines);
  });
  afterAll(() => filler?.client.destroy());

  const read = async (documents: object, table = 'every_type') => {
    await using source = await openSource('dynamodb', { ...configOf(server()), documents });
    const schema = await source.schema(table);
    const batches = await source.full(schema);
    const rows = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    return { schema, rows: rows.sort((left, right) => (String(left[0]) < String(right[0]) ? -1 : 1)) };
  };
  const described = ({ columns }: StreamSchema) =>
    columns.map(({ name, type, native, nullable }) => [name, type, native, nullable]);

  it('gives every value in its one form', async () => {
    const { schema, rows } = await read({});
    expect(described(schema)).toEqual([
      ['part "é', 'text', 'dynamodb/S', false],
      ['sort', 'bytes', 'dynamodb/B', false],
      ['bool', 'bool', 'dynamodb/BOOL', true],
      ['bytes', 'bytes', 'dynamodb/B', true],
      ['decimal', 'decimal', 'dynamodb/N', true],
      ['json', 'json', 'dynamodb/json', true],
      ['text', 'text', 'dynamodb/S', true],
      ['_explorerio_rest', 'json', 'dynamodb/rest', true],
    ]);
    expect(schema.key).toEqual(['part "é', 'sort']);
    for (const [index, name] of COLUMNS.entries()) {
      const expected = VALUES[name]?.map(([, value]) => value) ?? [];
      const padded = [...expected, ...Array<Value>(HEIGHT - expected.length).fill(null)];
      expect([name, ...rows.map((row) => row[index + 2])]).toEqual([name, ...padded]);
    }
    expect(rows.map((row) => row.at(-1))).toEqual(Array(HEIGHT).fill(null));
  });

  it('keeps in the rest what the sample has not shown', async () => {
    const { schema, rows } = await read({ sample: 1 });
    const names = schema.columns.map(({ name }) => name);
    expect(names.length).toBeLessThan(COLUMNS.length + 3);
    for (const [line, row] of rows.entries()) {
      const rest = row.at(-1) === null ? {} : JSON.parse(String(row.at(-1)));
      for (const name of COLUMNS) {
        const [stored] = VALUES[name]?.[line] ?? [];
        if (stored === undefined || stored.NULL) continue;
        expect([name, line, row[names.indexOf(name)] ?? rest[name] ?? undefined]).not.toContain(undefined);
      }
    }
  });

  it('gives the key and the whole as JSON where that is wanted', async () => {
    const { schema, rows } = await read({ form: 'json' });
    expect(described(schema).at(-1)).toEqual(['document', 'json', 'dynamodb/document', false]);
    expect(rows[1]?.at(-1)).toBe(
      `{"bool":false,"bytes":{"$binary":{"base64":"","subType":"00"}},"decimal":-12345678901234567890123456789012345678,"json":[-1.5,9,10,12345678901234567890.5],"part \\"é":"line 1","sort":{"$binary":{"base64":"AQA=","subType":"00"}},"text":${JSON.stringify(VALUES.text?.[1]?.[1])}}`,
    );
  });

  it('reads an empty table, and goes on behind keys of every type', async () => {
    await filler.table('empty', [['id', 'S']]);
    expect(await read({}, 'empty')).toMatchObject({ rows: [], schema: { key: ['id'] } });
    await filler.table('odd_keys', [
      ['id', 'S'],
      ['sort', 'N'],
    ]);
    const long = '\u0001'.repeat(1000);
    await filler.put(
      'odd_keys',
      [long, 'é"🙂', ' '].flatMap((id) => ['-1.5', '1E+100', '3'].map((N) => ({ id: { S: id }, sort: { N } }))),
    );
    await using source = await openSource('dynamodb', configOf(server()));
    const schema = await source.schema('odd_keys');
    const size = { rows: 1, bytes: 1 << 20 };
    const all = await source.full(schema, { size });
    expect(all).toHaveLength(9);
    for (const [index, { after }] of all.entries()) {
      expect(JSON.stringify(after).length).toBeLessThan(4000);
      let rest = 0;
      for await (const batch of source.part(schema, null, { from: JSON.parse(JSON.stringify(after)) })) {
        if (batch.kind === 'rows') rest += batch.rows.length;
      }
      expect(rest).toBe(all.length - index - 1);
    }
  });

  describeWithServer('in the destination', postgresql({ version: 18 }), (target) => {
    it('are what they were', async () => {
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      try {
        await home.store({ name: 'shop', type: 'dynamodb', ...configOf(server()), tables: ['every_type'] });
        expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: HEIGHT, quarantined: 0 });
        const columns = `bool, encode(bytes, 'hex') as bytes, "decimal", "json"::jsonb as "json", text`;
        const { rows } = await databases.target.query(
          `select ${columns}, _explorerio_rest from shop.every_type order by "part ""é"`,
        );
        for (const name of COLUMNS) {
          const expected: (string | null)[] = [];
          for (let line = 0; line < HEIGHT; line++)
            expected.push(await stored(databases.target, name, VALUES[name]?.[line]?.[1] ?? null));
          expect([name, ...rows.map((row) => row[name])]).toEqual([name, ...expected]);
        }
        expect(rows.map((row) => row._explorerio_rest)).toEqual(Array(HEIGHT).fill(null));
      } finally {
        await home.close();
        await databases.close();
      }
    }, 60_000);
  });
});

/** The text that PostgreSQL gives for a value. */
async function stored(target: Client, name: string, value: Value): Promise<string | null> {
  if (value === null) return null;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (name !== 'json') return String(value);
  const { rows } = await target.query('select $1::jsonb as value', [String(value)]);
  return rows[0].value;
}
