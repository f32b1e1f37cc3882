import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Fault } from '../../core/fault';
import type { Secrets } from '../../core/ports';
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
