/** Compares two numbers in plain decimal text by value: negative, zero or positive. */
export function compareDecimals(left: string, right: string): number {
  const [leftNegative, rightNegative] = [left.startsWith('-'), right.startsWith('-')];
  if (leftNegative !== rightNegative) return leftNegative ? -1 : 1;
  const size = compareSizes(leftNegative ? left.slice(1) : left, rightNegative ? right.slice(1) : right);
  return leftNegative ? -size : size;
}

function compareSizes(left: string, right: string): number {
  const [leftWhole = '', leftFraction = ''] = left.split('.');
  const [rightWhole = '', rightFraction = ''] = right.split('.');
  if (leftWhole.length !== rightWhole.length) return leftWhole.length - rightWhole.length;
  if (leftWhole !== rightWhole) return leftWhole < rightWhole ? -1 : 1;
  const length = Math.max(leftFraction.length, rightFraction.length);
  const [leftDigits, rightDigits] = [leftFraction.padEnd(length, '0'), rightFraction.padEnd(length, '0')];
  if (leftDigits === rightDigits) return 0;
  return leftDigits < rightDigits ? -1 : 1;
}

const YEAR = /^(\d+)-(.*?)( BC)?$/;

/** Compares two dates or two times in the form of `Value`: years after 9999, before 1, and the infinities included. */
export function compareTimes(left: string, right: string): number {
  if (left === right) return 0;
  const [leftYear, leftRest] = parts(left);
  const [rightYear, rightRest] = parts(right);
  if (leftYear !== rightYear) return leftYear < rightYear ? -1 : 1;
  return leftRest < rightRest ? -1 : leftRest > rightRest ? 1 : 0;
}

function parts(time: string): [number, string] {
  if (time === 'infinity') return [Number.POSITIVE_INFINITY, ''];
  if (time === '-infinity') return [Number.NEGATIVE_INFINITY, ''];
  const [, year = '', rest = '', bc] = YEAR.exec(time) ?? [];
  // A fraction stands before the zone; the character after the seconds must not be compared with it.
  const clock = rest.replace(/\+00$/, '');
  return [bc === undefined ? Number(year) : 1 - Number(year), clock];
}
