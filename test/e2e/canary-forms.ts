import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** Values that must show up nowhere, each with something that is easily got wrong. */
export const CANARIES = {
  password: `cnry'p"w%&+/=?#@:\\ü<x>`,
  digits: '739158264037',
  token: 'cnry-token-4f1c8e',
  part: 'cnry-token-4f1c8e-and-more',
  encryptionKey: 'cnry encryption key of the file',
  hmacKey: `cnry"hmac'k\\y&%$é`,
  webhookSecret: 'cnry-webhook-secret-0123456789abcdef',
  pem: privateKey,
} as const;

/** Where in a text one of the canaries stands, in whatever form. Written on its own: not by what redacts. */
export function leaksIn(text: string): string[] {
  return Object.entries(CANARIES).flatMap(([name, value]) =>
    formsOf(value)
      .filter((form) => text.includes(form))
      .map((form) => `${name}: ...${excerpt(text, form)}...`),
  );
}

function excerpt(text: string, form: string): string {
  const at = text.indexOf(form);
  return text.slice(Math.max(0, at - 80), at + form.length + 20);
}

function formsOf(value: string): string[] {
  if (value.includes('\n')) {
    const lines = value.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
    return lines.flatMap((line) => [line, encodeURIComponent(line)]);
  }
  const json = JSON.stringify(value).slice(1, -1);
  const basic = ['a', 'ab', 'abc'].map((user) => Buffer.from(`${user}:${value}`).toString('base64').slice(8, -4));
  return [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(value),
    encodeURIComponent(value).toLowerCase(),
    value.replaceAll("'", "''"),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
    Buffer.from(value).toString('hex'),
    ...basic,
  ];
}

/** Leaks in the bytes of the files below a folder, but those that hold secrets by their purpose. */
export function leaksInFiles(folder: string, purpose: readonly string[]): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (purpose.includes(name) || !existsSync(path)) return [];
    if (statSync(path).isDirectory()) return leaksInFiles(path, purpose);
    return leaksIn(readFileSync(path, 'utf8')).map((leak) => `${name}: ${leak}`);
  });
}
