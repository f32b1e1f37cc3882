import { createHash } from 'node:crypto';
import type { Json } from '../core/json';
import { Html, html, prose } from './html';
import type { OpenApiDocument } from './openapi';
import { PROBLEMS } from './problem-codes';
import { REFERENCE_STYLE } from './reference-style';

type JsonObject = { readonly [key: string]: Json };

/** Content security policy of the page: its own style and nothing else. */
export const REFERENCE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(REFERENCE_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The OpenAPI document as one page to read, without scripts or assets. */
export function referencePage(document: OpenApiDocument): string {
  const { info } = document;
  const operations = listOperations(document);
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${info.title}</title>
${new Html(`<style>${REFERENCE_STYLE}</style>`)}</head><body>
<nav><h2>${info.title}</h2>${tags.map((tag) => tagLinks(tag, operations))}
<h3>More</h3><a href="#problems">Problems</a><a href="#schemas">Schemas</a><a href="/api/openapi.json">OpenAPI document</a></nav>
<main><h1>${info.title} <small>${info.version}</small></h1><p>${prose(info.description)}</p>
<pre>curl http://localhost:8080/api/integrations/health</pre>
${operations.map(operationSection)}
<h2 id="problems">Problems</h2>${problemTable()}
<h2 id="schemas">Schemas</h2>${Object.entries(document.components.schemas).map(schemaSection)}
</main></body></html>`;
  return page.text;
}

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly details: JsonObject;
}

function listOperations({ paths }: OpenApiDocument): Listed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, details]) => ({
      method: method.toUpperCase(),
      path,
      tag: String(list(object(details).tags)[0]),
      details: object(details),
    })),
  );
}

function tagLinks(tag: string, operations: readonly Listed[]): Html {
  const links = operations
    .filter((operation) => operation.tag === tag)
    .map(({ method, path, details }) => html`<a href="#${text(details, 'operationId')}"><b>${method}</b> ${path}</a>`);
  return html`<h3>${tag}</h3>${links}`;
}

function operationSection({ method, path, details }: Listed): Html {
  const parameters = list(details.parameters).map(object);
  const body = details.requestBody;
  return html`<section id="${text(details, 'operationId')}"><h2><b>${method}</b> <code>${path}</code></h2>
<p>${prose(text(details, 'summary'))}. ${prose(text(details, 'description'))}</p>
${parameters.length > 0 && table(['Parameter', 'In', 'Type', ''], parameters.map(parameterRow))}
${body !== undefined && bodyTable(object(body))}
${table(['Status', 'Answer', ''], Object.entries(object(details.responses)).map(answerRow))}</section>`;
}

function parameterRow(parameter: JsonObject): Html[] {
  const name = html`<code>${text(parameter, 'name')}</code>`;
  return [name, html`${text(parameter, 'in')}`, typeOf(parameter.schema), prose(text(parameter, 'description'))];
}

function bodyTable(body: JsonObject): Html {
  const rows = Object.entries(object(body.content)).map(([type, content]) => [
    html`<code>${type}</code>`,
    typeOf(object(content).schema),
    prose(text(body, 'description')),
  ]);
  return table(['Body', 'Type', ''], rows);
}

function answerRow([status, answer]: [string, Json]): Html[] {
  const details = object(answer);
  const types = Object.values(object(details.content)).map((content) => typeOf(object(content).schema));
  const headers = Object.keys(object(details.headers)).map((name) => html` <code>${name}</code>`);
  return [html`${status}`, html`${types}${headers}`, prose(text(details, 'description'))];
}

function problemTable(): Html {
  const rows = Object.entries(PROBLEMS).map(([code, { status, title, description }]) => [
    html`<code id="${code}">${code}</code>`,
    html`${status}`,
    html`${title}`,
    prose(description),
  ]);
  return table(['Code', 'Status', 'Title', 'When'], rows);
}

function schemaSection([name, schema]: [string, JsonObject]): Html {
  const properties = propertyRows(schema, '');
  const shape = properties.length > 0 ? table(['Field', 'Type', ''], properties) : html`<p>${typeOf(schema)}</p>`;
  return html`<section id="schema-${name}"><h3>${name}</h3>${shape}</section>`;
}

function propertyRows(schema: JsonObject, prefix: string): Html[][] {
  const required = list(schema.required);
  return Object.entries(object(schema.properties)).flatMap(([name, property]) => {
    const details = object(property);
    const path = `${prefix}${name}`;
    const optional = !required.includes(name) && html` <small>optional</small>`;
    const row = [html`<code>${path}</code>${optional}`, typeOf(details), prose(text(details, 'description'))];
    return [row, ...propertyRows(details, `${path}.`), ...propertyRows(object(details.items), `${path}[].`)];
  });
}

function typeOf(schema: Json | undefined): Html {
  const { $ref, type, items, anyOf, enum: values, default: preset, ...rest } = object(schema);
  const suffix = preset !== undefined && html` = <code>${JSON.stringify(preset)}</code>`;
  if (typeof $ref === 'string') {
    // A part of a connector's schema is shown with the whole of it.
    const [name = '', ...parts] = $ref.split('/').slice(3);
    return html`<a href="#schema-${name}">${parts.at(-1) ?? name}</a>`;
  }
  if (Array.isArray(values)) return html`${join(values.map((value) => html`<code>${String(value)}</code>`))}${suffix}`;
  const alternatives = anyOf ?? rest.oneOf;
  if (Array.isArray(alternatives)) return html`${join(alternatives.map(typeOf))}`;
  if (type === 'array') return html`list of ${typeOf(items)}`;
  return html`${typeof type === 'string' ? type : 'any'}${suffix}`;
}

function join(parts: readonly Html[]): Html {
  return html`${parts.map((part, index) => html`${index > 0 && ' or '}${part}`)}`;
}

function table(heads: readonly string[], rows: readonly (readonly Html[])[]): Html {
  const head = heads.map((name) => html`<th>${name}</th>`);
  const body = rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`);
  return html`<table><tr>${head}</tr>\n${body}</table>`;
}

function object(value: Json | undefined): { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function text(details: JsonObject, key: string): string {
  const value = details[key];
  return typeof value === 'string' ? value : '';
}
