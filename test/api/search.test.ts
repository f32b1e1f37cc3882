import { Fault } from '../../lib/core/fault';
import { startApi } from './client';

describe('a search', () => {
  it('passes on what was asked for, and leaves the names of the owner as they are', async () => {
    const { call, service } = startApi();
    const query = 'q=main+street&integration=sales&stream=orders&limit=5&after=abc';
    const { status, body, headers } = await call('GET', `/api/search?${query}`);
    expect(status).toBe(200);
    expect(service.calls).toEqual([
      'search {"text":"main street","limit":5,"integration":"sales","stream":"orders","after":"abc"}',
    ]);
    expect(body.hits[0]).toEqual({
      integration: 'sales',
      stream: 'orders',
      key: { orderId: '1' },
      match: 'words',
      score: 1.060793,
      highlights: [{ field: 'shipTo', parts: [{ text: 'Main Street', match: true }] }],
      record: { shipTo: 'Main Street 1' },
    });
    expect(headers.get('link')).toBe(
      '</api/search?q=main+street&integration=sales&stream=orders&limit=5&after=Wy4uLl0>; rel="next"',
    );
  });

  it.each([
    ['without a text', '', /q:/],
    ['with an empty one', '?q=', /q:/],
    ['with too long a one', `?q=${'x'.repeat(501)}`, /q:/],
    ['with too large a page', '?q=a&limit=101', /limit:/],
    ['with two texts', '?q=a&q=b', /q:/],
    ['with an unknown parameter', '?q=a&filter=b', /filter: unknown key/],
  ])('%s is refused', async (_what, query, message) => {
    const { call, service } = startApi();
    const { status, body } = await call('GET', `/api/search${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_parameter']);
    expect(body.detail).toMatch(message);
    expect(service.calls).toEqual([]);
  });

  it('that takes too long is 503, one that cannot be made 422', async () => {
    const { call, service } = startApi();
    service.failures.set(
      'search',
      new Fault('transient', 'search_timeout', 'searching: too long', { hint: 'Narrow.' }),
    );
    const slow = await call('GET', '/api/search?q=a');
    expect([slow.status, slow.body.code, slow.body.hint]).toEqual([503, 'search_timeout', 'Narrow.']);
    service.failures.set('search', new Fault('config', 'invalid_search', 'searching: nothing'));
    expect((await call('GET', '/api/search?q=a')).status).toBe(422);
  });
});
