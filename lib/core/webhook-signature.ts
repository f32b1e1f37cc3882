import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header with the signature of a webhook, of those that are sent and of those that come. */
export const SIGNATURE_HEADER = 'x-explorerio-signature';

/** The header by which many other systems sign their webhooks: the body alone, without a time. */
export const HUB_SIGNATURE_HEADER = 'x-hub-signature-256';

const TOLERANCE_MS = 5 * 60_000;
const OWN_FORM = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/i;
const HUB_FORM = /^sha256=([0-9a-f]{64})$/i;

/** The values of the two headers, as they came. */
export interface SignatureHeaders {
  /** `x-explorerio-signature`: it alone counts where both are given. */
  readonly signature?: string;
  /** `x-hub-signature-256`. */
  readonly hubSignature?: string;
}

/** A signature of the right form and, where it has a time, of this time. */
export interface Signature {
  /** What is signed before the body. */
  readonly prefix: string;
  readonly digest: Uint8Array;
}

/** The value of {@link SIGNATURE_HEADER} for a body that is sent at `now` (milliseconds since 1970). */
export function signWebhook(body: string | Uint8Array, key: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  return `t=${seconds},v1=${digestOf(`${seconds}.`, body, key).toString('hex')}`;
}

/** What the headers claim; `undefined` where nothing is given, its form is wrong, or its time is minutes away from `now`. */
export function readSignature({ signature, hubSignature }: SignatureHeaders, now: number): Signature | undefined {
  if (signature === undefined) {
    const [, hex] = HUB_FORM.exec(hubSignature ?? '') ?? [];
    return hex === undefined ? undefined : { prefix: '', digest: Buffer.from(hex, 'hex') };
  }
  const [, seconds, hex] = OWN_FORM.exec(signature) ?? [];
  if (seconds === undefined || hex === undefined) return undefined;
  if (Math.abs(now - Number(seconds) * 1000) > TOLERANCE_MS) return undefined;
  return { prefix: `${seconds}.`, digest: Buffer.from(hex, 'hex') };
}

/** Whether a signature was made of these bytes with this key. An empty key signs nothing. */
export function isSignatureOf({ prefix, digest }: Signature, body: Uint8Array, key: string): boolean {
  return key !== '' && timingSafeEqual(digestOf(prefix, body, key), digest);
}

function digestOf(prefix: string, body: string | Uint8Array, key: string): Buffer {
  return createHmac('sha256', key).update(prefix).update(body).digest();
}
