import fc from 'fast-check';
import {
  holds,
  missingBreaches,
  parseCondition,
  printCondition,
  type Sample,
} from '../../../../lib/core/alert/condition';
import { IDENTIFIER_NAMES } from '../../../../lib/core/alert/identifiers';
import { DEEPEST_NESTING, LONGEST_CONDITION } from '../../../../lib/core/alert/parse';
import { Fault } from '../../../../lib/core/fault';
import { SECTIONS } from '../../engine/specification';
import { anyCondition } from './any-condition';

/** The messages of a wrong condition. */
function messagesOf(text: string): string[] {
  try {
    parseCondition(text);
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error).toMatchObject({ kind: 'config', code: 'invalid_config' });
    return (error.issues ?? []).map(({ message }) => message);
  }
}

describe('conditions', () => {
  it('of the specification are read', () => {
    const alerts = SECTIONS.alerts[0] as unknown as readonly { readonly condition: string }[];
    expect(alerts.map(({ condition }) => parseCondition(condition))).toEqual([
      { kind: 'leaf', leaf: { name: 'connection_status', operator: '==', value: 'failed' } },
      { kind: 'leaf', leaf: { name: 'error_rate', operator: '>', value: 0.05 } },
      { kind: 'leaf', leaf: { name: 'last_sync_age', operator: '>', value: 7200 } },
    ]);
  });

  it.each([
    ["'failed' == status", "status == 'failed'"],
    ["'2h' < last_sync_age", "last_sync_age > '2h'"],
    ["NOT status=='failed' AND failed_runs>=10.0", "not status == 'failed' and failed_runs >= 10"],
    [
      'failed_runs > 1 or failed_runs < 3 && failed_runs != 2',
      'failed_runs > 1 or failed_runs < 3 and failed_runs != 2',
    ],
    [
      '(failed_runs > 1 || failed_runs < 3) && !(failed_runs == 2)',
      '(failed_runs > 1 or failed_runs < 3) and not failed_runs == 2',
    ],
    ['not (failed_runs > 1 and failed_runs < 3)', 'not (failed_runs > 1 and failed_runs < 3)'],
    [
      "last_sync_age >= '90m'\n  and\tlast_sync_age < '1d0h30s'",
      "last_sync_age >= '1h30m' and last_sync_age < '1d30s'",
    ],
    ['status == "healthy"', "status == 'healthy'"],
  ])('%j is %j', (text, printed) => {
    expect(printCondition(parseCondition(text))).toBe(printed);
    expect(parseCondition(printed)).toEqual(parseCondition(text));
  });

  it.each([
    ['', 'at column 1: the condition is empty'],
    ['   ', 'at column 4: the condition is empty'],
    ['error_rat > 0.05', 'at column 1: unknown name "error_rat"; did you mean "error_rate"?'],
    ['colour > 1', /^at column 1: unknown name "colour"; known are connection_status, status, last_sync_age, /],
    ["connection_status == 'faild'", "at column 22: connection_status is never 'faild'; did you mean 'failed'?"],
    ["status == 'red'", "at column 11: status is never 'red'; it is one of 'healthy', 'degraded', 'failed', 'unknown'"],
    ['status == failed', "at column 11: put the word into quotes: 'failed'"],
    ["status > 'failed'", 'at column 10: status is a word: compare it with == or !='],
    ['last_sync_age > 2', "at column 17: last_sync_age is a length of time: write '2h', '90m' or '2s'"],
    ["last_sync_age > '2 hours'", "at column 17: '2 hours' is no length of time; write '2h', '90m', '1d' or '1h30m'"],
    ['last_sync_age > 2h', "at column 17: put a length of time into quotes: '2h'"],
    ["error_rate > '5'", 'at column 14: error_rate is a number: write a share such as 0.05 without quotes'],
    ['error_rate > 5', 'at column 14: error_rate is a share from 0 to 1: write 0.05 for 5 %'],
    ['error_rate > 5%', 'at column 15: write a share as a number from 0 to 1, such as 0.05 for 5 %'],
    ['error_rate = 0.5', 'at column 12: write "==" to compare'],
    ['error_rate > -1', 'at column 14: there are no negative values'],
    ['error_rate > .5', 'at column 14: write a number with a digit before the point, such as 0.5'],
    ['error_rate', 'at column 11: expected a comparison (== != < <= > >=) after "error_rate", not the end'],
    ['0.1 < error_rate < 0.2', 'at column 18: comparisons cannot be chained; join two with "and"'],
    [
      'error_rate > error_rate',
      'at column 14: error_rate must be compared with a share such as 0.05, not with another name',
    ],
    ["1 == 'failed'", 'at column 1: two values are compared; one side must be a name'],
    ["status == 'failed", 'at column 11: the quoted text has no end'],
    ['(error_rate > 0.1', 'at column 18: expected ")" for the "(" at column 1, not the end'],
    ['error_rate > 0.1)', 'at column 17: there is no "(" for this ")"'],
    ['error_rate > 0.1 error_rate', 'at column 18: expected "and", "or" or the end, not "error_rate"'],
    ['error_rate > 0.1 & rows_synced > 1', 'at column 18: write "and" or "&&"'],
    ['error_rate > 0.1 and', 'at column 21: expected a name, a number or a quoted text, not the end'],
    ['rows_synced > 1234567890123456', 'at column 15: a number has at most 15 digits and 6 decimals'],
    ['error_rate > 0.0000001', 'at column 14: a number has at most 15 digits and 6 decimals'],
    ['rows_synced > 1e9', "at column 15: put a length of time into quotes: '1e9'"],
    ['rows_synced > 1 ; 🚀', 'at column 17: ";" means nothing here'],
    ['__proto__ > 1', /unknown name "__proto__"/],
    ["status == 'failed'\nand\n  error_rat > 1", /^line 3, column 3: unknown name/],
    [
      "error_rate > 0.5 or last_sync_age > '2h'",
      'at column 21: error_rate is about a length of time and last_sync_age about a moment; make two alerts of it',
    ],
  ])('%j is refused with place and remedy', (text, message) => {
    expect(messagesOf(text)).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)]);
  });

  it('name every mistake of their words at once', () => {
    expect(messagesOf("stats == 'failed' or last_sync_ag > 2 or failed_runs > 'x'")).toHaveLength(3);
  });

  it('have limits', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}failed_runs > 1${')'.repeat(depth)}`;
    expect(messagesOf(nested(DEEPEST_NESTING))).toEqual([]);
    expect(messagesOf(nested(DEEPEST_NESTING + 1))).toEqual([`at column 33: nested deeper than ${DEEPEST_NESTING}`]);
    expect(messagesOf(`${'not '.repeat(DEEPEST_NESTING + 1)}failed_runs > 1`)).toHaveLength(1);
    const long = (length: number) => `failed_runs > 1${' '.repeat(length - 15)}`;
    expect(messagesOf(long(LONGEST_CONDITION))).toEqual([]);
    expect(messagesOf(long(LONGEST_CONDITION + 1))).toEqual([expect.stringContaining('at most 1000 characters')]);
  });

  it('hold or not, and neither where a value is not known', () => {
    const condition = parseCondition("not (status == 'failed' or failed_runs >= 3) and last_sync_age <= '1h'");
    const sample: Sample = { status: 'healthy', failed_runs: 2, last_sync_age: 3600 };
    expect(holds(condition, sample)).toBe(true);
    expect(holds(condition, { ...sample, failed_runs: 3 })).toBe(false);
    expect(holds(condition, { ...sample, last_sync_age: 3601 })).toBe(false);
    expect(holds(condition, { ...sample, failed_runs: undefined })).toBeUndefined();
  });

  it('breach without data only where they are about the age', () => {
    expect(missingBreaches(parseCondition("last_sync_age > '2h'"))).toBe(true);
    expect(missingBreaches(parseCondition("last_sync_age > '2h' and status != 'failed'"))).toBe(true);
    expect(missingBreaches(parseCondition("last_sync_age > '2h' or sync_duration > '1h'"))).toBe(false);
    expect(missingBreaches(parseCondition("connection_status == 'failed'"))).toBe(false);
  });
});

describe('any text', () => {
  const words = ['and', 'or', 'not', '(', ')', '==', '<', "'2h'", "'failed'", '0.5', ' ', '\n', ...IDENTIFIER_NAMES];
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...words)).map((all) => all.join(' ')),
  );

  it('is a condition, or is refused by issues of ours', () => {
    fc.assert(
      fc.property(text, (any) => {
        for (const message of messagesOf(any)) expect(message).toMatch(/^(at column \d+|line \d+, column \d+): ./);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('any condition', () => {
  it('is the same after it was printed and read', () => {
    fc.assert(
      fc.property(anyCondition, (condition) => {
        const printed = printCondition(condition);
        fc.pre(printed.length <= LONGEST_CONDITION);
        expect(parseCondition(printed)).toEqual(condition);
        expect(printCondition(parseCondition(printed))).toBe(printed);
      }),
      { numRuns: 500 },
    );
  });
});
