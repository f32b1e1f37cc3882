import { invalidConfig } from '../../core/config';
import { Secret } from '../../core/secret';
import type { TlsConfig } from './tls';

/** How the URIs of one type of database look. */
export interface UriForm {
  /** With their colon. */
  readonly protocols: readonly string[];
  /** For messages: what it has to begin with, and a whole one. */
  readonly beginning: string;
  readonly example: string;
  /** The one parameter that is known: how the connection is encrypted. */
  readonly encryption: {
    readonly parameter: string;
    /** A mode as its clients write it. */
    normalised(mode: string): string;
    readonly modes: ReadonlyMap<string, TlsConfig>;
    /** The mode to recommend. */
    readonly best: string;
  };
}

/** What a URI says; what it does not say is left out. */
export interface UriParts {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly username?: string;
  readonly password?: Secret;
  readonly ssl?: TlsConfig;
}

/** Takes a URI apart. Messages never quote it. @throws Fault `config`/`invalid_config` */
export function uriParts(uri: Secret, form: UriForm): UriParts {
  const url = parseUrl(uri, form);
  const password = decodeURIComponent(url.password);
  return withoutUndefined({
    host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1') || undefined,
    port: url.port === '' ? undefined : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)) || undefined,
    username: decodeURIComponent(url.username) || undefined,
    password: password === '' ? undefined : new Secret(password),
    ssl: sslOf(url, form),
  }) as UriParts;
}

/** The fields that are given. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

/** The fault for a URI that cannot be. */
export function invalidUri(message: string) {
  return invalidConfig([{ path: 'connection.uri', message }]);
}

function parseUrl(uri: Secret, { protocols, beginning, example }: UriForm): URL {
  let url: URL;
  try {
    url = new URL(uri.reveal());
  } catch {
    throw invalidUri(`expected ${example}`); // the parser's message quotes it
  }
  if (!protocols.includes(url.protocol)) throw invalidUri(`must begin with ${beginning}`);
  return url;
}

function sslOf(url: URL, { encryption: { parameter, normalised, modes, best } }: UriForm): TlsConfig | undefined {
  for (const name of url.searchParams.keys()) {
    if (name !== parameter) throw invalidUri(`the parameter "${name}" is not known; use the fields of "connection"`);
  }
  const given = url.searchParams.get(parameter);
  if (given === null) return undefined;
  const mode = normalised(given);
  const known = modes.get(mode);
  if (known !== undefined) return known;
  throw invalidUri(`${parameter} "${mode}" does not verify the server; use ${best}, or say so in connection.ssl`);
}
