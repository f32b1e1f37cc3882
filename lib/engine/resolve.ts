import { invalidConfig } from '../core/config';
import type { FieldIssue } from '../core/fault';
import type { Json } from '../core/json';
import type { Secrets } from '../core/ports';
import type { Redactor } from '../core/secret';
import { readSecrets, type SecretValues } from './secret-values';

/** `${NAME}`, and `$${` for a `${` that is meant as it stands. */
const REFERENCE = /\$\$\{|\$\{([^{}]*)\}/g;
const WHOLE_REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
const UNSET_HINT =
  'Set it where ExplorerIO runs: in its environment, in a .env file in its working or data folder, or with "explorerio secrets set". Only for the environment itself a server that runs has to be started again.';
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a text is one `${NAME}` and nothing else, so that showing it tells nothing. */
export function isReference(text: string): boolean {
  return WHOLE_REFERENCE.test(text);
}

/**
 * A copy of `document` in which each `${NAME}` is replaced by the secret of that name. Resolved values are registered
 * with the redactor.
 * @throws Fault `config`/`invalid_config` naming every reference that is not set
 */
export async function resolveReferences(document: Json, secrets: Secrets, redactor: Redactor): Promise<Json> {
  return insertValues(document, await readSecrets(referencedNames(document), secrets, redactor));
}

/**
 * A copy of `document` in which each `${NAME}` is replaced by the value of that name.
 * @throws Fault `config`/`invalid_config` naming every reference that is not set
 */
export function insertValues(document: Json, values: SecretValues): Json {
  const issues: FieldIssue[] = [];
  const result = walk(document, '', (text, path) =>
    text.replace(REFERENCE, (reference, name: string | undefined) => {
      if (name === undefined) return '${';
      const value = values.get(name);
      if (value === undefined) issues.push({ path, message: missing(name) });
      return value ?? reference;
    }),
  );
  if (issues.length > 0) throw invalidConfig(issues, UNSET_HINT);
  return result;
}

function missing(name: string): string {
  if (NAME.test(name)) return `${name} is not set in the environment or in .env of the running ExplorerIO`;
  return `"\${${name}}" is no reference: a name has letters, digits and "_"; write "$\${" for a "\${" that is meant as it stands`;
}

/** The names in the `${NAME}` of a document. */
export function referencedNames(document: Json): Set<string> {
  const names = new Set<string>();
  walk(document, '', (text) => {
    for (const match of text.matchAll(REFERENCE)) {
      if (match[1] !== undefined && NAME.test(match[1])) names.add(match[1]);
    }
    return text;
  });
  return names;
}

/** A copy of `node` with every text replaced by what `visit` gives for it and its path. */
export function walk(node: Json, path: string, visit: (text: string, path: string) => string): Json {
  if (typeof node === 'string') return visit(node, path);
  if (Array.isArray(node)) return node.map((item: Json, index) => walk(item, `${path}[${index}]`, visit));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, walk(value, path === '' ? key : `${path}.${key}`, visit)]),
  );
}
