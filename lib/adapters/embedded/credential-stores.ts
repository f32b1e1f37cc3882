import { realpathSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { Fault, type FieldIssue } from '../../core/fault';
import type { Clock, CredentialStore, CredentialStores, Secrets } from '../../core/ports';
import { type Redactor, Secret } from '../../core/secret';
import { EncryptedFile } from './encrypted-file';
import { secretsInOrder } from './secrets';

/** Variable that names the folders, beside the data folder, in which documents may name files of credentials. */
export const FOLDERS_VARIABLE = 'EXPLORERIO_CREDENTIALS_FOLDERS';

/** What the files that documents name are opened with. */
export interface FileStoresOptions {
  readonly dataFolder: string;
  /** Further folders in which documents may name files. */
  readonly folders: readonly string[];
  /** Where keys come from, and what the files do not have. */
  readonly environment: Secrets;
  readonly redactor: Redactor;
  readonly clock: Pick<Clock, 'now'>;
  warn(message: string): void;
}

const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
// A document that is only tested has a store, too.
const MOST_OPEN = 100;

/** The files of credentials that documents name. */
export class FileStores implements CredentialStores {
  readonly #options: FileStoresOptions;
  readonly #allowed: readonly string[];
  readonly #open = new Map<string, Secrets>();

  constructor(options: FileStoresOptions) {
    this.#options = options;
    this.#allowed = [options.dataFolder, ...options.folders.filter(isAbsolute)].map((folder) => resolve(folder));
  }

  /** Documents come from whoever may call the API, who must not find out what other files there are on this machine. */
  check({ file_path }: CredentialStore): readonly FieldIssue[] {
    const path = this.#pathOf(file_path);
    if (!file_path.includes('\0') && this.#allowed.some((folder) => isInside(path, folder))) return [];
    const message = `files of credentials lie in the data folder, or in a folder that the environment variable ${FOLDERS_VARIABLE} of the server names (several are separated as in PATH)`;
    return [{ path: 'credential_store.file_path', message }];
  }

  open(store: CredentialStore): Secrets {
    const [issue] = this.check(store);
    if (issue !== undefined) throw refused(issue.message);
    const id = JSON.stringify([store.file_path, store.encryption_key]);
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    if (this.#open.size >= MOST_OPEN) this.#open.clear();
    const secrets = secretsInOrder([this.#file(store), this.#options.environment]);
    this.#open.set(id, secrets);
    return secrets;
  }

  #file({ file_path, encryption_key }: CredentialStore): EncryptedFile {
    const { environment, redactor, clock, warn } = this.#options;
    const name = REFERENCE.exec(encryption_key)?.[1];
    return new EncryptedFile({
      path: this.#pathOf(file_path),
      key: async () => {
        const key = name === undefined ? literal(encryption_key) : await environment.get(name);
        if (key !== undefined) redactor.add(key.reveal());
        return key;
      },
      keyName: name ?? 'encryption_key',
      required: true,
      clock,
      warn,
      // Links may lead out of the folders.
      guard: (place) => {
        if (!this.#realFolders().some((folder) => isInside(place, folder))) {
          throw refused(`it is a link to a place that ${FOLDERS_VARIABLE} does not allow`);
        }
      },
    });
  }

  #pathOf(path: string): string {
    return resolve(this.#options.dataFolder, path);
  }

  #realFolders(): string[] {
    return this.#allowed.flatMap((folder) => {
      try {
        return [realpathSync(folder)];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // then nothing is in it
        throw error;
      }
    });
  }
}

/** A key that is written into the document. A text with a reference in its midst is a mistake, and no key. */
function literal(text: string): Secret | undefined {
  return text.includes('${') ? undefined : new Secret(text);
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function refused(message: string): Fault {
  return new Fault('config', 'credentials_not_allowed', `opening the file of credentials: ${message}`, {
    hint: `Move the file into the data folder, or set ${FOLDERS_VARIABLE} where the server runs and start it again.`,
  });
}

/** Path of the default file of a data folder. */
export function defaultFile(dataFolder: string): string {
  return join(dataFolder, 'credentials.enc');
}
