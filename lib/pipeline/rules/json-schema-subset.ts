import type { FieldIssue } from '../../core/fault';
import type { Json } from '../../core/json';

type Schema = { readonly [keyword: string]: Json };

const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const SINGLES = new Set([
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const REFUSED: { readonly [keyword: string]: string } = {
  $async: 'is not allowed here',
  $dynamicRef: 'is not supported; use "$ref"',
  $recursiveRef: 'is not supported; use "$ref"',
  $anchor: 'is not supported; point at the place, as in "#/$defs/name"',
  $dynamicAnchor: 'is not supported',
};
/** Schemas that one value can be compared with, each `$ref` followed. */
const MOST_SCHEMAS = 10_000;
const LONGEST_UNIQUE = 1000;

/**
 * What a schema has that could make checking endless or reach outside: references to elsewhere, recursion (its cost can
 * double with each level of the data), references that multiply, comparing each item with every other.
 */
export function schemaIssues(root: Schema, path: string): FieldIssue[] {
  return new Subset(root, path).check();
}

class Subset {
  readonly #root: Schema;
  readonly #path: string;
  readonly #issues: FieldIssue[] = [];
  readonly #costs = new Map<Schema, number>();
  readonly #open = new Set<Schema>();

  constructor(root: Schema, path: string) {
    this.#root = root;
    this.#path = path;
  }

  check(): FieldIssue[] {
    const cost = this.#cost(this.#root, this.#path);
    if (this.#issues.length === 0 && cost > MOST_SCHEMAS) {
      this.#refuse(this.#path, `its references multiply to more than ${MOST_SCHEMAS} schemas; make it simpler`);
    }
    return this.#issues;
  }

  #cost(schema: Schema, path: string): number {
    const known = this.#costs.get(schema);
    if (known !== undefined) return known;
    if (this.#open.has(schema)) {
      this.#refuse(path, 'a schema that refers to itself is not supported');
      return 1;
    }
    this.#open.add(schema);
    let cost = 1;
    for (const [keyword, value] of Object.entries(schema)) cost += this.#keyword(schema, keyword, value, path);
    this.#open.delete(schema);
    this.#costs.set(schema, cost);
    return cost;
  }

  #keyword(schema: Schema, keyword: string, value: Json, path: string): number {
    const at = `${path}.${keyword}`;
    const refused = REFUSED[keyword];
    if (refused !== undefined) this.#refuse(at, `"${keyword}" ${refused}`);
    if (keyword === '$id' && schema !== this.#root) this.#refuse(at, '"$id" is not supported here');
    if (keyword === 'uniqueItems' && value === true && !isShort(schema.maxItems)) {
      this.#refuse(at, `"uniqueItems" compares each item with all others: set "maxItems" to ${LONGEST_UNIQUE} or less`);
    }
    if (keyword === '$ref') return this.#reference(String(value), at);
    if (SINGLES.has(keyword)) return isSchema(value) ? this.#cost(value, at) : 0;
    const children = LISTS.has(keyword) || MAPS.has(keyword) ? Object.entries(value ?? {}) : [];
    const costs = children.map(([name, child]) => (isSchema(child) ? this.#cost(child, `${at}.${name}`) : 0));
    // Definitions cost where they are used.
    return keyword === '$defs' || keyword === 'definitions' ? 0 : costs.reduce((sum, cost) => sum + cost, 0);
  }

  #reference(target: string, at: string): number {
    if (target !== '#' && !target.startsWith('#/')) {
      this.#refuse(
        at,
        `"${target}" is elsewhere, and nothing is fetched; put it into "$defs" and refer to "#/$defs/name"`,
      );
      return 0;
    }
    const found = target.split('/').slice(1).reduce<Json | undefined>(member, this.#root);
    if (isSchema(found)) return this.#cost(found, at);
    if (typeof found !== 'boolean') this.#refuse(at, `there is nothing at "${target}"`);
    return 0;
  }

  #refuse(path: string, message: string): void {
    if (!this.#issues.some((issue) => issue.path === path)) this.#issues.push({ path, message });
  }
}

function member(from: Json | undefined, part: string): Json | undefined {
  const name = safeDecoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
  if (typeof from !== 'object' || from === null || !Object.hasOwn(from, name)) return undefined;
  return (from as { readonly [name: string]: Json })[name];
}

function safeDecoded(part: string): string {
  return /%(?![0-9a-f]{2})/i.test(part) ? part : decodeURIComponent(part);
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShort(most: Json | undefined): boolean {
  return typeof most === 'number' && most <= LONGEST_UNIQUE;
}
