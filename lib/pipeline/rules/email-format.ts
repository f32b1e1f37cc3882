import type { ValidationRuleOf } from '../../core/validation-rules';
import type { Step } from '../step';
import { cellRule } from './cells';

// RFC 5321's lengths. No quoted local parts, no address literals: nobody means them.
const LONGEST = 254;
const LONGEST_LOCAL = 64;
const LOCAL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{80}-\u{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{80}-\u{10ffff}-]+)*$/u;
// Most addresses are made of these alone; the labels after the @ are looked at one by one only for the others.
const PLAIN =
  /^(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?$/u;

/** The form of an email address; whether somebody reads it cannot be known. */
export function emailFormat({ field, required }: ValidationRuleOf<'email_format'>): Step {
  return cellRule({
    type: 'email_format',
    field,
    required,
    problem: 'is not an email address',
    types: 'text',
    check: (type) => (type === 'text' ? (value) => typeof value === 'string' && isEmail(value) : undefined),
  });
}

function isEmail(text: string): boolean {
  if (text.length > LONGEST) return false;
  if (PLAIN.test(text)) return true;
  const at = text.lastIndexOf('@');
  if (at < 1 || at > LONGEST_LOCAL) return false;
  const labels = text.slice(at + 1).split('.');
  return (
    labels.length > 1 &&
    LOCAL.test(text.slice(0, at)) &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}
