import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/** A request to a service of AWS, or to an API behind API Gateway with IAM authorisation. */
export interface UnsignedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** On whose behalf a request is signed, and for whom. */
export interface Signer {
  readonly credentials: Credentials;
  readonly region: string;
  /** `execute-api`, API Gateway, where it does not say otherwise. */
  readonly service?: string;
}

/** The headers of a request with its signature (AWS Signature Version 4). */
export async function signedHeaders(
  { url, method, headers, body }: UnsignedRequest,
  { credentials, region, service = 'execute-api' }: Signer,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 });
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...headers, host: url.host },
    ...(body !== undefined && { body }),
  });
  return signed.headers;
}

/** Node's own digest, in the form that the signer asks for. */
class Sha256 {
  #digest: Hash | Hmac;
  readonly #secret: string | Uint8Array | undefined;

  constructor(secret?: unknown) {
    this.#secret = secret as string | Uint8Array | undefined;
    this.#digest = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    if (typeof data === 'string') this.#digest.update(data);
    else if (ArrayBuffer.isView(data))
      this.#digest.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    else this.#digest.update(new Uint8Array(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#digest.digest();
  }

  reset(): void {
    this.#digest = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}
