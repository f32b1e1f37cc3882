import { configSpec, type FieldDoc, invalidConfig } from '../core/config';
import type { Connector } from '../core/connector';
import type { FieldIssue } from '../core/fault';
import { type IntegrationDocument, integrationFields } from '../core/integration';
import { canonicalJson, type Json } from '../core/json';
import { isReference, walk } from './resolve';

/** How a secret that is stored is shown; sent back, it keeps what is stored. */
const MASK = '[secret]';

const URL_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^:@/?#\s]*):(.+)@/i;

// Where certificate and key are in one PEM text, it may stand in a field for certificates.
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;

/** The document as it may be shown: secrets that were written into it are masked, references stay. */
export function maskSecrets(document: IntegrationDocument, connector: Connector | undefined): IntegrationDocument {
  const isSecret = secretPaths(connector);
  return walk(document, '', (text, path) =>
    isSecret(path) || PRIVATE_KEY.test(text) ? masked(text) : maskPassword(text),
  ) as IntegrationDocument;
}

/**
 * `next` with each masked secret replaced by what `stored` has in its place. A secret that is kept may only go where it
 * went before: with any other change of the connection it must be sent again, or it could be sent to anybody.
 * @throws Fault `config`/`invalid_config`
 */
export function unmaskSecrets(next: Json, stored: IntegrationDocument, connector: Connector | undefined): Json {
  const values = texts(stored);
  const kept = new Set<string>();
  const result = walk(next, '', (text, path) => {
    const value = values.get(path);
    if (value === undefined || text === value || !(text === MASK || text === maskPassword(value))) return text;
    kept.add(path);
    return value;
  });
  if (kept.size > 0 && destinationOf(result, connector) !== destinationOf(stored, connector)) {
    throw invalidConfig(
      [...kept].map((path) => ({ path, message: 'send it again: something else of the connection changes' })),
    );
  }
  return result;
}

/** All of a connection that is no secret, as one text. A URL counts without its password. */
function destinationOf(document: Json, connector: Connector | undefined): string {
  const isSecret = secretPaths(connector);
  const shown = walk(document, '', (text, path) =>
    isSecret(path) && !URL_PASSWORD.test(text) ? MASK : text.replace(URL_PASSWORD, `$1:${MASK}@`),
  );
  return canonicalJson((shown as IntegrationDocument).connection ?? null);
}

/** Secrets that are given as their mask, though nothing is stored behind it. */
export function forgottenSecrets(document: IntegrationDocument, connector: Connector): FieldIssue[] {
  const isSecret = secretPaths(connector);
  return [...texts(document)]
    .filter(([path, text]) => (isSecret(path) && text === MASK) || URL_PASSWORD.exec(text)?.[2] === MASK)
    .map(([path]) => ({
      path,
      message: `"${MASK}" only keeps a secret that is stored; give the secret, or a reference to it`,
    }));
}

/** The values in a resolved document that must not be shown. */
export function secretValues(document: IntegrationDocument, connector: Connector): string[] {
  const isSecret = secretPaths(connector);
  return [...texts(document)].flatMap(([path, text]) => {
    const password = URL_PASSWORD.exec(text)?.[2];
    // A driver decodes the password, and may show it without the rest of the URL.
    const parts = password === undefined ? [] : [password, decoded(password)];
    return isSecret(path) || PRIVATE_KEY.test(text) ? [text, ...parts] : parts;
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // it is not encoded
  }
}

function texts(document: Json): Map<string, string> {
  const found = new Map<string, string>();
  walk(document, '', (text, path) => {
    found.set(path, text);
    return text;
  });
  return found;
}

/** Tells whether a path holds a secret. Where the connector is not known, all of the connection may be one. */
function secretPaths(connector: Connector | undefined): (path: string) => boolean {
  const common = commonSecrets();
  if (connector === undefined) {
    return (path) => path.startsWith('connection') || common.some((pattern) => pattern.test(path));
  }
  const patterns = [...common, ...patternsOf(connector.fields)];
  return (path) => patterns.some((pattern) => pattern.test(path));
}

let patternsOfCommon: readonly RegExp[] | undefined;

/** Secrets in the sections that every document may have. */
function commonSecrets(): readonly RegExp[] {
  patternsOfCommon ??= patternsOf(configSpec(integrationFields).fields);
  return patternsOfCommon;
}

function patternsOf(fields: readonly FieldDoc[]): readonly RegExp[] {
  return fields.filter((field) => field.secret).map((field) => pathPattern(field.path));
}

function pathPattern(path: string): RegExp {
  const parts = path
    .split('.')
    .map((part) => (part === '*' ? '[^.]+' : escaped(part).replaceAll('\\[\\]', '\\[\\d+\\]')));
  return new RegExp(`^${parts.join('\\.')}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function masked(text: string): string {
  return isReference(text) ? text : maskPassword(text) === text ? MASK : maskPassword(text);
}

/** A URL that carries a password is shown without it. */
function maskPassword(text: string): string {
  return text.replace(URL_PASSWORD, (whole, head: string, password: string) =>
    isReference(password) ? whole : `${head}:${MASK}@`,
  );
}
