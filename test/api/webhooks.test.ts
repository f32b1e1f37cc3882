import { Fault } from '../../lib/core/fault';
import { Secret } from '../../lib/core/secret';
import { startApi } from './client';

const PATH = '/webhooks/data-update';
const SIGNED = { 'X-ExplorerIO-Signature': 't=1,v1=00' };
const called = (api: ReturnType<typeof startApi>) => api.service.calls.filter((entry) => entry.startsWith('webhook'));

describe('a call of a webhook', () => {
  it('hands over its path, the headers and the bytes as they came, and is answered with the runs', async () => {
    const api = startApi();
    const bytes = Uint8Array.from([0, 255, 254, 13, 10]);
    const headers = { ...SIGNED, 'X-Hub-Signature-256': 'sha256=11', 'Idempotency-Key': 'delivery-7' };
    const response = await api.app.request(PATH, { method: 'POST', body: bytes, headers });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      runs: [{ integration: 'sales', run: 'run-1', state: 'queued', joined: true }],
    });
    const [name, ...given] = called(api)[0]?.split(' ') ?? [];
    expect([name, JSON.parse(given.join(' '))]).toEqual([
      'webhook',
      {
        path: PATH,
        signature: 't=1,v1=00',
        hubSignature: 'sha256=11',
        idempotencyKey: 'delivery-7',
        body: Buffer.from(bytes).toString('latin1'),
      },
    ]);
  });

  it('may have a path of several parts, and no body', async () => {
    const api = startApi();
    expect((await api.call('POST', `${PATH}/of/shop-1`)).status).toBe(202);
    expect(called(api)).toEqual([`webhook {"path":"${PATH}/of/shop-1","body":""}`]);
  });

  it.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain; charset=latin1', 'image/png', 'x'])(
    'may have a body of any type: %s',
    async (type) => {
      const { app } = startApi();
      const headers = { ...SIGNED, 'Content-Type': type };
      expect((await app.request(PATH, { method: 'POST', body: '{', headers })).status).toBe(202);
    },
  );

  const anybody: Record<string, string>[] = [
    {},
    { Host: 'explorerio.company.com' },
    { Origin: 'https://shop.example', 'Sec-Fetch-Site': 'cross-site' },
    { Authorization: 'Bearer of-somebody-else', 'X-API-Key': 'wrong' },
  ];
  it.each(anybody)('needs no API key, and may come by any name and from any page: %j', async (headers) => {
    const api = startApi({ apiKey: new Secret('correct-horse-battery-staple') });
    expect((await api.call('POST', PATH, {}, { ...SIGNED, ...headers })).status).toBe(202);
    expect((await api.call('GET', '/api/integrations', undefined, headers)).status).toBeGreaterThanOrEqual(400);
  });

  it('opens no way to anything else', async () => {
    const api = startApi({ apiKey: new Secret('correct-horse-battery-staple') });
    const paths = ['/webhooks/../api/integrations', '/webhooks/%2e%2e/api/integrations', '//webhooks/api/integrations'];
    for (const path of ['/webhooks', '/webhooks/', '/Webhooks/x', '/api/webhooks/x', ...paths]) {
      expect((await api.call('POST', path, {}, { Host: 'evil.example' })).status).toBeGreaterThanOrEqual(400);
    }
    expect(api.service.calls).toEqual([]);
  });

  it.each([
    [new Fault('config', 'not_found', 'calling a webhook: none'), 404],
    [new Fault('config', 'signature_invalid', 'calling a webhook: expected a header', { hint: 'Sign it.' }), 401],
    [new Fault('config', 'integration_disabled', 'calling a webhook: paused'), 409],
    [new Fault('transient', 'throttled', 'reading a secret: busy'), 503],
  ])('that the service refuses is a problem: %s', async (fault, status) => {
    const { call, service } = startApi();
    service.failures.set('webhook', fault);
    const answer = await call('POST', PATH, {}, SIGNED);
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([status, fault.code, fault.message]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
  });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('is a POST, no %s', async (method) => {
    const api = startApi({ apiKey: new Secret('correct-horse-battery-staple') });
    const { status, body, headers } = await api.call(method, PATH, method === 'GET' ? undefined : {});
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', 'POST']);
    expect(api.service.calls).toEqual([]);
  });

  it('has a body of the size that the API takes, at most', async () => {
    const api = startApi({ limits: { bodyBytes: 10 } });
    expect((await api.call('POST', PATH, '0123456789', SIGNED)).status).toBe(202);
    const { status, body } = await api.call('POST', PATH, '0123456789x', SIGNED);
    expect([status, body.code]).toEqual([413, 'payload_too_large']);
    expect(called(api)).toHaveLength(1);
  });

  it('counts for the rate limit', async () => {
    const { call } = startApi({ now: () => 0, limits: { perSecond: 1, burst: 2 } });
    const statuses = [await call('POST', PATH), await call('POST', PATH), await call('POST', PATH)];
    expect(statuses.map(({ status }) => status)).toEqual([202, 202, 429]);
  });

  it.each(['a b', 'x'.repeat(256)])('is refused with an idempotency key of a wrong form: %s', async (key) => {
    const api = startApi();
    const { status, body } = await api.call('POST', PATH, {}, { ...SIGNED, 'Idempotency-Key': key });
    expect([status, body.errors]).toEqual([400, [{ path: 'Idempotency-Key', message: expect.any(String) }]]);
    expect(api.service.calls).toEqual([]);
  });

  it('takes no query', async () => {
    const api = startApi();
    expect((await api.call('POST', `${PATH}?key=1`, {}, SIGNED)).status).toBe(400);
    expect(api.service.calls).toEqual([]);
  });

  it('is logged by its route, without what was sent', async () => {
    const { call, lines } = startApi();
    await call('POST', '/webhooks/topsecret', 'topsecret', { ...SIGNED, 'Idempotency-Key': 'topsecret' });
    expect(lines).toMatchObject([{ level: 'debug', fields: { method: 'POST', status: 202 } }]);
    expect(JSON.stringify(lines)).not.toContain('topsecret');
  });
});
