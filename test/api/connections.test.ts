import { SALES, startApi } from './client';

const answers: Record<string, Record<string, unknown>> = {
  check: { passed: true },
  plan: { integration: 'sales' },
  discover: { streams: [expect.objectContaining({ schema: expect.objectContaining({ stream: 'orders' }) })] },
};

describe('looking at a source', () => {
  it.each([
    ['POST', 'test', 'check'],
    ['GET', 'plan', 'plan'],
    ['GET', 'streams', 'discover'],
  ])('%s /api/integrations/{id}/%s asks a stored integration', async (method, path, method2) => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const { status, body } = await call(method, `/api/integrations/sales/${path}`);
    expect(status).toBe(200);
    expect(body).toMatchObject(answers[method2] ?? {});
    expect(service.calls).toContain(`${method2} "sales"`);
    expect((await call(method, `/api/integrations/none/${path}`)).status).toBe(404);
  });

  it.each(['check', 'plan', 'discover'])('POST /api/%s takes a document and stores nothing', async (name) => {
    const { call, service } = startApi();
    const { status, body } = await call('POST', `/api/${name}`, SALES);
    expect(status).toBe(200);
    expect(body).toMatchObject(answers[name] ?? {});
    expect(service.stored.size).toBe(0);
    expect((await call('POST', `/api/${name}`, { name: 'x' })).body).toMatchObject({
      status: 422,
      errors: [{ path: 'type' }],
    });
    expect((await call('POST', `/api/${name}`, ['x'])).status).toBe(422);
  });

  it('answers 200 to a test that does not pass', async () => {
    const { call, service } = startApi();
    service.passes = false;
    expect(await call('POST', '/api/check', SALES)).toMatchObject({ status: 200, body: { passed: false } });
  });

  it('validates', async () => {
    const { call } = startApi();
    expect((await call('POST', '/api/validate', SALES)).body).toEqual({
      valid: true,
      warnings: ['data_quality does nothing yet'],
    });
    expect((await call('POST', '/api/validate', {})).status).toBe(422);
  });

  it('shows why a stream cannot be read', async () => {
    const { call } = startApi();
    const { body } = await call('POST', '/api/discover', SALES);
    expect(body.streams[0].unreadable).toEqual({
      kind: 'config',
      code: 'denied',
      message: 'reading orders: permission denied',
      hint: 'Grant SELECT.',
    });
  });
});

describe('overview', () => {
  it('answers the curl lines of the specification', async () => {
    const { call } = startApi();
    const health = await call('GET', 'http://localhost:8080/api/integrations/health', undefined, {
      'User-Agent': 'curl/8.5.0',
      Accept: '*/*',
    });
    expect(health).toMatchObject({ status: 200, body: { status: 'degraded' } });
    expect(health.body.integrations[0]).toMatchObject({ connection_status: 'connected', last_sync_age_seconds: 60 });
    const stats = await call('GET', 'http://localhost:8080/api/integrations/stats', undefined, {
      'User-Agent': 'curl/8.5.0',
      Accept: '*/*',
    });
    expect(stats.body.integrations[0]).toMatchObject({ integration: 'sales', cost_usd: 0.001, seconds: { p95: 2 } });
  });

  it('lists the connectors with their schemas untouched', async () => {
    const { call } = startApi();
    const { body } = await call('GET', '/api/connectors');
    expect(Object.keys(body.connectors[0].schema)).toContain('$defs');
    expect(body.connectors[0].schema.$defs.connectionSettings.type).toBe('object');
  });

  it('says what it is, and leads browsers to the reference', async () => {
    const { call } = startApi();
    expect((await call('GET', '/')).body).toMatchObject({ name: 'ExplorerIO', version: '9.8.7' });
    const page = await call('GET', '/', undefined, { Accept: 'text/html,*/*' });
    expect([page.status, page.headers.get('location')]).toEqual([302, '/api/docs']);
    expect((await call('GET', '/healthz')).body).toEqual({ status: 'ok' });
    const head = await call('HEAD', '/healthz');
    expect([head.status, head.text]).toEqual([200, '']);
  });
});
