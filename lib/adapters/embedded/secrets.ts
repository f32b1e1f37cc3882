import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Fault } from '../../core/fault';
import type { SecretOrigin, Secrets } from '../../core/ports';
import { Secret } from '../../core/secret';

/** Secrets from the environment, then from the `.env` files of `folders`: the first that has the name wins. */
export class EnvironmentSecrets implements Secrets {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #folders: readonly string[];

  constructor(folders: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
    this.#folders = folders;
    this.#environment = environment;
  }

  /** Files are read anew each time: a changed secret counts without a restart. */
  async get(name: string): Promise<Secret | undefined> {
    const given = ownValue(this.#environment, name);
    if (given !== undefined) return new Secret(given);
    for (const folder of this.#folders) {
      const value = ownValue(await readEnvironmentFile(join(folder, '.env')), name);
      if (value !== undefined) return new Secret(value);
    }
    return undefined;
  }
}

/** Secrets of several places: the first that has the name wins. */
export function secretsInOrder(places: readonly Secrets[]): Secrets {
  const first = async <T>(ask: (place: Secrets) => Promise<T | undefined>): Promise<T | undefined> => {
    for (const place of places) {
      const found = await ask(place);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    get: (name) => first((place) => place.get(name)),
    refresh(name) {
      for (const place of places) place.refresh?.(name);
    },
    pending: (name) => first(async (place) => place.pending?.(name)),
    about: (name) => first((place) => aboutIn(place, name)),
  };
}

async function aboutIn(place: Secrets, name: string): Promise<SecretOrigin | undefined> {
  if (place.about !== undefined) return place.about(name);
  return (await place.get(name)) && { store: 'environment' };
}

/** Secrets but those of some names, which no document may refer to. */
export function secretsBut(names: readonly string[], secrets: Secrets): Secrets {
  return { get: async (name) => (names.includes(name) ? undefined : secrets.get(name)) };
}

function ownValue(values: NodeJS.Dict<string>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

async function readEnvironmentFile(path: string): Promise<NodeJS.Dict<string>> {
  try {
    return parseEnv(await readFile(path, 'utf8')) as NodeJS.Dict<string>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new Fault('config', 'env_file_unreadable', `reading the secrets of ${path}: ${message}`, {
      hint: 'Let the user that runs ExplorerIO read that file, or move it away.',
      cause: error,
    });
  }
}
