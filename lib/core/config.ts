import * as z from 'zod';
import { Fault, type FieldIssue } from './fault';
import type { Json } from './json';
import { Secret } from './secret';

/** One documented field of a configuration, for docs pages and forms. */
export interface FieldDoc {
  /** Dotted path, `connection.port`; items of a list are `tables[]`, members of any name `headers.*`. */
  readonly path: string;
  readonly type: string;
  readonly doc: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly default?: Json;
  readonly example?: Json;
}

/** What a connector or destination can be told, declared once: parsing, docs, form and JSON Schema come from it. */
export interface ConfigSpec<C> {
  /** Top-level keys of an integration document that belong to this configuration. */
  readonly keys: readonly string[];
  /** @throws Fault `config`/`invalid_config` with one issue per wrong field. */
  parse(input: unknown): C;
  readonly fields: readonly FieldDoc[];
  /** JSON Schema (draft 2020-12) of the input. Fields that hold secrets are marked `writeOnly`. */
  jsonSchema(): { readonly [key: string]: Json };
}

/** A field whose value must never be shown; it is parsed into a {@link Secret}. */
export function secretField(description: string) {
  return z
    .string()
    .min(1)
    .meta({ description, secret: true, writeOnly: true, example: '${PASSWORD}' })
    .transform((value) => new Secret(value));
}

/** Builds the spec of one zod object. Unknown keys are refused at every level that uses `z.strictObject`. */
export function configSpec<S extends z.ZodObject>(schema: S): ConfigSpec<z.output<S>> {
  const jsonSchema = () => rootOf(schema) as { readonly [key: string]: Json };
  let fields: readonly FieldDoc[] | undefined;
  return {
    keys: Object.keys(schema.shape),
    parse: (input) => parseConfig(schema, input),
    get fields() {
      fields ??= fieldDocs(jsonSchema());
      return fields;
    },
    jsonSchema,
  };
}

/**
 * Parses `input`, or throws a `config` fault that names every wrong field and what to do. `furtherKeys` are known at the
 * top level beside those of the schema, for suggestions.
 */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  input: unknown,
  furtherKeys: readonly string[] = [],
): z.output<S> {
  const result = schema.safeParse(input, { reportInput: false });
  if (result.success) return result.data;
  const root = rootOf(schema);
  throw invalidConfig(result.error.issues.flatMap((issue) => fieldIssues(issue, { input, root, furtherKeys })));
}

const roots = new WeakMap<z.ZodType, SchemaNode>();

/** Made once for each schema: it takes much longer than parsing. */
function rootOf(schema: z.ZodType): SchemaNode {
  const known = roots.get(schema);
  if (known !== undefined) return known;
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  roots.set(schema, root);
  return root;
}

/** The fault for wrong fields: its message names each, `issues` holds them one by one. */
export function invalidConfig(
  issues: readonly FieldIssue[],
  hint = 'Correct the named fields and send the document again. Nothing was changed.',
): Fault {
  const message = issues.map((issue) => (issue.path ? `${issue.path}: ${issue.message}` : issue.message)).join('; ');
  return new Fault('config', 'invalid_config', `reading the configuration: ${message}`, {
    hint,
    issues,
  });
}

interface Looked {
  readonly input: unknown;
  readonly root: SchemaNode;
  readonly furtherKeys: readonly string[];
}

function fieldIssues(issue: z.core.$ZodIssue, looked: Looked): FieldIssue[] {
  const { input, root, furtherKeys } = looked;
  const path = joinPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = [...keysAt(root, issue.path), ...(issue.path.length === 0 ? furtherKeys : [])];
    return issue.keys.map((key) => ({ path: joinPath([...issue.path, key]), message: unknownKey(key, known) }));
  }
  if (issue.code === 'invalid_union') {
    const nearest = nearestVariant(issue.errors);
    const nested = nearest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
    if (nested.length > 0) return nested.flatMap((inner) => fieldIssues(inner, looked));
  }
  return [{ path, message: wordMessage(issue, input) ?? issue.message }];
}

/** Of a value that is none of some words: which they are, and which was meant. */
function wordMessage(issue: z.core.$ZodIssue, input: unknown): string | undefined {
  const words = wordsOf(issue);
  if (words === undefined) return undefined;
  const given = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | null)?.[part],
    input,
  );
  const near = typeof given === 'string' ? nearest(given, words) : undefined;
  const expected = `expected one of ${words.map((word) => `"${word}"`).join(', ')}`;
  return near === undefined ? expected : `${expected}; did you mean "${near}"?`;
}

function wordsOf(issue: z.core.$ZodIssue): readonly string[] | undefined {
  // The types of zod leave `options` of a discriminated union out.
  const options = (issue as { readonly options?: readonly unknown[] }).options;
  const words = (issue.code === 'invalid_value' ? issue.values : options)?.filter((word) => typeof word === 'string');
  return words !== undefined && words.length > 1 ? words : undefined;
}

/** The issues of the variant that the input was most likely meant to be: of the right type, with the fewest mistakes. */
function nearestVariant(variants: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const ofRightType = variants.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code !== 'invalid_type'),
  );
  return [...ofRightType].sort((left, right) => left.length - right.length)[0] ?? [];
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  return known.length === 0 ? 'unknown key' : `unknown key; known here: ${known.join(', ')}`;
}

function joinPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function keysAt(root: SchemaNode, path: readonly PropertyKey[]): string[] {
  const nodes = path.reduce<readonly SchemaNode[]>(
    (found, part) => found.flatMap((node) => childAt(node, part)),
    [root],
  );
  return nodes.flatMap(variantsOf).flatMap((node) => Object.keys(node.properties ?? {}));
}

function childAt(node: SchemaNode, part: PropertyKey): SchemaNode[] {
  return variantsOf(node).flatMap((variant) => {
    const child = typeof part === 'number' ? variant.items : variant.properties?.[String(part)];
    return [child ?? variant.additionalProperties].filter((found): found is SchemaNode => typeof found === 'object');
  });
}

/** A node and all that it may be instead. */
function variantsOf(node: SchemaNode): SchemaNode[] {
  return [node, ...[node.anyOf, node.oneOf, node.allOf].flatMap((variants) => variants?.flatMap(variantsOf) ?? [])];
}

/** The member of `known` that `word` was most likely meant to be: at most a third of its letters differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate) }));
  ranked.sort((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** Letters to change, add, remove or swap with their neighbour. */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const transposed = swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(substituted, transposed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly default?: Json;
  readonly example?: Json;
  readonly secret?: boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly enum?: readonly string[];
  readonly const?: Json;
}

function fieldDocs(schema: SchemaNode, prefix = ''): FieldDoc[] {
  const fields = variantsOf(schema).flatMap((variant) => ownFields(variant, prefix));
  return [...new Map(fields.map((field) => [`${field.path} ${field.secret}`, field])).values()];
}

function ownFields(schema: SchemaNode, prefix: string): FieldDoc[] {
  const required = new Set(schema.required ?? []);
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, node]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [fieldDoc(path, node, required.has(name)), ...fieldDocs(node, path)];
  });
  const items = schema.items ? fieldDocs(schema.items, `${prefix}[]`) : [];
  const { additionalProperties: any } = schema;
  if (typeof any !== 'object' || Object.keys(any).length === 0) return [...named, ...items];
  const path = prefix === '' ? '*' : `${prefix}.*`;
  const secret = variantsOf(any).some((variant) => variant.secret === true);
  return [...named, ...items, ...(secret ? [fieldDoc(path, any, false)] : []), ...fieldDocs(any, path)];
}

function fieldDoc(path: string, node: SchemaNode, required: boolean): FieldDoc {
  return {
    path,
    type: typeName(node),
    doc: node.description ?? '',
    required,
    secret: variantsOf(node).some((variant) => variant.secret === true),
    ...(node.default !== undefined && { default: node.default }),
    ...(node.example !== undefined && { example: node.example }),
  };
}

function typeName(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  const variants = node.anyOf ?? node.oneOf;
  if (variants) return variants.map(typeName).join(' or ');
  if (node.type === 'array') return `list of ${node.items ? typeName(node.items) : 'values'}`;
  return [node.type ?? 'any'].flat().join(' or ');
}
