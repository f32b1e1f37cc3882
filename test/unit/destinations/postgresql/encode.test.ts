import { Op, type Row, UNCHANGED } from '../../../../lib/core/batch';
import type { ColumnType } from '../../../../lib/core/schema';
import { encodeRows, type Refusal } from '../../../../lib/destinations/postgresql/encode';
import type { Shape } from '../../../../lib/destinations/postgresql/shape';

function shapeOf(types: readonly ColumnType[], key: readonly number[] = []): Shape {
  const columns = types.map((type, place) => {
    const name = `c${place}`;
    const source = { name, type, nullable: true, native: 'test/x' };
    return { source, name, type: type === 'json' ? 'jsonb' : type, exact: true };
  });
  return { schema: { stream: 's', columns: columns.map(({ source }) => source), key: [] }, table: 's', columns, key };
}

function encode(shape: Shape, rows: Row[], ops?: readonly number[]) {
  const refused: Refusal[] = [];
  const chunks = [
    ...encodeRows({
      shape,
      rows,
      ops: ops && Uint8Array.from(ops),
      staged: ops !== undefined,
      refuse: (refusal) => void refused.push(refusal),
    }),
  ];
  return { text: Buffer.concat(chunks).toString('utf8'), refused, chunks };
}

it('escapes what COPY would read as something else', () => {
  const { text } = encode(shapeOf(['text', 'text']), [
    ['a\tb\nc\rd\\N', null],
    ['\\.', ''],
  ]);
  expect(text).toBe('a\\tb\\nc\\rd\\\\N\t\\N\n\\\\.\t\n');
});

it('leaves no trace of a refused row', () => {
  const shape = shapeOf(['int32', 'text', 'json'], [0]);
  const rows: Row[] = [
    [1, 'nul\0', null],
    [2, '\ud800', null],
    [null, 'k', null],
    [3.5, 'f', null],
    [4, 'j', '"\\u0000"'],
    [5, UNCHANGED, null],
    [6, 'short'],
    [7, 'ok', '"\\\\u0000"'],
  ];
  const { text, refused } = encode(shape, rows);
  expect(text).toBe('7\tok\t"\\\\\\\\u0000"\n');
  expect(refused.map(({ index, field }) => [index, field])).toEqual([
    [0, 'c1'],
    [1, 'c1'],
    [2, 'c0'],
    [3, 'c0'],
    [4, 'c2'],
    [5, 'c1'],
    [6, undefined],
  ]);
});

it('writes number, operation and unchanged cells before a staged row; a delete needs only its key', () => {
  const shape = shapeOf(['int64', 'text'], [0]);
  const { text, refused } = encode(
    shape,
    [
      [1n, 'a'],
      [2n, UNCHANGED],
      [3n, 'no\0matter'],
    ],
    [Op.Insert, Op.Update, Op.Delete],
  );
  expect(text).toBe('0\t0\t\\N\t1\ta\n1\t1\t01\t2\t\\N\n2\t2\t\\N\t3\t\\N\n');
  expect(refused).toEqual([]);
});

it('cuts large cells on whole characters, and chunks of many rows', () => {
  const large = `x${'\u{1f600}'.repeat(100_000)}\n`;
  const { text, chunks } = encode(shapeOf(['text', 'bytes', 'int32']), [
    ['a', null, 1],
    [large, Buffer.alloc(70_000, 255), -0],
    ['b', null, 2],
  ]);
  expect(text).toBe(`a\t\\N\t1\n${large.slice(0, -1)}\\n\t\\\\x${'ff'.repeat(70_000)}\t-0\nb\t\\N\t2\n`);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(300_000);
});
