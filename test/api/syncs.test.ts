import { Fault } from '../../lib/core/fault';
import { SALES, startApi } from './client';
import * as full from './full-answers';

async function startWithSales(options: Parameters<typeof startApi>[0] = {}) {
  const api = startApi(options);
  await api.call('POST', '/api/integrations', SALES);
  return { ...api, syncs: () => api.service.calls.filter((entry) => entry.startsWith('sync')) };
}

describe('a sync', () => {
  it('starts as the specification writes it, with a Location', async () => {
    const { call, syncs } = await startWithSales();
    const { status, headers, body } = await call('POST', '/api/integrations/sales/sync', { type: 'full', async: true });
    expect([status, headers.get('location'), body.id]).toEqual([202, '/api/runs/run-1', 'run-1']);
    expect(syncs()[0]).toContain('{"trigger":"manual","whenRunning":"refuse","type":"full"}');
  });

  it('needs no body', async () => {
    const { call, syncs } = await startWithSales();
    expect((await call('POST', '/api/integrations/sales/sync')).status).toBe(202);
    expect(syncs()[0]).toContain('{"trigger":"manual","whenRunning":"refuse"}');
  });

  it('is queued by query or body, and the body wins', async () => {
    const { call, syncs } = await startWithSales();
    await call('POST', '/api/integrations/sales/sync?when_running=queue');
    await call('POST', '/api/integrations/sales/sync', { when_running: 'queue' });
    await call('POST', '/api/integrations/sales/sync?when_running=queue', { when_running: 'refuse' });
    expect(syncs().map((entry) => /"whenRunning":"(\w+)"/.exec(entry)?.[1])).toEqual(['queue', 'queue', 'refuse']);
  });

  it('is answered with the ended run when it is not async', async () => {
    const { call, service } = await startWithSales();
    let answered = false;
    const pending = call('POST', '/api/integrations/sales/sync', { async: false }).finally(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    service.endRun();
    const { status, body } = await pending;
    expect([status, body.state, body.streams.length]).toEqual([200, 'succeeded', 1]);
  });

  it('is answered with the running run when the server stops, and is not cancelled', async () => {
    const stopping = new AbortController();
    const { call, service } = await startWithSales({ stopping: stopping.signal });
    const pending = call('POST', '/api/integrations/sales/sync', { async: false });
    setTimeout(() => stopping.abort(), 20);
    const { status, body, headers } = await pending;
    expect([status, body.state, headers.get('location')]).toEqual([202, 'running', '/api/runs/run-1']);
    expect(service.calls.some((entry) => entry.startsWith('cancel'))).toBe(false);
  });

  it('is answered with the running run when nobody in front would wait longer', async () => {
    const { call } = await startWithSales({ longestWaitMs: 20 });
    const { status, body } = await call('POST', '/api/integrations/sales/sync', { async: false });
    expect([status, body.state]).toEqual([202, 'running']);
  });

  it('is refused while another runs, with the id of that run', async () => {
    const { call, service } = await startWithSales();
    const fault = new Fault('config', 'run_active', 'syncing sales: a run is going on', {
      hint: 'Wait for run-7.',
      run: 'run-7',
    });
    service.failures.set('sync', fault);
    const { status, body, headers } = await call('POST', '/api/integrations/sales/sync');
    expect(status).toBe(409);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({
      code: 'run_active',
      run: 'run-7',
      type: '/api/docs#run_active',
      hint: 'Wait for run-7.',
    });
    service.failures.set('remove', fault);
    expect((await call('DELETE', '/api/integrations/sales')).body).toMatchObject({ status: 409, run: 'run-7' });
  });

  it('refuses unknown and wrong fields', async () => {
    const { call } = await startWithSales();
    const wrong = await call('POST', '/api/integrations/sales/sync', { type: 'some', asinc: true });
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors.map((error: { path: string }) => error.path).sort()).toEqual(['asinc', 'type']);
    expect((await call('POST', '/api/integrations/sales/sync', [1])).status).toBe(422);
    expect((await call('POST', '/api/integrations/sales/sync?when_runing=queue')).body).toMatchObject({
      status: 400,
      errors: [{ path: 'when_runing', message: expect.stringContaining('when_running') }],
    });
  });
});

describe('runs and status', () => {
  it('tells how an integration stands', async () => {
    const { call } = await startWithSales();
    const { status, body } = await call('GET', '/api/integrations/sales/status');
    expect(status).toBe(200);
    expect(body.progress).toEqual({
      rows: 5,
      bytes: 50,
      estimated_rows: 10,
      fraction: 0.5,
      seconds_left: 3,
      rows_per_second: 2,
    });
  });

  it('lists runs page by page until there are no more', async () => {
    const { call } = await startWithSales();
    const seen: string[] = [];
    let path: string | undefined = '/api/integrations/sales/runs?limit=2';
    while (path !== undefined) {
      const { body, headers } = await call('GET', path);
      seen.push(...body.runs.map((run: { id: string }) => run.id));
      path = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      expect(body.next === undefined).toBe(path === undefined);
    }
    expect(seen).toEqual(['run-5', 'run-4', 'run-3', 'run-2', 'run-1']);
    expect((await call('GET', '/api/integrations/sales/runs?limit=5')).headers.get('link')).toBeNull();
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'limit=1&limit=2', 'after='])('refuses ?%s', async (query) => {
    const { call } = await startWithSales();
    expect((await call('GET', `/api/integrations/sales/runs?${query}`)).body.code).toBe('invalid_parameter');
  });

  it('reads and cancels a run', async () => {
    const { call, service } = await startWithSales();
    expect((await call('GET', '/api/runs/run-3')).body).toMatchObject({ id: 'run-3', streams: [{ slices_done: 1 }] });
    expect((await call('GET', '/api/runs/none')).status).toBe(404);
    const cancelled = await call('POST', '/api/runs/run-3/cancel');
    expect([cancelled.status, cancelled.headers.get('location')]).toEqual([202, '/api/runs/run-3']);
    expect(service.calls).toContain('cancel "run-3"');
    expect((await call('POST', '/api/runs/none/cancel')).status).toBe(404);
  });

  it('redrives all dead letters, or those of one integration or run', async () => {
    const { call, service } = await startWithSales();
    const all = await call('POST', '/api/runs/redrive');
    expect([all.status, all.body]).toEqual([200, { letters: [full.redriven] }]);
    await call('POST', '/api/runs/redrive', { integration: 'sales' });
    await call('POST', '/api/runs/redrive', { run: 'run-1' });
    expect(service.calls.slice(-3)).toEqual([
      'redrive {}',
      'redrive {"integration":"sales"}',
      'redrive {"run":"run-1"}',
    ]);
    expect((await call('POST', '/api/runs/redrive', { runs: 'all' })).status).toBe(422);
  });

  it('lists quarantined records with their own keys', async () => {
    const { call, service } = await startWithSales();
    const { body } = await call('GET', '/api/integrations/sales/quarantine?stream=orders&limit=3');
    expect(body.records[0].record).toEqual(full.quarantinedRecord.record);
    expect(service.calls.at(-2)).toBe('quarantined "sales" {"limit":4,"stream":"orders"}');
    await call(
      'GET',
      '/api/integrations/sales/quarantine?field=a&rule=b&reason=c&run=d&since=2026-01-01T00:00:00Z&id=7',
    );
    expect(service.calls.at(-2)).toBe(
      'quarantined "sales" {"limit":51,"field":"a","rule":"b","reason":"c","run":"d","since":"2026-01-01T00:00:00Z","ids":["7"]}',
    );
  });

  it('edits, drops and replays quarantined records, and takes nothing for everything', async () => {
    const { call, service } = await startWithSales();
    const path = '/api/integrations/sales/quarantine';
    expect((await call('PATCH', `${path}/7`, { fields: { eMail: 'a@b.example', n: null } })).status).toBe(200);
    expect(service.calls.at(-2)).toBe('editQuarantined "sales" "7" {"eMail":"a@b.example","n":null}');
    for (const body of [{}, { fields: {} }, { fields: { a: 1 }, other: 1 }]) {
      expect((await call('PATCH', `${path}/7`, body)).status).toBe(422);
    }
    expect((await call('DELETE', path)).status).toBe(422);
    expect((await call('DELETE', `${path}?id=7`)).body).toEqual({ dropped: 3 });
    expect(service.calls.at(-2)).toBe('dropQuarantined "sales" {"ids":["7"]}');
    await call('POST', `${path}/replay`, { ids: ['7'], dry_run: true });
    expect(service.calls.at(-2)).toBe('replayQuarantined "sales" {"filter":{"ids":["7"]},"dryRun":true,"limit":500}');
    expect((await call('POST', `${path}/replay`, { ids: [] })).status).toBe(422);
  });
});
