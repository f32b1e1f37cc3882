import {
  createCipheriv,
  createDecipheriv,
  createHash,
  hkdfSync,
  randomBytes,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from 'node:crypto';

/** How the key is made of what the user gives: not at all for 32 random bytes, by scrypt for a passphrase. */
export type KeyDerivation =
  | { readonly name: 'none' }
  | { readonly name: 'scrypt'; readonly N: number; readonly r: number; readonly p: number; readonly salt: string };

/** The two keys of a file: one to encrypt with, and a mark by which a wrong key is told from a damaged file. */
export interface FileKeys {
  readonly encryption: Buffer;
  readonly check: string;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;
// Of the file, which anybody may have written: more memory or time than this is never spent.
const MOST_SCRYPT = { N: 2 ** 20, r: 16, p: 4 } as const;
const SALT_BYTES = 16;

/** The 32 bytes that a text stands for in base64 or hexadecimal; `undefined` for any other text, a passphrase. */
export function rawKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES ? bytes : undefined;
}

/** How a new file is to make its key of this text. */
export function derivationFor(text: string): KeyDerivation {
  if (rawKey(text) !== undefined) return { name: 'none' };
  return { name: 'scrypt', ...SCRYPT, salt: randomBytes(SALT_BYTES).toString('base64') };
}

/** Whether the parameters of a file are such that they may be used. */
export function isBounded({ N, r, p }: { readonly N: number; readonly r: number; readonly p: number }): boolean {
  const isPowerOfTwo = N > 1 && Number.isInteger(Math.log2(N));
  return isPowerOfTwo && N <= MOST_SCRYPT.N && r <= MOST_SCRYPT.r && p <= MOST_SCRYPT.p;
}

/** The keys that a text gives; `undefined` when the file wants 32 bytes and the text is something else. */
export async function fileKeys(text: string, derivation: KeyDerivation): Promise<FileKeys | undefined> {
  const main = derivation.name === 'none' ? rawKey(text) : await stretched(text, derivation);
  if (main === undefined) return undefined;
  const part = (use: string, length: number) =>
    Buffer.from(hkdfSync('sha256', main, Buffer.alloc(0), `explorerio credentials ${use}`, length));
  return { encryption: part('encryption', KEY_BYTES), check: part('check', TAG_BYTES).toString('base64') };
}

function stretched(text: string, { N, r, p, salt }: Extract<KeyDerivation, { name: 'scrypt' }>): Promise<Buffer> {
  // scrypt needs 128 N r bytes, and Node allows 32 MiB unless it is told otherwise.
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(text.normalize('NFC'), Buffer.from(salt, 'base64'), KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

/** Whether two marks of keys are the same. */
export function isSameMark(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** A number that is used once. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64');
}

/** AES-256-GCM; `bound` is in plain elsewhere, and cannot be changed without being noticed here. The tag is at the end. */
export function seal(plain: Buffer, key: Buffer, nonce: string, bound: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'));
  cipher.setAAD(Buffer.from(bound, 'utf8'));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** What was sealed; `undefined` when it, the nonce or what was bound to it is not what it was, or the key is another. */
export function unseal(sealed: string, key: Buffer, nonce: string, bound: string): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  const iv = Buffer.from(nonce, 'base64');
  if (bytes.length < TAG_BYTES || iv.length !== NONCE_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(bound, 'utf8'));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const start = decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES));
    return Buffer.concat([start, decipher.final()]);
  } catch {
    return undefined; // the one thing that can go wrong here, and it has no code to tell it by
  }
}
