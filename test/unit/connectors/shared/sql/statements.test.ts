import fc from 'fast-check';
import { bound, joined, sql, statementOf } from '../../../../../lib/connectors/shared/sql/fragment';
import { comesAfter, where } from '../../../../../lib/connectors/shared/sql/keyset';
import { numberBounds, parsePart, rangesBetween } from '../../../../../lib/connectors/shared/sql/parts';
import { boundText, type SqlColumn, textOf } from '../../../../../lib/connectors/shared/sql/relation';

const numbered = (place: number) => `$${place}`;

function column(name: string): SqlColumn {
  const own = { name, type: 'int32', nullable: false, native: 'test/int' } as const;
  return { column: own, expression: name, order: name, bind: (text) => boundText(own, text) };
}

describe('a fragment', () => {
  it('keeps text and values apart, and numbers the places', () => {
    const inner = sql`a = ${bound(1)} or b in (${joined([bound('x'), bound(2n)], ', ')})`;
    const whole = sql`select ${'"t"'} where ${inner}${where([])}${where([sql`c = ${bound(null)}`, sql`d = 1`])}`;
    expect(statementOf(whole, numbered)).toBe('select "t" where a = $1 or b in ($2, $3) where c = $4 and d = 1');
    expect(whole.values).toEqual([1, 'x', 2n, null]);
  });

  it('refuses a name that looks like a place', () => {
    expect(() => statementOf(sql`select ${'a\u0000b'} from ${bound(1)}`, numbered)).toThrow('2 places for 1 values');
  });
});

describe('a row comes after another', () => {
  /** Evaluates the condition on a row of numbers. */
  const holds = (names: readonly string[], row: readonly number[], last: readonly number[], comparesRows: boolean) => {
    const condition = comesAfter(names.map(column), last.map(String), comparesRows);
    const text = statementOf(condition, (place) => String(condition.values[place - 1]));
    const script = text
      .replaceAll(' and ', ' && ')
      .replaceAll(' or ', ' || ')
      .replaceAll(/([^<>])= /g, '$1== ')
      .replaceAll('>== ', '>= ');
    return Boolean(new Function(...names, `return ${script}`)(...row));
  };
  const after = (row: readonly number[], last: readonly number[]) => {
    const index = row.findIndex((value, place) => value !== last[place]);
    return index >= 0 && (row[index] ?? 0) > (last[index] ?? 0);
  };

  it('exactly in the order of its columns', () => {
    const few = fc.integer({ min: 0, max: 2 });
    const pair = fc
      .integer({ min: 1, max: 4 })
      .chain((count) =>
        fc.tuple(
          fc.array(few, { minLength: count, maxLength: count }),
          fc.array(few, { minLength: count, maxLength: count }),
        ),
      );
    fc.assert(
      fc.property(pair, ([row, last]) => {
        const names = ['a', 'b', 'c', 'd'].slice(0, row.length);
        expect(holds(names, row, last, false)).toBe(after(row, last));
      }),
    );
  });

  it('as a comparison of rows where the server knows it', () => {
    const condition = comesAfter([column('a'), column('b')], ['1', '2'], true);
    expect(statementOf(condition, numbered)).toBe('a >= $1 and (a, b) > ($2, $3)');
    expect(condition.values).toEqual([1, 1, 2]);
  });
});

describe('ranges', () => {
  it('of numbers meet, and are at most as many as are wanted', () => {
    const number = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 20 }), (one, other, want) => {
        const [least, largest] = one < other ? [one, other] : [other, one];
        const bounds = numberBounds(least, largest, want).map(BigInt);
        expect(bounds.length).toBeLessThan(want);
        const edges = [least, ...bounds, largest + 1n];
        for (const [index, edge] of edges.slice(1).entries()) expect(edge > (edges[index] ?? edge)).toBe(true);
      }),
    );
  });

  it('are read back from what they were saved as, and nothing else is', () => {
    const parts = rangesBetween('s', ['5', '9']);
    expect(parts.map((part) => parsePart(JSON.parse(JSON.stringify(part))))).toEqual([
      { kind: 'range', snapshot: 's', from: null, before: '5' },
      { kind: 'range', snapshot: 's', from: '5', before: '9' },
      { kind: 'range', snapshot: 's', from: '9', before: null },
    ]);
    expect(() => parsePart({ kind: 'pages' })).toThrow('was not made by this connector');
  });
});

describe('the text of a value', () => {
  it.each([
    ['bool', true],
    ['int32', -5],
    ['int64', 9223372036854775807n],
    ['float64', -0],
    ['decimal', '1.50'],
    ['text', ''],
    ['bytes', Buffer.from([0, 255])],
  ] as const)('of type %s gives it again', (type, value) => {
    expect(boundText({ type }, textOf(value)).values).toEqual([value]);
  });
});
