import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { presigned } from '../../lib/connectors/shared/presigned';
import { sqliteConfig } from '../../lib/connectors/sqlite/config';
import { addressElsewhere, addressOf, type StoredObject } from '../../lib/connectors/sqlite/object';
import type { Fault } from '../../lib/core/fault';
import { guardedNetwork } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { ministack } from '../servers/ministack';
import { describeWithServer } from '../servers/require';
import { Files } from './sqlite';

const NOON = new Date('2013-05-24T00:00:00Z');
const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const OBJECT: StoredObject = {
  bucket: 'shop',
  key: 'a b/ü.db',
  region: 'eu-central-1',
  endpoint: undefined,
  keys: KEYS,
};

describe('the address of an object in S3', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html, its example.
  it('is signed as AWS signs its example', () => {
    const request = {
      ...{ service: 's3', region: 'us-east-1', host: 'examplebucket.s3.amazonaws.com', path: '/test.txt' },
      ...{ parameters: {}, expiresSeconds: 86_400, bodyDigest: 'UNSIGNED-PAYLOAD' },
    };
    const signature = new URL(`https://${presigned(request, KEYS, NOON)}`).searchParams.get('X-Amz-Signature');
    expect(signature).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');
  });

  it.each<[string, Partial<StoredObject>, string]>([
    ['of AWS', {}, 'https://shop.s3.eu-central-1.amazonaws.com/a%20b/%C3%BC.db'],
    ['of a bucket with points', { bucket: 'my.shop' }, 'https://s3.eu-central-1.amazonaws.com/my.shop/a%20b/%C3%BC.db'],
    ['in China', { region: 'cn-north-1' }, 'https://shop.s3.cn-north-1.amazonaws.com.cn/a%20b/%C3%BC.db'],
    [
      'of another store',
      { endpoint: new URL('http://minio:9000/store/') },
      'http://minio:9000/store/shop/a%20b/%C3%BC.db',
    ],
  ])('is that %s', (_name, other, expected) => {
    const { origin, pathname } = addressOf({ ...OBJECT, ...other }, NOON);
    expect(origin + pathname).toBe(expected);
  });

  it('is that of the region which an answer names, where it is another', () => {
    const answer = (region: string) => ({ headers: { 'x-amz-bucket-region': region } }) as unknown as IncomingMessage;
    expect(addressElsewhere(OBJECT, answer('us-west-2'), NOON)?.host).toBe('shop.s3.us-west-2.amazonaws.com');
    expect(addressElsewhere(OBJECT, answer('eu-central-1'), NOON)).toBeUndefined();
    expect(addressElsewhere(OBJECT, answer('evil.example/'), NOON)).toBeUndefined();
  });
});

describe('a connection to an object in S3', () => {
  const issues = (connection: object) => {
    try {
      sqliteConfig.parse({ connection });
      return [];
    } catch (error) {
      return (error as Fault).issues?.map(({ path, message }) => `${path}: ${message}`);
    }
  };

  it('is an address with its keys, or none', () => {
    expect(issues({ url: 's3://shop/a/b.db' })).toEqual([]);
    expect(issues({ url: 's3://shop/b.db', region: 'eu-west-1', access_key_id: 'a', secret_access_key: 'b' })).toEqual(
      [],
    );
    expect(issues({ url: 's3://shop' })).toEqual([expect.stringContaining('connection.url: is no s3://BUCKET/KEY')]);
    expect(issues({ url: 's3://shop/b.db', access_key_id: 'a' })).toEqual([
      expect.stringContaining('connection.secret_access_key: is required'),
    ]);
    expect(issues({ path: 'shop.db', region: 'eu-west-1' })).toEqual([
      expect.stringContaining('connection.region: is only for a "url" that begins with s3://'),
    ]);
  });
});

describeWithServer('an SQLite file in S3', ministack(), (aws) => {
  const files = new Files();
  afterAll(() => files.remove());
  const config = (key: string) => ({
    connection: {
      url: `s3://files/${key}`,
      endpoint: aws().url,
      access_key_id: aws().credentials.accessKeyId,
      secret_access_key: aws().credentials.secretAccessKey,
    },
  });

  beforeAll(async () => {
    const database = files.writer('shop.db', 'delete');
    database.exec(`create table t (id integer primary key, text text); insert into t values (1, 'one'), (2, 'two')`);
    database.close();
    for (const [path, body] of [
      ['files', undefined],
      ['files/a%20b/shop.db', readFileSync(files.path('shop.db'))],
    ] as const) {
      const { status } = await fetch(`${aws().url}/${path}`, { method: 'PUT', ...(body && { body }) });
      expect(status).toBe(200);
    }
  });

  it('is read', async () => {
    await using source = await openSource('sqlite', config('a b/shop.db'));
    const batches = await source.full(await source.schema('t'));
    expect(batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))).toEqual([
      [1n, 'one'],
      [2n, 'two'],
    ]);
  });

  it('that is not there is a fault that says so', async () => {
    await using source = await openSource('sqlite', config('other.db'));
    expect(await faultOf(() => source.schema('t'))).toMatchObject({
      kind: 'config',
      code: 'download_refused',
      hint: expect.stringContaining('no such bucket or object'),
    });
  });
});

describe('S3 as a server', () => {
  let status = 403;
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(status).end('sesame');
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());
  const config = () => ({
    connection: {
      url: 's3://files/shop.db',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      access_key_id: 'id',
      secret_access_key: 'abracadabra',
      session_token: 'open-sesame',
    },
  });
  const problem = async (network?: ReturnType<typeof guardedNetwork>) => {
    await using source = await openSource('sqlite', config(), network);
    const fault = await faultOf(() => source.schema('t'));
    expect(JSON.stringify([fault, fault.stack])).not.toMatch(/sesame|abracadabra|X-Amz/);
    return fault;
  };

  it.each([
    [403, { kind: 'config', code: 'download_forbidden', hint: expect.stringContaining('s3:GetObject') }],
    [404, { kind: 'config', code: 'download_refused', hint: expect.stringContaining('s3://BUCKET/KEY') }],
    [503, { kind: 'transient', code: 'server_error' }],
  ])('that answers %s', async (given, expected) => {
    status = given;
    expect(await problem()).toMatchObject(expected);
    expect(requests.at(-1)?.url).toMatch(/^\/files\/shop\.db\?.*X-Amz-Security-Token=open-sesame/);
  });

  it('obeys the rules of the network', async () => {
    requests.length = 0;
    const refused = await problem(guardedNetwork({ allowed_ip_ranges: ['10.0.0.0/8'] }));
    expect(refused).toMatchObject({ code: 'address_refused' });
    expect(requests).toEqual([]);
  });
});
