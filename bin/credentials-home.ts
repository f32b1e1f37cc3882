import { delimiter, resolve } from 'node:path';
import { defaultFile, FileStores, FOLDERS_VARIABLE } from '../lib/adapters/embedded/credential-stores';
import { EncryptedFile } from '../lib/adapters/embedded/encrypted-file';
import { EnvironmentSecrets, secretsBut, secretsInOrder } from '../lib/adapters/embedded/secrets';
import type { CredentialStores, Secrets } from '../lib/core/ports';
import type { Redactor } from '../lib/core/secret';
import { systemClock } from '../lib/core/system-clock';
import type { Environment } from './cli';

/** Variable that holds the key of the file of credentials. */
export const KEY_VARIABLE = 'EXPLORERIO_ENCRYPTION_KEY';
/** Variable that names the file of credentials. */
export const FILE_VARIABLE = 'EXPLORERIO_CREDENTIALS_FILE';

// Whoever may store a document could have them sent to a server of his own.
const OUT_OF_REACH = [KEY_VARIABLE, 'EXPLORERIO_API_KEY'];

/** What credentials are opened with. */
export interface CredentialsOptions {
  readonly dataFolder: string;
  readonly env: Environment;
  readonly redactor: Redactor;
  warn(message: string): void;
}

/** Where the `${NAME}` of documents come from. */
export interface HomeCredentials {
  /** The file of the home, then the environment and `.env`. */
  readonly secrets: Secrets;
  /** The files that documents name. */
  readonly stores: CredentialStores;
}

/** A file of credentials, and where it is. */
export interface FileChoice {
  /** Another file than that of the home. */
  readonly file?: string | undefined;
  /** Another variable that holds its key. */
  readonly keyName?: string | undefined;
}

/** The file of credentials that the environment names, or that of the data folder. */
export function openCredentialsFile(options: CredentialsOptions, choice: FileChoice = {}): EncryptedFile {
  const { dataFolder, env, redactor, warn } = options;
  const named = choice.file ?? env[FILE_VARIABLE];
  const keyName = choice.keyName ?? KEY_VARIABLE;
  const environment = environmentOf(options);
  return new EncryptedFile({
    path: named ? resolve(choice.file === undefined ? dataFolder : '', named) : defaultFile(resolve(dataFolder)),
    key: async () => {
      const key = await environment.get(keyName);
      if (key !== undefined) redactor.add(key.reveal());
      return key;
    },
    keyName,
    required: Boolean(named),
    clock: systemClock,
    warn,
  });
}

/** The credentials of a home. */
export function openCredentials(options: CredentialsOptions): HomeCredentials {
  const { dataFolder, env, redactor, warn } = options;
  const environment = environmentOf(options);
  const folders = (env[FOLDERS_VARIABLE] ?? '').split(delimiter).filter(Boolean);
  return {
    secrets: secretsInOrder([openCredentialsFile(options), secretsBut(OUT_OF_REACH, environment)]),
    stores: new FileStores({
      dataFolder,
      folders,
      environment,
      redactor,
      clock: systemClock,
      warn,
    }),
  };
}

function environmentOf({ dataFolder, env }: CredentialsOptions): Secrets {
  return new EnvironmentSecrets([process.cwd(), dataFolder], env);
}
