import fc from 'fast-check';
import { possibleTables, quoteTable, streamName } from '../../../../lib/connectors/postgresql/identifiers';
import { cutSegments, type Heap } from '../../../../lib/connectors/postgresql/parts';

const heap = fc.record({ name: fc.uuid(), filenode: fc.constant('1'), pages: fc.nat({ max: 1_000_000 }) });

describe('cutSegments', () => {
  it('covers every page of every table once, in parts that fit', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(heap, { selector: (one) => one.name, maxLength: 300 }),
        fc.integer({ min: 1, max: 64 }),
        (heaps: Heap[], want) => {
          const parts = cutSegments(heaps, want);
          for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(15_000);
          for (const { name } of heaps) {
            const segments = parts.flat().filter((segment) => segment.name === name);
            expect(segments[0]?.from).toBe(0);
            expect(segments.at(-1)?.to).toBeNull();
            for (const [index, segment] of segments.slice(1).entries()) expect(segment.from).toBe(segments[index]?.to);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('makes about as many parts as are wanted, and one of a small table', () => {
    expect(cutSegments([{ name: 'a', filenode: '1', pages: 100_000 }], 4)).toHaveLength(4);
    expect(cutSegments([{ name: 'a', filenode: '1', pages: 100 }], 4)).toHaveLength(1);
    expect(cutSegments([{ name: 'a', filenode: '1', pages: 0 }], 4)).toHaveLength(1);
  });
});

describe('names of streams', () => {
  it('can be traced back to their table', () => {
    const name = fc.stringMatching(/^[a-z. "]{1,8}$/);
    fc.assert(
      fc.property(fc.oneof(fc.constant('public'), name), name, (schema, table) => {
        const tables = possibleTables(streamName(schema, table)).map((one) => quoteTable(one.schema, one.table));
        expect(tables).toContain(quoteTable(schema, table));
      }),
    );
  });
});
