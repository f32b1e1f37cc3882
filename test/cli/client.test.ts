import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient, overHttp } from '../../bin/client';
import { Fault } from '../../lib/core/fault';
import { Secret } from '../../lib/core/secret';
import { sendTo } from './command-line';
import { integration } from './records';

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Fault) return error;
  throw new Error(`expected a fault, got ${String(error)}`);
}

describe('in this process', () => {
  it('gives what the API answers', async () => {
    const client = createClient(sendTo({ list: async () => [integration('shop')] }));
    const answer = await client.request<{ integrations: { id: string }[] }>('GET', '/api/integrations');
    expect(answer.integrations.map(({ id }) => id)).toEqual(['shop']);
  });

  it('gives undefined where there is no content', async () => {
    const client = createClient(sendTo({ remove: async () => undefined }));
    expect(await client.request('DELETE', '/api/integrations/shop')).toBeUndefined();
  });

  it('throws problem details as a fault with hint, fields and the active run', async () => {
    const service = {
      get: async () => {
        throw new Fault('config', 'not_found', 'finding shop: there is none', { hint: 'Create it.' });
      },
      sync: async () => {
        throw new Fault('config', 'run_active', 'starting a sync: one is running', { run: 'r1' });
      },
    };
    const client = createClient(sendTo(service));
    const missing = await faultOf(client.request('GET', '/api/integrations/shop'));
    expect(missing.record()).toEqual({
      kind: 'config',
      code: 'not_found',
      message: 'finding shop: there is none',
      hint: 'Create it.',
    });
    const active = await faultOf(client.request('POST', '/api/integrations/shop/sync', {}));
    expect(active.code).toBe('run_active');
    expect(active.run).toBe('r1');
    const wrong = await faultOf(client.request('POST', '/api/integrations/shop/sync', { type: 'half' }));
    expect(wrong.issues?.[0]?.path).toBe('type');
  });
});

describe('over HTTP', () => {
  let server: Server;
  let base: string;
  let answers: { status: number; headers?: Record<string, string>; body: string }[];
  const seen: (string | undefined)[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      const { status, headers, body } = answers.shift() ?? { status: 500, body: 'nothing left' };
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends the key', async () => {
    answers = [{ status: 200, body: '{"ok":true}' }];
    const client = createClient(overHttp(base), new Secret('a-key-of-mine'));
    expect(await client.request('GET', '/')).toEqual({ ok: true });
    expect(seen.at(-1)).toBe('Bearer a-key-of-mine');
  });

  it('waits where it is asked to', async () => {
    answers = [
      { status: 429, headers: { 'Retry-After': '0' }, body: '{}' },
      { status: 200, body: '[1]' },
    ];
    expect(await createClient(overHttp(base)).request('GET', '/')).toEqual([1]);
  });

  it('does not take the answer of something else for ours', async () => {
    answers = [{ status: 404, headers: { 'Content-Type': 'text/html' }, body: '<h1>Hello</h1>' }];
    const fault = await faultOf(createClient(overHttp(base)).request('GET', '/api/integrations'));
    expect(fault.code).toBe('unexpected_answer');
    expect(fault.hint).toContain('Is there an ExplorerIO server');
  });

  it('names the address of a server that does not answer, and the cause', async () => {
    const unused = 'http://127.0.0.1:21999';
    const fault = await faultOf(createClient(overHttp(unused)).request('GET', '/'));
    expect(fault.code).toBe('server_unreachable');
    expect(fault.message).toContain(`${unused}: ECONNREFUSED`);
  });

  it('does not follow a redirect with the key', async () => {
    answers = [{ status: 302, headers: { Location: 'http://127.0.0.1:9/' }, body: '' }];
    const fault = await faultOf(createClient(overHttp(base), new Secret('a-key-of-mine')).request('GET', '/'));
    expect(fault.code).toBe('server_unreachable');
  });
});
