import { Fault } from '../../lib/core/fault';
import { SALES, startApi } from './client';

const UNTIL = '2026-03-01T00:00:00Z';

describe('alerts', () => {
  it('are listed, all or those of an integration with their history', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const all = await call('GET', '/api/alerts');
    expect([all.status, all.body.alerts]).toMatchObject([
      200,
      [{ slug: 'data-staleness', state: 'firing', values: { last_sync_age: 7300 }, acknowledged: { by: 'ann' } }],
    ]);
    const one = await call('GET', '/api/integrations/sales/alerts?limit=7');
    expect(one.body).toMatchObject({ alerts: [{ slug: 'data-staleness' }], history: [{ change: 'resolved' }] });
    expect(service.calls).toContain('alertHistory "sales" 7');
    expect((await call('GET', '/api/integrations/crm/alerts')).status).toBe(404);
    expect((await call('GET', '/api/integrations/sales/alerts?limit=101')).status).toBe(400);
  });

  it('are acknowledged by slug or name, with or without words', async () => {
    const { call, service } = startApi();
    await call('POST', '/api/integrations', SALES);
    const path = '/api/integrations/sales/alerts/Data%20Staleness/acknowledge';
    expect((await call('POST', path, { by: 'ann', comment: 'on it' })).status).toBe(200);
    expect((await call('POST', path)).status).toBe(200);
    expect(service.calls.slice(-4)).toEqual([
      'acknowledgeAlert "sales" "Data Staleness" {"by":"ann","comment":"on it"}',
      'get "sales"',
      'acknowledgeAlert "sales" "Data Staleness" {}',
      'get "sales"',
    ]);
    expect((await call('POST', path, { who: 'ann' })).status).toBe(422);
  });

  it('are muted, and that is ended', async () => {
    const { call, service } = startApi();
    const made = await call('POST', '/api/alerts/mutes', { integration: 'sales', until: UNTIL });
    expect([made.status, made.body.id]).toEqual([201, 'mute-1']);
    expect(service.calls).toEqual([`muteAlerts {"integration":"sales","until":"${UNTIL}"}`]);
    expect((await call('GET', '/api/alerts/mutes')).body.mutes).toMatchObject([
      { id: 'mute-1', alert: 'data-staleness' },
    ]);
    expect((await call('DELETE', '/api/alerts/mutes/mute-1')).status).toBe(204);
    expect((await call('DELETE', '/api/alerts/mutes/mute-2')).status).toBe(404);
    expect((await call('POST', '/api/alerts/mutes', { until: 'tomorrow' })).status).toBe(422);
    expect((await call('POST', '/api/alerts/mutes', {})).status).toBe(422);
  });

  it('of the cloud home are refused with a hint', async () => {
    const { call, service } = startApi();
    const fault = new Fault('config', 'alerts_elsewhere', 'listing alerts: they are in CloudWatch', {
      hint: 'Look there.',
    });
    service.failures.set('alerts', fault);
    const { status, body } = await call('GET', '/api/alerts');
    expect([status, body]).toMatchObject([422, { code: 'alerts_elsewhere', hint: 'Look there.' }]);
  });
});
