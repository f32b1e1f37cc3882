import * as z from 'zod';
import { Fault, type FieldIssue } from './fault';
import type { Json } from './json';
import { Secret } from './secret';

/** One documented field of a configuration, for docs pages and forms. */
export interface FieldDoc {
  /** Dotted path, `connection.port`; items of a list are `tables[]`. */
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
  const jsonSchema = () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { [key: string]: Json };
  return {
    keys: Object.keys(schema.shape),
    parse: (input) => parseConfig(schema, input),
    get fields() {
      return fieldDocs(jsonSchema());
    },
    jsonSchema,
  };
}

/** Parses `input`, or throws a `config` fault that names every wrong field and what to do. */
export function parseConfig<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input, { reportInput: false });
  if (result.success) return result.data;
  throw invalidConfig(result.error.issues.flatMap((issue) => fieldIssues(issue, schema)));
}

/** The fault for wrong fields: its message names each, `issues` holds them one by one. */
export function invalidConfig(issues: readonly FieldIssue[]): Fault {
  const message = issues.map((issue) => (issue.path ? `${issue.path}: ${issue.message}` : issue.message)).join('; ');
  return new Fault('config', 'invalid_config', `reading the configuration: ${message}`, {
    hint: 'Correct the named fields and send the document again. Nothing was changed.',
    issues,
  });
}

function fieldIssues(issue: z.core.$ZodIssue, schema: z.ZodType): FieldIssue[] {
  const path = joinPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({ path: joinPath([...issue.path, key]), message: unknownKey(key, known) }));
  }
  return [{ path, message: issue.message }];
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

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let node: SchemaNode | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  for (const part of path) node = typeof part === 'number' ? node?.items : node?.properties?.[String(part)];
  return Object.keys(node?.properties ?? {});
}

/** The member of `known` that `word` was most likely meant to be: at most a third of its letters differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate) }));
  ranked.sort((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly default?: Json;
  readonly example?: Json;
  readonly secret?: boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly string[];
  readonly const?: Json;
}

function fieldDocs(schema: SchemaNode, prefix = ''): FieldDoc[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, node]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const field: FieldDoc = {
      path,
      type: typeName(node),
      doc: node.description ?? '',
      required: required.has(name),
      secret: node.secret === true,
      ...(node.default !== undefined && { default: node.default }),
      ...(node.example !== undefined && { example: node.example }),
    };
    const variants = node.anyOf?.flatMap((variant) => fieldDocs(variant, path)) ?? [];
    return [field, ...fieldDocs(node, path), ...variants, ...(node.items ? fieldDocs(node.items, `${path}[]`) : [])];
  });
}

function typeName(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.anyOf) return node.anyOf.map(typeName).join(' or ');
  if (node.type === 'array') return `list of ${node.items ? typeName(node.items) : 'values'}`;
  return node.type ?? 'any';
}
