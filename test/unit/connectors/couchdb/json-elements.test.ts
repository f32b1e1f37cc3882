import fc from 'fast-check';
import { jsonElements } from '../../../../lib/connectors/couchdb/json-elements';
import { jsonMembers } from '../../../../lib/connectors/shared/documents/raw-json';

async function* inChunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function elements(text: string, size: number): Promise<string[]> {
  const found: string[] = [];
  for await (const element of jsonElements('shop/_all_docs', inChunks(text, size))) found.push(element);
  return found;
}

/** JSON.stringify writes it as 0. */
function withoutNegativeZero<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

describe('the objects of an answer', () => {
  it('are what they were, wherever chunks end', async () => {
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()).map(withoutNegativeZero);
    const list = fc.array(object, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(list, fc.integer({ min: 1, max: 20 }), fc.constantFrom(0, 2), async (rows, size, indent) => {
        const text = JSON.stringify({ total_rows: 3, rows, last_seq: ['a', 1] }, null, indent);
        expect((await elements(text, size)).map((element) => JSON.parse(element))).toEqual(rows);
      }),
    );
  });

  it.each(['{"rows":[{"id":"a"},{"id', '{"rows":[{"id":"a"}]', '', '{"error":"x"}'])(
    'of %s end too early',
    async (text) => {
      await expect(elements(text, 4)).rejects.toMatchObject({ kind: 'transient', code: 'incomplete_answer' });
    },
  );
});

describe('the members of an object', () => {
  it('are what they were, as they were written', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map(withoutNegativeZero);
    fc.assert(
      fc.property(object, fc.constantFrom(0, 3), (value, indent) => {
        const found = jsonMembers(JSON.stringify(value, null, indent));
        expect(found.map(([name, raw]) => [name, JSON.parse(raw)])).toEqual(Object.entries(value));
      }),
    );
  });

  it('keep their digits', () => {
    const text = '{ "a" : 12345678901234567890.123456789 ,"b":[1e400, 0.10],"c\\"":-0}';
    expect(jsonMembers(text)).toEqual([
      ['a', '12345678901234567890.123456789'],
      ['b', '[1e400, 0.10]'],
      ['c"', '-0'],
    ]);
  });
});
