import { createApi } from '../../lib/api/app';
import { OPERATIONS } from '../../lib/api/operations';
import { RateLimiter } from '../../lib/api/rate-limit';
import { Secret } from '../../lib/core/secret';
import { recordingLog, SALES, startApi } from './client';
import { FakeService } from './fake-service';

const KEY = 'correct-horse-battery-staple';
const withKey = () => startApi({ apiKey: new Secret(KEY) });

describe('Host', () => {
  it.each([
    '127.0.0.1:8080',
    'localhost',
    'LOCALHOST:9',
    '[::1]:8080',
    'explorer.example',
    'explorer.example:1',
    'x.example:7',
  ])('%s is answered', async (host) => {
    const { call } = startApi({ allowedHosts: ['explorer.example', 'X.example:7'] });
    expect((await call('GET', '/healthz', undefined, { Host: host })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.nip.example',
    'x.example:8',
    '[::1]x',
    'a@localhost',
  ])('%s is refused', async (host) => {
    const { call, service } = startApi({ allowedHosts: ['x.example:7'] });
    const { status, body } = await call('POST', '/api/integrations', SALES, { Host: host });
    expect([status, body.code]).toEqual([421, 'wrong_host']);
    expect(service.calls).toEqual([]);
  });

  it('may be any only with an API key', async () => {
    const make = (apiKey?: Secret) =>
      createApi({
        service: new FakeService(),
        version: '1',
        log: recordingLog([]),
        allowedHosts: ['*'],
        ...(apiKey && { apiKey }),
      });
    expect(() => make()).toThrow(expect.objectContaining({ kind: 'config', code: 'api_key_required' }));
    const response = await make(new Secret(KEY)).request('/healthz', { headers: { Host: 'any.example' } });
    expect(response.status).toBe(200);
  });
});

describe('browsers of other origins', () => {
  const refused: Record<string, string>[] = [
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost:3000' },
    { Origin: 'http://localhost', 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
    { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
  ];

  it.each(refused)('cannot drive it: %j', async (headers) => {
    const { call, service } = startApi();
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      const path = method === 'POST' || method === 'GET' ? '/api/integrations' : '/api/integrations/sales';
      const { status, body } = await call(method, path, method === 'GET' ? undefined : SALES, headers);
      expect([method, status, body.code]).toEqual([method, 403, 'cross_origin']);
    }
    expect(service.calls).toEqual([]);
  });

  it('may link to it, but not post a form by navigation', async () => {
    const { call } = startApi();
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
    expect((await call('GET', '/api/docs', undefined, headers)).status).toBe(200);
    expect((await call('POST', '/api/integrations', SALES, headers)).status).toBe(403);
  });

  it('get no CORS permission', async () => {
    const { call } = startApi();
    const { headers, status } = await call('OPTIONS', '/api/integrations', undefined, {
      Origin: 'http://evil.example',
      'Access-Control-Request-Method': 'POST',
    });
    expect(status).toBe(403);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('lets pages of its own origin through', async () => {
    const { call } = startApi();
    const headers = { Origin: 'http://localhost', 'Sec-Fetch-Site': 'same-origin' };
    expect((await call('POST', '/api/integrations', SALES, headers)).status).toBe(201);
    expect((await call('GET', '/api/integrations', undefined, { 'Sec-Fetch-Site': 'none' })).status).toBe(200);
  });
});

describe('API key', () => {
  const wrong: Record<string, string>[] = [
    {},
    { Authorization: 'Bearer wrong' },
    { Authorization: `Bearer ${KEY}x` },
    { Authorization: `Basic ${KEY}` },
    { Authorization: KEY },
    { 'X-API-Key': '' },
    { 'X-API-Key': KEY.slice(1) },
  ];

  it.each(wrong)('is needed: %j', async (headers) => {
    const { call, service } = withKey();
    const answer = await call('GET', '/api/integrations', undefined, headers);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(service.calls).toEqual([]);
  });

  it('is taken as bearer or header', async () => {
    const { call } = withKey();
    for (const headers of [{ Authorization: `bearer ${KEY}` }, { 'X-API-Key': KEY }]) {
      expect((await call('GET', '/api/integrations', undefined, headers)).status).toBe(200);
    }
  });

  it('is needed on every route but those that show nothing stored, or need a signature', async () => {
    const { call } = withKey();
    const open: string[] = [];
    for (const { method, path } of OPERATIONS) {
      const { status } = await call(
        method.toUpperCase(),
        path.replaceAll(/[{}]/g, ''),
        method === 'get' ? undefined : {},
      );
      if (status !== 401) open.push(`${method} ${path}`);
    }
    const signed = ['post /webhooks/{path}'];
    expect(open.sort()).toEqual(['get /', 'get /api/docs', 'get /api/openapi.json', 'get /healthz', ...signed]);
    expect((await call('GET', '/api/nothing')).status).toBe(401);
  });
});

describe('rate limit', () => {
  it('answers 429 with Retry-After, by client, and refills', async () => {
    let now = 0;
    const clientOf = (environment: unknown) => (environment as { from: string }).from;
    const { app } = startApi({ now: () => now, clientOf, limits: { perSecond: 2, burst: 3 } });
    const get = async (from: string) => (await app.request('/healthz', {}, { from })).status;
    expect([await get('a'), await get('a'), await get('a'), await get('a')]).toEqual([200, 200, 200, 429]);
    expect(await get('b')).toBe(200);
    const refused = await app.request('/healthz', {}, { from: 'a' });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
    now = 500;
    expect([await get('a'), await get('a')]).toEqual([200, 429]);
    now = 1e9;
    expect([await get('a'), await get('a'), await get('a'), await get('a')]).toEqual([200, 200, 200, 429]);
  });

  it('is 100 at once by default, and counts wrong keys too', async () => {
    const { call } = startApi({ now: () => 0, apiKey: new Secret(KEY) });
    const statuses = await Promise.all(
      Array.from({ length: 101 }, async () => (await call('GET', '/api/integrations')).status),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    expect(statuses.at(-1)).toBe(429);
  });

  it('remembers at most ten thousand clients', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, () => 0);
    for (let client = 0; client < 10_500; client++) limiter.take(String(client));
    expect(limiter.clients).toBe(10_000);
    expect(limiter.take('10499')).toBeGreaterThan(0);
  });
});

describe('every answer', () => {
  it.each(['/healthz', '/api/integrations', '/api/nothing', '/api/docs'])(
    '%s carries the security headers',
    async (path) => {
      const { call } = startApi();
      const { headers } = await call('GET', path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-request-id': expect.stringMatching(/^[\w-]{36}$/),
      });
    },
  );

  it('carries them also when it is refused', async () => {
    const { call } = startApi();
    const { headers } = await call('GET', '/api/integrations', undefined, { Host: 'evil.example' });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).not.toBeNull();
  });

  it('is logged at debug by route pattern, without values', async () => {
    const { call, lines } = startApi();
    await call('POST', '/api/integrations', SALES);
    await call('GET', '/api/integrations/sales/runs?after=topsecret&limit=2', undefined, { 'X-Request-Id': 'mine-1' });
    await call('GET', '/api/none/topsecret');
    await call('DELETE', '/api/integrations/sales', undefined, { Host: 'evil.example' });
    expect(lines.map(({ level, fields }) => [level, fields.method, fields.route, fields.status])).toEqual([
      ['debug', 'POST', '/api/integrations', 201],
      ['debug', 'GET', '/api/integrations/:id/runs', 200],
      ['debug', 'GET', 'unknown', 404],
      ['debug', 'DELETE', '/api/integrations/:id', 421],
    ]);
    expect(lines[1]?.fields.request_id).toBe('mine-1');
    expect(JSON.stringify(lines)).not.toMatch(/topsecret|hunter2/);
  });
});
