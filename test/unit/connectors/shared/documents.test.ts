import fc from 'fast-check';
import type { DocumentDialect } from '../../../../lib/connectors/shared/documents/dialect';
import { inferColumns, wholeDocuments } from '../../../../lib/connectors/shared/documents/infer';
import { plainDecimal } from '../../../../lib/connectors/shared/documents/plain-decimal';
import { rowMaker } from '../../../../lib/connectors/shared/documents/rows';
import { REST } from '../../../../lib/core/schema';

type Plain = string | number | boolean | null;

const dialect: DocumentDialect<Plain> = {
  name: 'test',
  shapeOf(value) {
    if (value === null) return undefined;
    return typeof value === 'string'
      ? ['text', 'string']
      : typeof value === 'number'
        ? ['decimal', 'number']
        : ['bool', 'boolean'];
  },
  cell(value, type) {
    if (value === null) return null;
    if (type === 'json') return JSON.stringify(value);
    if (type === 'text') return typeof value === 'string' ? value : undefined;
    if (type === 'bool') return typeof value === 'boolean' ? value : undefined;
    return typeof value === 'number' ? String(value) : undefined;
  },
  json: (value) => JSON.stringify(value),
};
const KEY = [{ name: 'id', type: 'text', nullable: false, native: 'test/string' }] as const;
const infer = (...documents: { [name: string]: Plain }[]) =>
  inferColumns('things', KEY, documents.map(Object.entries<Plain>), dialect);

describe('columns of documents', () => {
  it('are those of the key, then those of the sample by name, then the rest', () => {
    const { columns, key } = infer({ id: 'a', b: 1, a: 'x' }, { id: 'b', b: null, c: true, a: 'y' });
    expect(key).toEqual(['id']);
    expect(columns.map(({ name, native }) => [name, native])).toEqual([
      ['id', 'test/string'],
      ['a', 'test/string'],
      ['b', 'test/number'],
      ['c', 'test/boolean'],
      [REST, 'test/rest'],
    ]);
  });

  it('are JSON where types differ, and none where nothing is known', () => {
    const { columns } = infer({ id: 'a', mixed: 1, empty: null }, { id: 'b', mixed: 'x' }, { id: 'c', mixed: 2 });
    expect(columns.slice(1).map(({ name, type }) => [name, type])).toEqual([
      ['mixed', 'json'],
      [REST, 'json'],
    ]);
  });

  it('are bounded: what is seldom, has no name or has a very long one is in the rest', () => {
    const wide = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`f${index}`, 1]));
    const odd = { '': 1, ['n'.repeat(300)]: 1, [REST]: 1 };
    const { columns } = infer({ id: 'a', often: 1 }, { id: 'b', often: 1, ...wide, ...odd });
    expect(columns).toHaveLength(502);
    const names = columns.map(({ name }) => name);
    expect(names).toContain('often');
    expect(names.filter((name) => name === '' || name.length > 255)).toEqual([]);
  });

  it('lose nothing', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const documents = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', REST, '__proto__'), value), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(documents, documents, (sample, read) => {
        const toRow = rowMaker(infer(...sample), dialect);
        const { columns } = infer(...sample);
        for (const document of read) {
          const row = toRow(Object.entries(document));
          const rest = JSON.parse(String(row.at(-1) ?? '{}')) as object;
          for (const [name, given] of Object.entries(document)) {
            const place = columns.findIndex((column) => column.name === name && name !== REST);
            const type = columns[place]?.type;
            const cell = type && dialect.cell(given, type);
            if (type !== undefined && cell !== undefined) expect(row[place]).toEqual(cell);
            else expect(Object.entries(rest)).toContainEqual([name, given]);
          }
        }
      }),
    );
  });

  it('give way to the whole, beside a key of any name', () => {
    const schema = wholeDocuments('things', [{ ...KEY[0], name: 'document' }], 'test');
    expect(schema.columns.map(({ name }) => name)).toEqual(['document', 'document_']);
    expect(rowMaker(schema, dialect)(Object.entries<Plain>({ z: 1, document: 'k' }))).toEqual([
      'k',
      '{"document":"k","z":1}',
    ]);
  });
});

describe('plain decimals', () => {
  it.each([
    ['1E+2', '100'],
    ['1.5e3', '1500'],
    ['-1.25E-3', '-0.00125'],
    ['12.5E-1', '1.25'],
    ['0E+5', '0'],
    ['007', '7'],
    ['.5', '0.5'],
    ['-0', '-0'],
    ['+3', '3'],
    ['1E-130', `0.${'0'.repeat(129)}1`],
  ])('of %s is %s', (text, plain) => {
    expect(plainDecimal(text)).toBe(plain);
  });

  it('have the value of what was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 38n }), fc.integer({ min: -60, max: 60 }), (digits, exponent) => {
        const [whole = '', fraction = ''] = plainDecimal(`${digits}E${exponent}`).split('.');
        const scaled = BigInt(whole + fraction) * 10n ** BigInt(60 - fraction.length + 60);
        expect(scaled).toBe(digits * 10n ** BigInt(exponent + 60 + 60));
      }),
    );
  });
});
