import type { ColumnType } from '../../core/schema';
import type { ValidationRuleOf } from '../../core/validation-rules';
import { plainDecimal } from '../convert/plain-decimal';
import type { Step } from '../step';
import { cellRule, type Passes } from './cells';

/** One of the listed values; numbers by their value, texts letter by letter. */
export function enumeration({ field, required, values }: ValidationRuleOf<'enum'>): Step {
  return cellRule({
    type: 'enum',
    field,
    required,
    problem: 'is not one of the allowed values',
    types: 'text, numbers, booleans, dates and UUIDs',
    check: (type) => checkOf(type, values),
  });
}

function checkOf(type: ColumnType, values: readonly (string | number | boolean)[]): Passes | undefined {
  if (type === 'bytes' || type === 'json') return undefined;
  if (type === 'int32' || type === 'int64' || type === 'float64' || type === 'decimal') {
    const allowed = new Set(values.map((value) => trimmed(plainDecimal(String(value)) ?? '')));
    return (value) => allowed.has(trimmed(type === 'float64' ? (plainDecimal(String(value)) ?? '') : String(value)));
  }
  const allowed = new Set(values.map(String));
  return (value) => allowed.has(typeof value === 'string' ? value : String(value));
}

/** Without zeros that mean nothing, so that 1.50 equals 1.5. */
function trimmed(plain: string): string {
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}
