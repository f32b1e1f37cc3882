import { Fault } from '../../lib/core/fault';
import { startApi } from './client';

describe('notifications', () => {
  it('lists how the channels stand', async () => {
    const { status, body } = await startApi().call('GET', '/api/notifications/channels');
    expect(status).toBe(200);
    expect(body.channels).toMatchObject([{ channel: 'email', given_up: 1, used_by: ['sales'], last_fault: {} }]);
  });

  it('sends a test, on one channel or on all, and shows what went wrong', async () => {
    const { call, service } = startApi();
    const { status, body } = await call('POST', '/api/notifications/test', { channel: 'email' });
    await call('POST', '/api/notifications/test');
    expect([status, service.calls]).toEqual([
      200,
      ['testNotification "email"', expect.stringMatching(/^testNotification/)],
    ]);
    expect(body.outcomes).toMatchObject([{ channel: 'email', sent: false, fault: { hint: 'Look.' } }]);
  });

  it('refuses a channel that there is not', async () => {
    const { call, service } = startApi();
    service.failures.set(
      'testNotification',
      new Fault('config', 'not_found', 'testing: there is none', { hint: 'See.' }),
    );
    expect((await call('POST', '/api/notifications/test', { channel: 'pager' })).status).toBe(404);
    expect((await call('POST', '/api/notifications/test', { chanel: 'email' })).status).toBe(422);
  });
});
