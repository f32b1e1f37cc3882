import { createHmac } from 'node:crypto';
import { WebhookNotifier } from '../../../../lib/adapters/embedded/notify/webhook';
import type { Notification } from '../../../../lib/core/notification';
import { Secret } from '../../../../lib/core/secret';
import { systemClock } from '../../../../lib/core/system-clock';
import { SIGNATURE_HEADER } from '../../../../lib/core/webhook-signature';
import { guardedNetwork } from '../../../../lib/network/guard';
import { describeNotifier } from '../../../contracts/notifier';
import { ManualClock } from '../../../memory/clock';
import { startReceiver } from './http-receiver';

const network = guardedNetwork(undefined);

const KEY = 'signing-key-of-the-test';
const PATH = '/hooks/secret-path?token=secret-token';

describeNotifier('webhook', async () => {
  const receiver = await startReceiver();
  const url = new Secret(`${receiver.url}${PATH}`);
  return {
    notifier: new WebhookNotifier({ url, signingKey: new Secret(KEY), clock: systemClock, network, timeoutMs: 300 }),
    async receive() {
      const { body, headers } = receiver.take();
      const sent = JSON.parse(body.toString('utf8')) as Notification;
      const text = [sent.text, ...Object.values(sent).map(String), ...Object.entries(sent.facts).flat()].join('\n');
      return {
        subject: `[${sent.severity}] ${sent.title}`,
        text,
        headers: Object.keys(headers),
      };
    },
    trouble: receiver.trouble,
    secrets: ['secret-path', 'secret-token', KEY],
    saysHowLong: true,
    close: () => receiver.down(),
  };
});

describe('a signed webhook', () => {
  const NOTIFICATION: Notification = {
    id: 'one',
    kind: 'test',
    severity: 'info',
    title: 'Größe',
    text: 'text',
    at: '2026-11-25T02:00:00.000Z',
    facts: {},
  };

  it('can be verified as it is documented', async () => {
    const receiver = await startReceiver();
    const clock = new ManualClock(1_764_000_000_999);
    const url = new Secret(`${receiver.url}${PATH}`);
    await new WebhookNotifier({ url, signingKey: new Secret(KEY), clock, network }).send(NOTIFICATION);
    await receiver.down();
    const { method, path, headers, body } = receiver.take();
    expect([method, path, headers['content-type']]).toEqual(['POST', PATH, 'application/json']);
    const [, t = '', v1 = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers[SIGNATURE_HEADER])) ?? [];
    expect(t).toBe('1764000000');
    expect(v1).toBe(createHmac('sha256', KEY).update(`${t}.`).update(body).digest('hex'));
    expect(JSON.parse(body.toString('utf8'))).toEqual(NOTIFICATION);
  });

  it.each([
    [
      'redirects',
      { status: 302, headers: { location: 'http://127.0.0.1:1/elsewhere' } },
      'config',
      'redirected',
      undefined,
    ],
    ['wants to know who we are', { status: 401 }, 'config', 'authentication_failed', undefined],
    ['is gone', { status: 410 }, 'config', 'receiver_missing', undefined],
    [
      'does not understand',
      { status: 400, body: 'a secret-token in an answer' },
      'config',
      'notification_refused',
      undefined,
    ],
    [
      'is busy until a date',
      { status: 503, headers: { 'retry-after': 'Thu, 01 Jan 1970 00:01:40 GMT' } },
      'transient',
      'receiver_unavailable',
      90_000,
    ],
    ['is busy for days', { status: 429, headers: { 'retry-after': '864000' } }, 'transient', 'throttled', 3_600_000],
    [
      'is busy until the past',
      { status: 429, headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:01 GMT' } },
      'transient',
      'throttled',
      undefined,
    ],
    [
      'is busy without a reason',
      { status: 429, headers: { 'retry-after': 'soon' } },
      'transient',
      'throttled',
      undefined,
    ],
  ])('that %s is told apart', async (_what, answer, kind, code, retryAfterMs) => {
    const receiver = await startReceiver();
    receiver.answer(answer);
    const url = new Secret(`${receiver.url}${PATH}`);
    const notifier = new WebhookNotifier({ url, signingKey: new Secret(KEY), clock: new ManualClock(10_000), network });
    const fault = await notifier.send(NOTIFICATION).catch((error) => error);
    await receiver.down();
    expect(fault).toMatchObject({ kind, code });
    expect(fault.retryAfterMs).toBe(retryAfterMs);
    expect(`${fault.message} ${fault.hint}`).not.toMatch(/secret-|elsewhere/);
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([
    'http://hooks.example/secret-path',
    'https://user:secret-path@hooks.example/',
    'ftp://x/secret-path',
    'secret-path',
    '',
  ])('is not made with the URL %j, which is not shown', (text) => {
    const open = () =>
      new WebhookNotifier({ url: new Secret(text), signingKey: new Secret(KEY), clock: systemClock, network });
    expect(open).toThrow(expect.objectContaining({ kind: 'config', code: 'invalid_url' }));
    expect(open).not.toThrow('secret-path');
  });
});
