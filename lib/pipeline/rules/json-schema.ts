import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import { invalidConfig } from '../../core/config';
import { Fault, messageOf } from '../../core/fault';
import type { ValidationRuleOf } from '../../core/validation-rules';
import { compileRe2 } from '../re2';
import { type Step, wrong } from '../step';
import { cellRule, type Passes } from './cells';
import { schemaIssues } from './json-schema-subset';

const LONGEST_SCHEMA = 100_000;

/** JSON that fits a JSON Schema (draft 2020-12). `format` is a remark, as the draft has it. */
export function jsonSchema({ field, required, schema }: ValidationRuleOf<'json_schema'>, path: string): Step {
  const validate = compiled(schema, `${path}.schema`);
  const passes: Passes = (value) => {
    try {
      return validate(JSON.parse(String(value))) === true;
    } catch {
      // Text that is no JSON, or nested deeper than the stack is: neither fits.
      return false;
    }
  };
  return cellRule({
    type: 'json_schema',
    field,
    required,
    problem: 'does not fit the JSON Schema',
    types: 'JSON (json, or text that holds it)',
    check: (type) => (type === 'json' || type === 'text' ? passes : undefined),
  });
}

type Schema = ValidationRuleOf<'json_schema'>['schema'];

function compiled(schema: Schema, path: string): ValidateFunction {
  if (JSON.stringify(schema).length > LONGEST_SCHEMA)
    throw wrong(path, `a schema has at most ${LONGEST_SCHEMA} characters`);
  const issues = schemaIssues(schema, path);
  if (issues.length > 0) throw invalidConfig(issues);
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    validateFormats: false,
    // One function for each definition instead of its code at every place.
    inlineRefs: false,
    logger: false,
    code: { regExp: Object.assign(expressionOf, { code: 'compileRe2' }) },
  });
  try {
    const [mistake] = ajv.validateSchema(schema) === true ? [] : (ajv.errors ?? []);
    if (mistake) throw wrong(path + mistake.instancePath.replaceAll('/', '.'), mistake.message ?? 'is not valid');
    return ajv.compile(schema);
  } catch (error) {
    throw error instanceof Fault ? error : wrong(path, messageOf(error));
  }
}

/** What the library uses for `pattern` instead of JavaScript's own, which can be made to run for ever. */
function expressionOf(pattern: string) {
  const made = compileRe2(pattern);
  if (typeof made === 'string') throw new Error(`pattern "${pattern}": ${made}`);
  // By its text the library knows one expression from another.
  return { test: made.test, toString: () => pattern };
}
