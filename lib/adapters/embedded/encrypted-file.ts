import { createHash } from 'node:crypto';
import { Fault } from '../../core/fault';
import type { Clock, SecretOrigin, Secrets } from '../../core/ports';
import { Secret } from '../../core/secret';
import type { FileKeys, KeyDerivation } from './credential-cipher';
import { fileStamp, readWhole, replaceWhole } from './credential-disk';
import {
  type Credentials,
  derivationOf,
  keysOf,
  type LockedFile,
  lock,
  newKeys,
  parseFile,
  type StoredCredential,
  unlock,
} from './credential-format';
import { whileLocked } from './file-lock';

/** A file of credentials, and how to get at its key. */
export interface EncryptedFileOptions {
  readonly path: string;
  /** Asked at each reading of the file: a passphrase, or 32 bytes in base64 or hexadecimal. */
  key(): Promise<Secret | undefined>;
  /** What sets the key, for messages, such as EXPLORERIO_ENCRYPTION_KEY. */
  readonly keyName: string;
  /** Somebody has named the file: it is a mistake when it is not there. Otherwise it is then as if it were empty. */
  readonly required: boolean;
  readonly clock: Pick<Clock, 'now'>;
  /** Told what does not keep the file from being used; each text once. */
  warn(message: string): void;
  /** Refuses a place that the file must not be in, once links are followed. @throws Fault */
  guard?(path: string): void;
}

/** A credential without its value. */
export type CredentialAge = Omit<StoredCredential, 'value'> & { readonly name: string };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NONE: Credentials = new Map();

interface Loaded {
  readonly stamp: string;
  readonly credentials: Credentials;
  readonly derivation?: KeyDerivation;
  readonly keys?: FileKeys;
}

/** Credentials in a file that is encrypted. A change of it counts from the next `get` on, whoever makes it. */
export class EncryptedFile implements Secrets {
  readonly #options: EncryptedFileOptions;
  readonly #warned = new Set<string>();
  // Making a key of a passphrase takes a tenth of a second or more, and it is the same until the key is changed.
  #derived: { readonly of: string; readonly keys: FileKeys } | undefined;
  #loading: Promise<Loaded> | undefined;
  #loaded: Loaded | undefined;

  constructor(options: EncryptedFileOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  /** @throws Fault `config` when the file cannot be read: the key is wrong, it is damaged, newer or not there */
  async get(name: string): Promise<Secret | undefined> {
    const found = (await this.#current()).credentials.get(name);
    return found && new Secret(found.value);
  }

  /** The next `get` reads the file, even if it looks as before. */
  refresh(): void {
    this.#loaded = undefined;
  }

  async about(name: string): Promise<SecretOrigin | undefined> {
    const found = (await this.#current()).credentials.get(name);
    return found && { store: 'encrypted_file', changedAt: found.changedAt };
  }

  /** The names and ages of all, in the order of names. */
  async list(): Promise<readonly CredentialAge[]> {
    const { credentials } = await this.#current();
    return [...credentials]
      .map(([name, { createdAt, changedAt }]) => ({ name, createdAt, changedAt }))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Stores a value. The same value again leaves its age as it is. */
  async set(name: string, value: Secret): Promise<'created' | 'changed' | 'unchanged'> {
    if (!NAME.test(name) || name === '__proto__') throw invalidName(name);
    let outcome: 'created' | 'changed' | 'unchanged' = 'created';
    await this.#change((credentials) => {
      const now = this.#options.clock.now();
      const before = credentials.get(name);
      outcome = before === undefined ? 'created' : before.value === value.reveal() ? 'unchanged' : 'changed';
      if (outcome === 'unchanged') return credentials;
      const entry = { value: value.reveal(), createdAt: before?.createdAt ?? now, changedAt: now };
      return new Map([...credentials, [name, entry]]);
    });
    return outcome;
  }

  /** Gives whether it was there. */
  async remove(name: string): Promise<boolean> {
    let found = false;
    await this.#change((credentials) => {
      found = credentials.has(name);
      return new Map([...credentials].filter(([other]) => other !== name));
    });
    return found;
  }

  /** Writes the file anew under another key; gives how many credentials are in it. */
  async rotateKey(key: Secret): Promise<number> {
    return this.#exclusively(async () => {
      const { credentials, keys } = await this.#load();
      if (keys === undefined) throw missing(this.path);
      const next = await newKeys(key.reveal());
      if (next.keys.check === keys.check) {
        throw new Fault('config', 'same_encryption_key', `changing the key of ${this.path}: it is the same key`, {
          hint: 'Give a new one: "openssl rand -base64 32" makes one.',
        });
      }
      await replaceWhole(this.path, lock(credentials, next.derivation, next.keys));
      return credentials.size;
    });
  }

  async #change(change: (credentials: Credentials) => Credentials): Promise<void> {
    await this.#exclusively(async () => {
      const { credentials, derivation, keys } = await this.#load();
      const next = change(credentials);
      if (next === credentials) return;
      const own = derivation && keys ? { derivation, keys } : await newKeys((await this.#key()).reveal());
      await replaceWhole(this.path, lock(next, own.derivation, own.keys));
    });
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await whileLocked(`${this.path}.lock`, `changing the credentials in ${this.path}`, work);
    } finally {
      this.#loaded = undefined;
    }
  }

  async #current(): Promise<Loaded> {
    const stamp = await fileStamp(this.path);
    if (this.#loaded !== undefined && this.#loaded.stamp === stamp) return this.#known(this.#loaded);
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    this.#loaded = await this.#loading;
    return this.#known(this.#loaded);
  }

  #known(loaded: Loaded): Loaded {
    if (loaded.keys === undefined && this.#options.required) throw missing(this.path);
    return loaded;
  }

  async #load(): Promise<Loaded> {
    const found = await readWhole(this.path, this.#options.guard);
    if (found === undefined) return { stamp: '', credentials: NONE };
    for (const warning of found.warnings) this.#warnOnce(warning);
    const file = parseFile(found.text, this.path);
    const derivation = derivationOf(file);
    const keys = await this.#keysOf(file, (await this.#key()).reveal());
    return { stamp: found.stamp, credentials: unlock(file, keys, this.path), derivation, keys };
  }

  async #keysOf(file: LockedFile, key: string): Promise<FileKeys> {
    const of = createHash('sha256')
      .update(JSON.stringify([key, derivationOf(file), file.key_check]))
      .digest('hex');
    if (this.#derived?.of !== of) this.#derived = { of, keys: await keysOf(file, key, this.path) };
    return this.#derived.keys;
  }

  async #key(): Promise<Secret> {
    const key = await this.#options.key();
    if (key !== undefined && key.reveal() !== '') return key;
    const { path, keyName } = this.#options;
    throw new Fault('config', 'encryption_key_missing', `opening the credentials in ${path}: ${keyName} is not set`, {
      hint: `Set ${keyName} in the environment or in a .env file: 32 random bytes ("openssl rand -base64 32") or a passphrase.`,
    });
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.warn(message);
  }
}

function missing(path: string): Fault {
  return new Fault('config', 'credentials_missing', `reading the credentials in ${path}: there is no such file`, {
    hint: 'Make it with "explorerio secrets set NAME", or name another file.',
  });
}

function invalidName(name: string): Fault {
  return new Fault('config', 'invalid_name', `setting the credential ${JSON.stringify(name)}: that is no name`, {
    hint: 'A name has letters, digits and "_", and begins with no digit: it is what ${NAME} says in a document.',
  });
}
