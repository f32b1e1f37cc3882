import { connect } from 'node:net';
import { remoteAddress, type ServeOptions, serveApi } from '../../../lib/adapters/embedded/http';
import { createApi } from '../../../lib/api/app';
import { Secret } from '../../../lib/core/secret';
import { recordingLog, SALES } from '../../api/client';
import { FakeService } from '../../api/fake-service';
import { freePort } from '../../servers/port';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(options: Partial<ServeOptions> = {}) {
  const service = new FakeService();
  const { apiKey } = options;
  const app = createApi({
    service,
    version: '1',
    log: recordingLog([]),
    allowedHosts: apiKey ? ['*'] : [],
    clientOf: remoteAddress,
    limits: { perSecond: 1, burst: 20 },
    ...(apiKey && { apiKey }),
  });
  const server = await serveApi({ app, host: '127.0.0.1', port: await freePort(), ...options });
  stops.push(() => server.stop(100));
  await service.create(SALES);
  return { service, server };
}

const post = (url: string, body: unknown, signal?: AbortSignal) =>
  fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

/** Sends bytes as they are and gives all that comes back until the connection ends. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('serveApi', () => {
  it('answers on a real socket', async () => {
    const { server } = await start();
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
    const created = await post(`${server.url}/api/integrations`, { ...SALES, name: 'other' });
    expect([created.status, created.headers.get('location')]).toEqual([201, '/api/integrations/other']);
    const health = await sendRaw(
      server.port,
      'GET /api/integrations/health HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    );
    expect(health).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('refuses a rebound host, also in the request line', async () => {
    const { server } = await start();
    for (const [target, host] of [
      ['/api/integrations', 'evil.example'],
      ['http://localhost/api/integrations', 'evil.example'],
    ]) {
      const answer = await sendRaw(server.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    }
  });

  it('refuses a body that is too large, and lives on', async () => {
    const { server } = await start();
    const large = await post(`${server.url}/api/integrations`, { ...SALES, description: 'x'.repeat(1_100_000) });
    expect(large.status).toBe(413);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it('limits requests by address', async () => {
    const { server } = await start();
    const statuses = await Promise.all(
      Array.from({ length: 25 }, async () => (await fetch(`${server.url}/healthz`)).status),
    );
    expect(statuses.filter((status) => status === 200).length).toBeLessThan(25);
    expect(statuses).toContain(429);
  });

  it('names the port that is in use, and what to do', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toMatchObject({
      kind: 'config',
      code: 'port_in_use',
      message: expect.stringContaining(String(server.port)),
      hint: expect.stringContaining('--port'),
    });
  });

  it.each(['0.0.0.0', '::'])('refuses %s without an API key, and serves it with one', async (host) => {
    const port = await freePort();
    await expect(start({ host, port })).rejects.toMatchObject({ kind: 'config', code: 'api_key_required' });
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    if (host === '::') return;
    const apiKey = new Secret('correct-horse-battery-staple');
    const { server } = await start({ host, port, apiKey });
    const url = `http://127.0.0.1:${server.port}/api/integrations`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'X-API-Key': apiKey.reveal() } })).status).toBe(200);
  });

  it.each(['203.0.113.7', 'no-such-host.invalid'])('says that %s is not an address of this machine', async (host) => {
    const apiKey = new Secret('correct-horse-battery-staple');
    await expect(start({ host, apiKey })).rejects.toMatchObject({ kind: 'config', code: 'address_unavailable' });
  });

  it('does not cancel the run of a client that goes away', async () => {
    const { server, service } = await start();
    const client = new AbortController();
    const pending = post(`${server.url}/api/integrations/sales/sync`, { async: false }, client.signal);
    await eventually(() => service.calls.some((call) => call.startsWith('wait')));
    client.abort();
    await expect(pending).rejects.toThrow();
    await eventually(() => service.abandoned === 1);
    expect(service.calls.some((call) => call.startsWith('cancel'))).toBe(false);
  });
});

describe('stop', () => {
  it('waits for a request that is open', async () => {
    const { server, service } = await start();
    await (await fetch(`${server.url}/healthz`)).text();
    const pending = post(`${server.url}/api/integrations/sales/sync`, { async: false });
    await eventually(() => service.calls.some((call) => call.startsWith('wait')));
    const stopped = server.stop(10_000);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    service.endRun();
    expect((await pending).status).toBe(200);
    await stopped;
  });

  it('cuts off what is still open at the deadline', async () => {
    const { server, service } = await start();
    const pending = post(`${server.url}/api/integrations/sales/sync`, { async: false });
    const cut = expect(pending).rejects.toThrow();
    await eventually(() => service.calls.some((call) => call.startsWith('wait')));
    await server.stop(100);
    await cut;
    await server.stop();
  });
});
