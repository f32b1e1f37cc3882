import type { ValidationRule, ValidationRuleOf } from '../../core/validation-rules';
import type { Step } from '../step';

/** Makes a rule of its checked configuration. @throws Fault `config`/`invalid_config` */
export type MakeRule<T extends ValidationRule['type']> = (config: ValidationRuleOf<T>, path: string) => Step;

/** THE registry of rules: one line a type, loaded when a document uses it. */
const RULES: { readonly [T in ValidationRule['type']]: () => Promise<MakeRule<T>> } = {
  email_format: async () => (await import('./email-format')).emailFormat,
  range: async () => (await import('./range')).range,
  enum: async () => (await import('./enumeration')).enumeration,
  required: async () => (await import('./required')).required,
  not_null: async () => (await import('./not-null')).notNull,
  regex: async () => (await import('./regex')).regex,
  length: async () => (await import('./length')).length,
  type: async () => (await import('./type')).type,
  unique: async () => (await import('./unique')).unique,
  expression: async () => (await import('./expression')).expression,
  json_schema: async () => (await import('./json-schema')).jsonSchema,
};

/** Makes the rule that a document describes. */
export async function makeRule<T extends ValidationRule['type']>(
  config: ValidationRuleOf<T> & { readonly type: T },
  path: string,
): Promise<Step> {
  const make = await RULES[config.type]();
  return make(config, path);
}
