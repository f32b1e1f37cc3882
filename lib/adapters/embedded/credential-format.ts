import * as z from 'zod';
import { Fault } from '../../core/fault';
import { canonicalJson, type Json } from '../../core/json';
import {
  derivationFor,
  type FileKeys,
  fileKeys,
  isBounded,
  isSameMark,
  type KeyDerivation,
  newNonce,
  seal,
  unseal,
} from './credential-cipher';

/** One credential as it lies in the file. Times are milliseconds since 1970. */
export interface StoredCredential {
  readonly value: string;
  readonly createdAt: number;
  /** When the value was last another one. */
  readonly changedAt: number;
}

/** The credentials of a file by their names. */
export type Credentials = ReadonlyMap<string, StoredCredential>;

const FORMAT = 'explorerio-credentials';
const VERSION = 1;

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  cipher: z.literal('aes-256-gcm'),
  kdf: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('none') }),
    z
      .strictObject({
        name: z.literal('scrypt'),
        N: z.int().min(2),
        r: z.int().min(1),
        p: z.int().min(1),
        salt: z.base64(),
      })
      .refine(isBounded),
  ]),
  key_check: z.base64(),
  nonce: z.base64(),
});
const fileSchema = headerSchema.extend({ ciphertext: z.base64() });
const contentSchema = z.strictObject({
  credentials: z.record(
    z.string(),
    z.strictObject({ value: z.string().min(1), createdAt: z.number(), changedAt: z.number() }),
  ),
});

type Header = z.output<typeof headerSchema>;
/** A file as it was read, still locked. */
export type LockedFile = z.output<typeof fileSchema>;

/** What of a file a key is made for. */
export function derivationOf(file: LockedFile): KeyDerivation {
  return file.kdf;
}

/** Reads the outer form of a file. Nothing of what stands in it is ever shown. @throws Fault `config` */
export function parseFile(text: string, path: string): LockedFile {
  const doing = `reading the credentials in ${path}`;
  const input = jsonOf(text);
  const { format, version } = (input ?? {}) as { readonly format?: unknown; readonly version?: unknown };
  if (format !== FORMAT) {
    throw new Fault('config', 'credentials_damaged', `${doing}: it is no file of credentials, or it is damaged`, {
      hint: 'Restore it from a backup, or name another file. Nothing was changed.',
    });
  }
  if (typeof version === 'number' && version > VERSION) {
    throw new Fault('config', 'credentials_too_new', `${doing}: it was written by a newer version of ExplorerIO`, {
      hint: `Its format is ${version} and this program knows up to ${VERSION}: install the newer version. Nothing was changed.`,
    });
  }
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success) throw damaged(doing);
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the message of the error would quote the file
  }
}

/** The keys of a file. @throws Fault `config`/`wrong_encryption_key` */
export async function keysOf(file: LockedFile, key: string, path: string): Promise<FileKeys> {
  const keys = await fileKeys(key, file.kdf);
  if (keys !== undefined && isSameMark(keys.check, file.key_check)) return keys;
  throw new Fault(
    'config',
    'wrong_encryption_key',
    `reading the credentials in ${path}: the encryption key is not that of the file`,
    {
      hint: 'Set the key that the file was last written with; "explorerio secrets rotate-key" replaces it. A key in a .env file counts without a restart. Nothing was changed.',
    },
  );
}

/** What is in a file. @throws Fault `config`/`credentials_damaged` */
export function unlock(file: LockedFile, keys: FileKeys, path: string): Credentials {
  const { ciphertext, ...header } = file;
  const plain = unseal(ciphertext, keys.encryption, file.nonce, boundText(header));
  const parsed = contentSchema.safeParse(plain === undefined ? undefined : jsonOf(plain.toString('utf8')));
  if (!parsed.success) throw damaged(`reading the credentials in ${path}`);
  return new Map(Object.entries(parsed.data.credentials));
}

/** Credentials as a file, under the given keys. */
export function lock(credentials: Credentials, derivation: KeyDerivation, keys: FileKeys): string {
  const header: Header = {
    format: FORMAT,
    version: VERSION,
    cipher: 'aes-256-gcm',
    kdf: derivation,
    key_check: keys.check,
    nonce: newNonce(),
  };
  const plain = Buffer.from(JSON.stringify({ credentials: Object.fromEntries(credentials) }), 'utf8');
  const ciphertext = seal(plain, keys.encryption, header.nonce, boundText(header));
  return `${JSON.stringify({ ...header, ciphertext }, undefined, 2)}\n`;
}

const SHORTEST_PASSPHRASE = 12;

/** Keys for a file that is written anew. @throws Fault `config`/`weak_encryption_key` */
export async function newKeys(key: string): Promise<{ readonly derivation: KeyDerivation; readonly keys: FileKeys }> {
  const derivation = derivationFor(key);
  const keys = await fileKeys(key, derivation);
  if (keys !== undefined && (derivation.name === 'none' || key.length >= SHORTEST_PASSPHRASE)) {
    return { derivation, keys };
  }
  throw new Fault('config', 'weak_encryption_key', 'choosing the encryption key: it is too short', {
    hint: `Take 32 random bytes ("openssl rand -base64 32"), or a passphrase of at least ${SHORTEST_PASSPHRASE} characters.`,
  });
}

function boundText(header: Header): string {
  return canonicalJson(header as unknown as Json);
}

function damaged(doing: string): Fault {
  return new Fault('config', 'credentials_damaged', `${doing}: it is damaged`, {
    hint: 'Restore it from a backup, or move it away and set the credentials again. Nothing was changed.',
  });
}
