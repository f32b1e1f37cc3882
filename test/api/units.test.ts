import * as fc from 'fast-check';
import { jsonMistake, nestingDepth } from '../../lib/api/json-text';
import { mergePatch } from '../../lib/api/merge-patch';
import { toWire } from '../../lib/api/wire';
import { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import { Secret } from '../../lib/core/secret';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('jsonMistake', () => {
  it('finds none in JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => jsonMistake(text) === undefined));
  });

  it('agrees with JSON.parse about every text', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      'null',
      ' ',
      '\n',
      '\u0001',
      'é',
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (sample) => (jsonMistake(sample) === undefined) === isJson(sample)),
      { numRuns: 5000 },
    );
  });

  it('finds the place where a text was damaged, in long ones too', () => {
    expect(jsonMistake('{\n  "a": tru\n}')).toMatchObject({ line: 2, column: 8 });
    expect(jsonMistake(`{"a": "${'x'.repeat(1_000_000)}" 1}`)).toMatchObject({ line: 1, column: 1_000_010 });
    expect(jsonMistake('')).toMatchObject({ line: 1, column: 1 });
  });

  it('measures depth outside of strings only', () => {
    expect(nestingDepth('{"a": ["[[[", "\\"[[", [1]], "b": {}}')).toBe(3);
  });
});

// The examples of RFC 7396, appendix A.
const EXAMPLES: [Json, Json, Json][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

describe('mergePatch', () => {
  it.each(EXAMPLES)('%j patched by %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('pollutes no prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(merged as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('toWire', () => {
  it('renames our keys and leaves those of owners alone', () => {
    expect(toWire({ rowsPerSecond: 1, document: { aB: { cD: 1 } }, list: [{ lastRun: null }] })).toEqual({
      rows_per_second: 1,
      document: { aB: { cD: 1 } },
      list: [{ last_run: null }],
    });
  });

  it('shows faults without cause, secrets not at all, undefined not, bigint as text', () => {
    const fault = new Fault('config', 'gone', 'reading: gone', {
      hint: 'Look.',
      cause: new Error('inner'),
      retryAfterMs: 1,
    });
    expect(toWire({ fault, secret: new Secret('hunter2'), none: undefined, large: 2n ** 60n })).toEqual({
      fault: { kind: 'config', code: 'gone', message: 'reading: gone', hint: 'Look.' },
      secret: '[secret]',
      large: '1152921504606846976',
    });
  });
});
