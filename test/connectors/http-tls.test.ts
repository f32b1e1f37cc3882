import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardedNetwork, type NetworkSecurity } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { makeCertificates } from '../servers/certificates';
import { patient } from '../servers/patience';

// A server of HTTPS whose authority nobody else knows: an empty CouchDB, and a DynamoDB without tables.
describe('sources that are read by HTTPS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-https-'));
  let ca: string;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    ({ ca } = makeCertificates(folder, 'client'));
    const read = (name: string) => readFileSync(join(folder, name));
    server = createServer({ cert: read('server.crt'), key: read('server.key') }, ({ method, url }, response) => {
      if (method === 'POST') response.end('{"TableNames":[]}');
      else response.end(url === '/_all_dbs' ? '[]' : '{"version":"3.4.2"}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  const tlsStep = async (type: string, config: object, security?: NetworkSecurity) => {
    await using source = await openSource(type, config, security && guardedNetwork(security));
    const { steps } = await source.source.check(AbortSignal.timeout(patient(10_000)));
    return steps.find(({ name }) => name === 'tls');
  };
  const couchdb = (ssl?: object) => ({
    connection: { url: `https://localhost:${port}`, ...(ssl && { ssl }) },
  });
  const dynamodb = () => ({
    connection: {
      region: 'us-east-1',
      endpoint: `https://localhost:${port}`,
      access_key_id: 'id',
      secret_access_key: 'secret',
    },
  });

  it('verify who answers', async () => {
    for (const [type, config] of [
      ['couchdb', couchdb()],
      ['dynamodb', dynamodb()],
    ] as const) {
      expect(await tlsStep(type, config)).toMatchObject({ state: 'failed', kind: 'config', code: 'tls_untrusted' });
      await using source = await openSource(type, config);
      await expect(source.source.discover(AbortSignal.timeout(patient(10_000)))).rejects.toMatchObject({
        kind: 'config',
        code: 'tls_untrusted',
      });
    }
  });

  it('trust the authority that is given', async () => {
    expect(await tlsStep('couchdb', couchdb({ ca }))).toMatchObject({
      state: 'passed',
      detail: expect.stringContaining('certificate verified'),
    });
    await using source = await openSource('couchdb', couchdb({ ca }), guardedNetwork({ require_ssl: true }));
    expect(await source.source.discover(AbortSignal.timeout(patient(10_000)))).toEqual([]);
  });

  it('say that nobody is verified where that is not wanted', async () => {
    const unverified = { state: 'warning', detail: expect.stringContaining('not verified') };
    expect(await tlsStep('couchdb', couchdb({ verification: 'off' }))).toMatchObject(unverified);
    const security = { ssl_verification: false };
    expect(await tlsStep('dynamodb', dynamodb(), security)).toMatchObject(unverified);
    await using source = await openSource('dynamodb', dynamodb(), guardedNetwork(security));
    expect(await source.source.discover(AbortSignal.timeout(patient(10_000)))).toEqual([]);
  });
});
