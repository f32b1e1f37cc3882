import type { ColumnType } from '../../core/schema';
import type { ValidationRuleOf } from '../../core/validation-rules';
import { converter } from '../convert/converter';
import { plainDecimal } from '../convert/plain-decimal';
import { readField, type Step, wrong } from '../step';
import { cellRule, type Passes } from './cells';
import { compareDecimals, compareTimes } from './compare';

type Bound = number | string | undefined;

/** Between two bounds, both included: numbers, dates and times. */
export function range(rule: ValidationRuleOf<'range'>, path: string): Step {
  const { field, required, min, max } = rule;
  const problem =
    min === undefined ? `is above ${max}` : max === undefined ? `is below ${min}` : `is not between ${min} and ${max}`;
  return {
    bind(binding) {
      const type = readField(binding, field, 'field')?.column.type;
      if (type === undefined) return undefined;
      const [least, most] = [boundOf(type, min, `${path}.min`), boundOf(type, max, `${path}.max`)];
      return cellRule({
        type: 'range',
        field,
        required,
        problem,
        types: 'numbers, dates and times',
        check: () => (typeof least === 'symbol' || typeof most === 'symbol' ? undefined : passes(type, least, most)),
      }).bind(binding);
    },
  };
}

const UNFIT: unique symbol = Symbol('unfit');

function boundOf(type: ColumnType, given: Bound, path: string): Bound | typeof UNFIT {
  if (given === undefined) return undefined;
  if (type === 'int32' || type === 'int64' || type === 'float64' || type === 'decimal') {
    const plain = plainDecimal(String(given));
    if (plain === undefined || plain.endsWith('N')) throw wrong(path, `"${given}" is no number`);
    return plain;
  }
  if (type !== 'date' && type !== 'timestamp' && type !== 'timestamptz') return UNFIT;
  return timeOf(type, String(given), path);
}

function timeOf(type: 'date' | 'timestamp' | 'timestamptz', given: string, path: string): string {
  const made = converter(
    { type: type === 'date' ? 'date' : 'datetime' },
    { name: '', type: 'text', nullable: true, native: '' },
  );
  const time = typeof made === 'object' ? made.convert?.(given) : undefined;
  if (typeof time !== 'string')
    throw wrong(path, `"${given}" is no ${type === 'date' ? 'date' : 'time'}, such as 2024-01-31`);
  return type === 'timestamp' ? time.replace(/\+00$/, '') : time;
}

function passes(type: ColumnType, least: Bound, most: Bound): Passes {
  if (type === 'int32' || type === 'float64') return inNumbers(least, most);
  if (type === 'int64') return inIntegers(least, most);
  return inTexts(type === 'decimal' ? compareNumbers : compareTimes, least, most);
}

function inNumbers(least: Bound, most: Bound): Passes {
  const low = least === undefined ? Number.NEGATIVE_INFINITY : Number(least);
  const high = most === undefined ? Number.POSITIVE_INFINITY : Number(most);
  return (value) => Number(value) >= low && Number(value) <= high;
}

function inIntegers(least: Bound, most: Bound): Passes {
  const low = least === undefined ? undefined : roundedUp(String(least));
  const high = most === undefined ? undefined : -roundedUp(negated(String(most)));
  return (value) =>
    typeof value === 'bigint' && (low === undefined || value >= low) && (high === undefined || value <= high);
}

function negated(plain: string): string {
  return plain.startsWith('-') ? plain.slice(1) : `-${plain}`;
}

/** The smallest whole number that is not below. */
function roundedUp(plain: string): bigint {
  const [whole = '0', fraction = ''] = plain.split('.');
  const up = /[1-9]/.test(fraction) && !plain.startsWith('-') ? 1n : 0n;
  return BigInt(whole) + up;
}

/** NaN is in no range; the infinities are beyond every bound. */
function compareNumbers(value: string, bound: string): number {
  if (value === 'NaN') return Number.NaN;
  if (value.endsWith('y')) return value.startsWith('-') ? -1 : 1;
  return compareDecimals(value, bound);
}

function inTexts(compare: (value: string, bound: string) => number, least: Bound, most: Bound): Passes {
  return (value) =>
    (least === undefined || compare(String(value), String(least)) >= 0) &&
    (most === undefined || compare(String(value), String(most)) <= 0);
}
