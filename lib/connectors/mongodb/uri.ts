import { invalidConfig } from '../../core/config';
import { Secret } from '../../core/secret';
import { AUTH_MECHANISMS, type ConnectionConfig, READ_PREFERENCES } from './config';

/** One server; `port` is absent where the name service tells it. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a URI says, in the words of the configuration. */
export interface UriParts
  extends Partial<
    Pick<
      ConnectionConfig,
      | 'database'
      | 'username'
      | 'password'
      | 'auth_database'
      | 'auth_mechanism'
      | 'replica_set'
      | 'direct'
      | 'read_preference'
      | 'ssl'
      | 'application_name'
    >
  > {
  /** Absent for a name under which the name service lists the servers. */
  readonly hosts?: readonly HostPort[];
  /** The name of `mongodb+srv`. */
  readonly service?: string;
}

/** The port where none is given. */
export const DEFAULT_PORT = 27017;

const SHAPE = /^mongodb(\+srv)?:\/\/(?:([^@/?]*)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/s;

// Of drivers that write, or without effect on what is read.
const IGNORED = new Set(['retrywrites', 'retryreads', 'w', 'journal', 'wtimeoutms', 'compressors']);

/** Takes a URI apart. @throws Fault `config`/`invalid_config`, which does not quote it */
export function parseUri(uri: Secret): UriParts {
  const [, srv, login, hosts, database, query] = SHAPE.exec(uri.reveal()) ?? [];
  if (hosts === undefined) throw invalidUri('expected mongodb://username:password@host:port/database');
  const [username, password] = (login ?? '').split(/:(.*)/s).map(decoded);
  return {
    ...(srv === undefined ? { hosts: hosts.split(',').map((host) => parseHost(decoded(host))) } : { service: hosts }),
    ...(username && { username }),
    ...(password && { password: new Secret(password) }),
    ...(database && { database: decoded(database) }),
    // As every driver reads it; with mongodb+srv the name service says where the user is, as a rule in admin.
    ...(database && username && srv === undefined && { auth_database: decoded(database) }),
    ...parameters(query ?? '', srv !== undefined),
  };
}

/** `host`, `host:port` or `[address]:port`. @throws Fault `config`/`invalid_config` */
export function parseHost(text: string, path = 'connection.uri'): HostPort {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw invalidConfig([{ path, message: 'expected hosts such as "db.company.com:27017"' }]);
  }
  return { host, port: number };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUri('a percent sign in it is not followed by two hexadecimal digits'); // the parser's message quotes it
  }
}

function parameters(query: string, srv: boolean): UriParts {
  const given = [...new URLSearchParams(query)].map(([name, value]) => parameter(name, value));
  return Object.assign(srv ? { ssl: true } : {}, ...given) as UriParts;
}

function parameter(name: string, value: string): UriParts {
  const known = name.toLowerCase();
  if (IGNORED.has(known)) return {};
  if (known === 'authsource') return { auth_database: value };
  if (known === 'replicaset') return { replica_set: value };
  if (known === 'appname') return { application_name: value };
  if (known === 'tls' || known === 'ssl') return { ssl: yesOrNo(name, value) };
  if (known === 'directconnection') return { direct: yesOrNo(name, value) };
  if (known === 'readpreference') return { read_preference: oneOf(READ_PREFERENCES, name, value) };
  if (known === 'authmechanism') return { auth_mechanism: oneOf(AUTH_MECHANISMS, name, value) };
  throw invalidUri(`the parameter "${name}" is not known; use the fields of "connection"`);
}

function yesOrNo(name: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalidUri(`the parameter "${name}" must be true or false`);
}

function oneOf<T extends string>(known: readonly T[], name: string, value: string): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw invalidUri(`the parameter "${name}" must be one of ${known.join(', ')}`);
}

/** The fault of a URI that cannot be used. */
export function invalidUri(message: string) {
  return invalidConfig([{ path: 'connection.uri', message }]);
}
