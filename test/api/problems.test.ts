import { Fault, type FaultDetails, type FaultKind } from '../../lib/core/fault';
import { SALES, startApi } from './client';

const PROBLEM = 'application/problem+json';

describe('faults of the service', () => {
  const cases: [FaultKind, string, number, FaultDetails?][] = [
    ['config', 'invalid_config', 422, { issues: [{ path: 'connection.port', message: 'expected a number' }] }],
    ['config', 'not_found', 404],
    ['config', 'already_exists', 409],
    ['config', 'run_active', 409],
    ['config', 'revision_conflict', 412],
    ['config', 'password_wrong', 422, { hint: 'Set the right password.' }],
    // A source's own code that is spelt like one of ours.
    ['config', 'unauthorized', 422],
    ['transient', 'not_found', 503],
    ['transient', 'connection_refused', 503, { retryAfterMs: 12_300 }],
    ['lost', 'fenced', 503],
    ['data', 'bytes_rejected', 422],
  ];

  it.each(cases)('%s/%s is %i', async (kind, code, status, details = {}) => {
    const { call, service } = startApi();
    service.failures.set('create', new Fault(kind, code, 'creating integration sales: no', details));
    const answer = await call('POST', '/api/integrations', SALES);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, PROBLEM]);
    expect(answer.body).toEqual({
      type: expect.stringMatching(/^\/api\/docs#\w+$/),
      title: expect.any(String),
      status,
      code,
      detail: 'creating integration sales: no',
      ...(details.hint && { hint: details.hint }),
      ...(details.issues && { errors: details.issues }),
    });
    const retry = status === 503 ? String(Math.ceil((details.retryAfterMs ?? 5000) / 1000)) : null;
    expect(answer.headers.get('retry-after')).toBe(retry);
  });

  it.each([
    ['a bug', new Fault('bug', 'broken_thing', 'reading /home/me/secret-place: broken', { hint: 'internal hint' })],
    ['any other error', new TypeError('secret-place is undefined')],
    ['what is no error', 'secret-place'],
  ])('%s is 500, told to the log only', async (_, thrown) => {
    const { call, service, lines } = startApi();
    service.failures.set('create', thrown);
    const { status, body, text, headers } = await call('POST', '/api/integrations', SALES);
    expect([status, body.code, body.type]).toEqual([500, 'internal_error', '/api/docs#internal_error']);
    expect(text).not.toMatch(/secret-place|internal hint|broken_thing/);
    expect(body.hint).toContain(headers.get('x-request-id'));
    const logged = lines.filter((line) => line.level === 'error');
    expect(logged).toHaveLength(1);
    expect(logged[0]?.fields).toMatchObject({ request_id: headers.get('x-request-id') });
    expect(JSON.stringify(logged)).toContain('secret-place');
    expect(JSON.stringify(logged)).not.toContain('hunter2');
  });
});

describe('bodies', () => {
  it.each([
    ['{"a": 1,\n "password": hunter2}', 'line 2, column 14: unexpected character'],
    ['{"a": 1,\n "password": "hunter2"', 'line 2, column 23: the text ends'],
    ['{"a": "hunter2\n"}', 'line 1, column 7: unexpected character'],
    ['{"a": 1,}', 'line 1, column 9: expected name'],
    ['hunter2', 'line 1, column 1: unexpected character'],
    [`${'['.repeat(100_000)}`, 'nested deeper'],
    [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'nested deeper'],
  ])('malformed JSON is 400 with the place and without the text (%#)', async (text, reason) => {
    const { call } = startApi();
    const answer = await call('POST', '/api/integrations', text);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
    expect(answer.body.detail).toContain(reason);
    expect(answer.text).not.toContain('hunter2');
  });

  it('an empty body or one that is not UTF-8 is 400', async () => {
    const { app } = startApi();
    const headers = { 'Content-Type': 'application/json' };
    for (const body of [new Uint8Array([0x22, 0xff, 0x22]), new Uint8Array()]) {
      const response = await app.request('/api/integrations', { method: 'POST', headers, body });
      expect(response.status).toBe(400);
    }
    expect((await app.request('/api/integrations', { method: 'POST' })).status).toBe(400);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'multipart/form-data',
  ])('%s is 415 on every route that writes', async (type) => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    service.calls.length = 0;
    const headers = { 'Content-Type': type };
    for (const path of ['integrations', 'integrations/sales/sync', 'integrations/sales/test', 'runs/run-1/cancel']) {
      expect(await call('POST', `/api/${path}`, '{}', headers)).toMatchObject({
        status: 415,
        body: { code: 'unsupported_media_type' },
      });
    }
    expect((await call('PATCH', '/api/integrations/sales', '{}', headers)).status).toBe(415);
    expect((await call('DELETE', '/api/integrations/sales', '{}', headers)).status).toBe(415);
    expect(service.calls).toEqual([]);
  });

  it('a body without a type is 415, and a merge patch is only for PATCH', async () => {
    const { app, call } = startApi();
    const body = new TextEncoder().encode(JSON.stringify(SALES));
    expect((await app.request('/api/integrations', { method: 'POST', body })).status).toBe(415);
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    expect((await call('POST', '/api/integrations', SALES, headers)).status).toBe(415);
    expect(
      (await call('POST', '/api/integrations', SALES, { 'Content-Type': 'Application/JSON; Charset="UTF-8"' })).status,
    ).toBe(201);
  });

  it('of more than the limit are 413, with and without a declared length', async () => {
    const { call, app, service } = startApi();
    const large = JSON.stringify({ ...SALES, description: 'x'.repeat(1024 * 1024) });
    for (const headers of [{}, { 'Content-Length': String(large.length) }]) {
      expect(await call('POST', '/api/integrations', large, headers)).toMatchObject({
        status: 413,
        body: { code: 'payload_too_large' },
      });
    }
    expect(service.calls).toEqual([]);
    const exact = JSON.stringify(SALES).padEnd(1024 * 1024, ' ');
    const headers = { 'Content-Type': 'application/json' };
    expect((await app.request('/api/integrations', { method: 'POST', headers, body: exact })).status).toBe(201);
  });
});

describe('routes', () => {
  it.each(['/api', '/api/nothing', '/api/integrations/a/b/c', '/api/runs', '/favicon.ico'])(
    '%s is 404',
    async (path) => {
      const { call } = startApi();
      const { status, headers, body } = await call('GET', path);
      expect([status, headers.get('content-type'), body.code]).toEqual([404, PROBLEM, 'unknown_route']);
    },
  );

  it.each([
    ['DELETE', '/api/integrations', ['GET', 'HEAD', 'POST']],
    ['POST', '/api/integrations/sales', ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']],
    ['GET', '/api/integrations/sales/sync', ['POST']],
    ['OPTIONS', '/api/integrations/sales/sync', ['POST']],
    ['PUT', '/api/runs/run-1', ['GET', 'HEAD']],
  ])('%s %s is 405 with Allow', async (method, path, allowed) => {
    const { call } = startApi();
    const { status, body, headers } = await call(method, path);
    expect([status, body.code, headers.get('content-type')]).toEqual([405, 'method_not_allowed', PROBLEM]);
    expect(headers.get('allow')?.split(', ').sort()).toEqual(allowed);
  });

  it('refuses query parameters that a route does not have', async () => {
    const { call } = startApi();
    expect((await call('GET', '/api/integrations?limit=3')).body).toMatchObject({
      status: 400,
      code: 'invalid_parameter',
      errors: [{ path: 'limit' }],
    });
  });
});
