import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Secret } from '../../core/secret';

/** Hides the records in quarantine. */
export interface QuarantineCipher {
  /** `context` is bound to the text: it opens under the same one only. */
  seal(text: string, context: string): string;
  /** `undefined` where the key is another one, or the text was changed. */
  open(sealed: string, context: string): string | undefined;
  /** Equal texts give equal digests, which tell nothing to whoever has not the key. */
  digest(text: string): string;
}

const IV_BYTES = 12;

/** A cipher under `key` (AES-256-GCM); without a key texts stay as they are. */
export function quarantineCipher(key: Secret | undefined): QuarantineCipher {
  if (key === undefined) {
    return {
      seal: (text) => text,
      open: (text) => (text.startsWith('v1:') ? undefined : text),
      digest: (text) => createHash('sha256').update(text).digest('base64'),
    };
  }
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', key.reveal(), '', `explorerio ${purpose}`, 32));
  const [secret, digestKey, id] = [derive('seal'), derive('digest'), derive('id').toString('hex').slice(0, 8)];
  return {
    seal(text, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(context));
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return ['v1', id, ...[iv, cipher.getAuthTag(), data].map((part) => part.toString('base64'))].join(':');
    },
    open(sealed, context) {
      if (!sealed.startsWith('v1:')) return sealed;
      const [, used, iv = '', tag = '', data = ''] = sealed.split(':');
      if (used !== id) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', secret, Buffer.from(iv, 'base64'))
        .setAAD(Buffer.from(context))
        .setAuthTag(Buffer.from(tag, 'base64'));
      const text = decipher.update(Buffer.from(data, 'base64'));
      try {
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        // The only way to fail here: the text is not the one that was sealed in this place.
        return undefined;
      }
    },
    digest: (text) => createHmac('sha256', digestKey).update(text).digest('base64'),
  };
}
