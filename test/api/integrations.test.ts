import { Fault } from '../../lib/core/fault';
import { SALES, startApi } from './client';
import * as full from './full-answers';

describe('integrations', () => {
  it('are created as the specification writes it', async () => {
    const { call } = startApi();
    const answer = await call('POST', '/api/integrations', {
      name: 'sales_database',
      type: 'postgresql',
      connection: {},
      sync_settings: {},
      enabled: true,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/integrations/sales_database');
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body).toMatchObject({ id: 'sales_database', revision: 1, created_at: full.integration.createdAt });
  });

  it('keep the keys of the document as they are and show no secret', async () => {
    const { call } = startApi();
    const document = { ...SALES, headers: { camelCase: 'x', 'X-Two': 'y' } };
    const { body, text } = await call('POST', '/api/integrations', document);
    expect(body.document.headers).toEqual({ camelCase: 'x', 'X-Two': 'y' });
    expect(body.document.connection.password).toBe('[secret]');
    expect(text).not.toContain('hunter2');
  });

  it.each(['health', 'stats'])('cannot be called %s', async (name) => {
    const { call, service } = startApi();
    for (const path of ['/api/integrations', '/api/validate']) {
      const { status, body } = await call('POST', path, { ...SALES, name });
      expect(status).toBe(422);
      expect(body.errors).toEqual([{ path: 'name', message: expect.stringContaining('reserved') }]);
    }
    expect(service.stored.size).toBe(0);
  });

  it('are listed and read', async () => {
    const { call } = startApi();
    await call('POST', '/api/integrations', SALES);
    expect((await call('GET', '/api/integrations')).body.integrations).toHaveLength(1);
    const one = await call('GET', '/api/integrations/sales');
    expect([one.status, one.headers.get('etag'), one.body.id]).toEqual([200, '"1"', 'sales']);
    expect((await call('GET', '/api/integrations/none')).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('are replaced, with If-Match only at the right revision', async () => {
    const { call } = startApi();
    await call('POST', '/api/integrations', SALES);
    const put = (tag?: string) =>
      call('PUT', '/api/integrations/sales', SALES, tag === undefined ? {} : { 'If-Match': tag });
    const answers = [await put(), await put('"2"'), await put('*'), await put('"7", "4"')];
    expect(answers.map(({ status, headers }) => [status, headers.get('etag')])).toEqual([
      [200, '"2"'],
      [200, '"3"'],
      [200, '"4"'],
      [200, '"5"'],
    ]);
    for (const stale of ['"4"', 'W/"5"', '"x"']) {
      expect((await put(stale)).body).toMatchObject({ status: 412, code: 'revision_conflict' });
    }
    expect((await put('5')).body).toMatchObject({ status: 400, errors: [{ path: 'If-Match' }] });
  });

  it('keep their name', async () => {
    const { call } = startApi();
    await call('POST', '/api/integrations', SALES);
    for (const method of ['PUT', 'PATCH']) {
      const { status, body } = await call(method, '/api/integrations/sales', { ...SALES, name: 'other' });
      expect([status, body.errors[0].path]).toEqual([422, 'name']);
    }
  });

  it('are patched by RFC 7396', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const patch = { enabled: null, connection: { port: 6543, ssl: true }, tables: ['a'] };
    const headers = { 'Content-Type': 'application/merge-patch+json', 'If-Match': '"1"' };
    const { status, body } = await call('PATCH', '/api/integrations/sales', patch, headers);
    expect(status).toBe(200);
    expect(body.document).toEqual({
      name: 'sales',
      type: 'postgresql',
      connection: { host: 'db.company.com', port: 6543, password: '[secret]', ssl: true },
      sync_settings: SALES.sync_settings,
      tables: ['a'],
    });
    const stale = await call('PATCH', '/api/integrations/sales', patch, headers);
    expect(stale.status).toBe(412);
    expect(service.stored.get('sales')?.revision).toBe(2);
  });

  it('are patched again when somebody else was faster, but not with If-Match', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const conflict = new Fault('config', 'revision_conflict', 'changing integration sales: it has changed');
    service.failures.set('update', conflict);
    expect((await call('PATCH', '/api/integrations/sales', { enabled: false })).body.document.enabled).toBe(false);
    service.failures.set('update', conflict);
    expect((await call('PATCH', '/api/integrations/sales', {}, { 'If-Match': '"2"' })).status).toBe(412);
  });

  it('are not patched with If-Match when somebody changes them after it was compared', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const { get } = service;
    service.get = async (id) => {
      service.get = get.bind(service);
      const compared = await service.get(id);
      await service.update(id, { ...SALES, description: 'by somebody else' }, undefined);
      return compared;
    };
    expect((await call('PATCH', '/api/integrations/sales', { enabled: false }, { 'If-Match': '"1"' })).status).toBe(
      412,
    );
    expect(service.stored.get('sales')?.document.description).toBe('by somebody else');
  });

  it('are removed, their data only when asked', async () => {
    const { call, service } = startApi();
    const removed = () => service.calls.filter((entry) => entry.startsWith('remove'));
    for (const query of ['', '?data=true', '?data=false']) {
      await call('POST', '/api/integrations', SALES);
      expect((await call('DELETE', `/api/integrations/sales${query}`, undefined, { 'If-Match': '"1"' })).status).toBe(
        204,
      );
    }
    expect(removed().map((entry) => entry.includes('"data":true'))).toEqual([false, true, false]);
    expect((await call('DELETE', '/api/integrations/sales')).status).toBe(404);
    expect((await call('DELETE', '/api/integrations/sales?data=yes')).body).toMatchObject({
      status: 400,
      code: 'invalid_parameter',
      errors: [{ path: 'data' }],
    });
  });
});

describe('Idempotency-Key', () => {
  const key = { 'Idempotency-Key': 'key-1' };

  it('gives the first answer to a repeated request, and to one at the same time', async () => {
    const { call, service } = startApi();
    const [first, second] = await Promise.all([
      call('POST', '/api/integrations', SALES, key),
      call('POST', '/api/integrations', SALES, key),
    ]);
    const third = await call(
      'POST',
      '/api/integrations',
      JSON.stringify(Object.fromEntries(Object.entries(SALES).reverse())),
      key,
    );
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201]);
    expect(third.text).toBe(first.text);
    expect(service.calls.filter((entry) => entry === 'create')).toHaveLength(1);
    expect((await call('POST', '/api/integrations', SALES)).body.code).toBe('already_exists');
  });

  it('refuses another body under the same key', async () => {
    const { call } = startApi();
    await call('POST', '/api/integrations', SALES, key);
    const { status, body } = await call('POST', '/api/integrations', { ...SALES, name: 'other' }, key);
    expect([status, body.code]).toEqual([422, 'idempotency_conflict']);
  });

  it('is forgotten after a failure and after a day', async () => {
    let now = 0;
    const { call, service } = startApi({ now: () => now });
    expect((await call('POST', '/api/integrations', { name: 'sales' }, key)).status).toBe(422);
    expect((await call('POST', '/api/integrations', SALES, key)).status).toBe(201);
    now = 25 * 3_600_000;
    service.stored.clear();
    expect((await call('POST', '/api/integrations', { ...SALES, name: 'later' }, key)).body.id).toBe('later');
  });

  it('must be visible ASCII', async () => {
    const { call } = startApi();
    const { body } = await call('POST', '/api/integrations', SALES, { 'Idempotency-Key': 'a b' });
    expect(body).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
  });

  it('of a sync is handed to the service, and refused with another body', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    await call('POST', '/api/integrations/sales/sync', { type: 'full' }, key);
    await call('POST', '/api/integrations/sales/sync', { type: 'full' }, key);
    expect(service.calls.filter((entry) => entry.includes('"idempotencyKey":"key-1"'))).toHaveLength(2);
    const other = await call('POST', '/api/integrations/sales/sync', { type: 'incremental' }, key);
    expect(other.body.code).toBe('idempotency_conflict');
  });
});
