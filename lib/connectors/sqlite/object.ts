import type { IncomingMessage } from 'node:http';
import { type AwsKeys, givenKeys, keysOfProcess } from '../shared/aws-keys';
import { presigned } from '../shared/presigned';
import type { ConnectionConfig } from './config';
import { OBJECT_ADDRESS } from './object-address';

const DEFAULT_REGION = 'us-east-1';
/** The download only has to begin within it. */
const EXPIRES_SECONDS = 900;

/** An object in S3, or in a store that speaks its protocol. */
export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  /** Of another store than that of AWS. */
  readonly endpoint: URL | undefined;
  readonly keys: AwsKeys;
}

/** The object that `s3://BUCKET/KEY` in a connection means. @throws Fault `config`/`no_credentials` */
export async function storedObject(connection: ConnectionConfig): Promise<StoredObject> {
  const { url, region, endpoint } = connection;
  const [, bucket = '', key = ''] = OBJECT_ADDRESS.exec(url?.reveal() ?? '') ?? [];
  return {
    bucket,
    key,
    region: region ?? DEFAULT_REGION,
    endpoint: endpoint === undefined ? undefined : new URL(endpoint),
    keys: givenKeys(connection) ?? (await keysOfProcess()),
  };
}

/** The address of the object, signed. */
export function addressOf({ bucket, key, region, endpoint, keys }: StoredObject, now: Date): URL {
  const aws = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  // The certificate of AWS covers no bucket with a point in its name.
  const byHost = endpoint === undefined && !bucket.includes('.');
  const request = {
    service: 's3',
    region,
    host: byHost ? `${bucket}.${aws}` : (endpoint?.host ?? aws),
    path: byHost ? `/${key}` : `${endpoint?.pathname.replace(/\/$/, '') ?? ''}/${bucket}/${key}`,
    parameters: {},
    expiresSeconds: EXPIRES_SECONDS,
    bodyDigest: 'UNSIGNED-PAYLOAD',
  };
  return new URL(`${endpoint?.protocol ?? 'https:'}//${presigned(request, keys, now)}`);
}

/** The address in the region that an answer names, where that is another. */
export function addressElsewhere(object: StoredObject, { headers }: IncomingMessage, now: Date): URL | undefined {
  const region = headers['x-amz-bucket-region'];
  if (typeof region !== 'string' || region === object.region || object.endpoint !== undefined) return undefined;
  return /^[a-z0-9-]+$/.test(region) ? addressOf({ ...object, region }, now) : undefined;
}
