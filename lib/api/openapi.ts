import * as z from 'zod';
import type { Json } from '../core/json';
import type { ConnectorInfo } from '../core/service';
import { components, problem } from './answers';
import type { Answer, Operation, RequestBody } from './operation';
import { PROBLEMS, type ProblemCode } from './problem-codes';

type JsonObject = { readonly [key: string]: Json };

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument extends JsonObject {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: { readonly [path: string]: JsonObject };
  readonly components: JsonObject & { readonly schemas: { readonly [name: string]: JsonObject } };
}

const SCHEMAS = '#/components/schemas/';
const DOCUMENT = 'IntegrationDocument';
const EVERYWHERE: readonly ProblemCode[] = ['invalid_parameter', 'rate_limited', 'internal_error'];
const DESCRIPTION = [
  'Moves data from databases, files, APIs and streams into one PostgreSQL store.',
  'Whatever is refused is answered with problem details (RFC 9457): `code` is stable, `detail` says what was being done,',
  '`hint` what to do, `errors` each wrong field with its path. Secrets can be written, never read.',
].join(' ');

/** Describes the routes; documents of integrations as the connectors describe them. */
export function openApiDocument(
  operations: readonly Operation[],
  about: { readonly version: string; readonly connectors: readonly ConnectorInfo[] },
): OpenApiDocument {
  const paths: { [path: string]: { [method: string]: Json } } = {};
  for (const operation of operations) {
    const item = paths[operation.path] ?? {};
    item[operation.method] = describeOperation(operation);
    paths[operation.path] = item;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'ExplorerIO API', version: about.version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map((operation) => operation.tag))].map((name) => ({ name })),
    security: [{ bearer: [] }, { header: [] }],
    paths,
    components: {
      schemas: { ...namedSchemas(), ...documentSchemas(about.connectors) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The API key; servers on loopback may need none.' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}

function describeOperation(operation: Operation): Json {
  const parameters = [...pathParameters(operation), ...queryParameters(operation), ...headerParameters(operation)];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    ...((operation.isPublic || operation.isSigned) && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && { requestBody: describeBody(operation.body) }),
    responses: { ...describeAnswers(operation.answers), ...describeProblems(operation) },
  };
}

const PATH_PARAMETERS: { readonly [name: string]: string } = {
  run: 'Id of the run.',
  record: 'Id of the record in quarantine.',
  alert: 'Slug or name of the alert.',
  mute: 'Id of the mute.',
  path: 'What follows in the path of `webhook_config.endpoint`; it may hold slashes.',
};

function pathParameters({ path }: Operation): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[name] ?? 'Name of the integration.',
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Operation): Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = inline(schema);
    return { name, in: 'query', required: false, ...(description !== undefined && { description }), schema: rest };
  });
}

function headerParameters({ headers = [] }: Operation): Json[] {
  return headers.map(({ name, description }) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
}

function describeBody({ schema, description, required, mediaTypes = ['application/json'] }: RequestBody): Json {
  const shape = shapeOf(schema);
  return { description, required, content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: shape }])) };
}

function shapeOf(schema: RequestBody['schema']): JsonObject {
  if (schema === 'document') return reference(DOCUMENT);
  if (schema === 'patch') return { type: 'object' };
  return schema === 'bytes' ? { type: 'string', format: 'binary' } : refer(schema);
}

function describeAnswers(answers: { readonly [status: number]: Answer }): JsonObject {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer)]));
}

function describeAnswer({ description, schema, mediaType = 'application/json', headers }: Answer): Json {
  return {
    description,
    ...(headers && { headers: mapValues(headers, (text) => ({ description: text, schema: { type: 'string' } })) }),
    ...(schema && { content: { [mediaType]: { schema: refer(schema) } } }),
  };
}

function describeProblems(operation: Operation): JsonObject {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...new Set([...operation.problems, ...impliedProblems(operation)])]) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, describeProblem(codes)]));
}

function impliedProblems({ body, isPublic, isSigned }: Operation): ProblemCode[] {
  if (isSigned) return [...EVERYWHERE, 'transient', 'payload_too_large'];
  return [
    ...EVERYWHERE,
    ...(['wrong_host', 'cross_origin'] as const),
    ...(isPublic ? [] : (['unauthorized', 'transient'] as const)),
    ...(body ? (['malformed_json', 'unsupported_media_type', 'payload_too_large'] as const) : []),
  ];
}

function describeProblem(codes: readonly ProblemCode[]): Json {
  const headers = codes.some((code) => 'retry' in PROBLEMS[code])
    ? { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'string' } } }
    : undefined;
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].description}`).join(' '),
    ...(headers && { headers }),
    content: { 'application/problem+json': { schema: refer(problem) } },
  };
}

function refer(schema: z.ZodType): JsonObject {
  const id = components.get(schema)?.id;
  return id === undefined ? inline(schema) : reference(id);
}

function reference(name: string): JsonObject {
  return { $ref: SCHEMAS + name };
}

function inline(schema: z.core.$ZodType): JsonObject {
  return bare(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject);
}

function bare({ $schema, $id, ...schema }: JsonObject): JsonObject {
  return schema;
}

function namedSchemas(): { [name: string]: JsonObject } {
  const options = { io: 'input', unrepresentable: 'any', uri: (id: string) => SCHEMAS + id } as const;
  return mapValues(z.toJSONSchema(components, options).schemas, (schema) => bare(schema as JsonObject));
}

// A connector's schema refers to its own parts from its root, which is elsewhere within this document.
function documentSchemas(connectors: readonly ConnectorInfo[]): { [name: string]: JsonObject } {
  const entries = connectors.map(({ type, title, schema }) => {
    const name = `${DOCUMENT}_${type}`;
    return [name, { title, ...(rebase(bare(schema), SCHEMAS + name) as JsonObject) }] as const;
  });
  const references = entries.map(([name]) => reference(name));
  const any = references.length === 0 ? { type: 'object' } : { anyOf: references };
  return { ...Object.fromEntries(entries), [DOCUMENT]: any };
}

function rebase(value: Json, root: string): Json {
  if (Array.isArray(value)) return value.map((item) => rebase(item, root));
  if (typeof value !== 'object' || value === null) return value;
  return mapValues(value as JsonObject, (item, key) =>
    key === '$ref' && typeof item === 'string' && item.startsWith('#') ? root + item.slice(1) : rebase(item, root),
  );
}

function mapValues<T, U>(
  record: { readonly [key: string]: T },
  map: (value: T, key: string) => U,
): { [key: string]: U } {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
