import { emailChannel, slackChannel, webhookChannel } from '../../../../lib/adapters/embedded/notify/channels';
import { Fault } from '../../../../lib/core/fault';
import { Redactor } from '../../../../lib/core/secret';
import { systemClock } from '../../../../lib/core/system-clock';
import { guardedNetwork } from '../../../../lib/network/guard';

const network = guardedNetwork(undefined);

const EMAIL = {
  SMTP_URL: 'smtp://me:p%40ss-word@mail.example.com',
  EMAIL_FROM: 'a@example.com',
  EMAIL_TO: 'b@example.com, c@example.com',
};
const WEBHOOK = { WEBHOOK_URL: 'https://example.com/hook/12345', WEBHOOK_SECRET: 'signing-key' };

describe('channels by their settings', () => {
  const settingsOf = (values: { readonly [name: string]: string }, redactor = new Redactor()) => ({
    get: async (name: string) => values[name],
    called: (name: string) => `X_${name}`,
    clock: systemClock,
    redactor,
    network,
  });

  it('are there when all is set, and what is secret is known', async () => {
    const redactor = new Redactor();
    const all = [
      await emailChannel(settingsOf(EMAIL, redactor)),
      await slackChannel(settingsOf({ SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/abc' }, redactor)),
      await webhookChannel(settingsOf(WEBHOOK, redactor)),
    ];
    expect(all.map(({ name, notifier }) => [name, notifier?.channel])).toEqual([
      ['email', 'email'],
      ['slack', 'slack'],
      ['webhook', 'webhook'],
    ]);
    expect(all.every(({ fault }) => fault === undefined)).toBe(true);
    const text = redactor.redact(
      `${EMAIL.SMTP_URL} p@ss-word https://hooks.slack.com/services/T0/B0/abc ${WEBHOOK.WEBHOOK_SECRET}`,
    );
    expect(text).not.toMatch(/p@ss|p%40ss|services|signing-key/);
  });

  it('say what to set when nothing is, or only a part', async () => {
    expect((await emailChannel(settingsOf({}))).fault).toMatchObject({
      code: 'channel_not_configured',
      message: 'telling by email: it is not configured',
      hint: 'Set X_SMTP_URL, X_EMAIL_FROM, X_EMAIL_TO.',
    });
    const { EMAIL_TO: _to, ...rest } = EMAIL;
    expect((await emailChannel(settingsOf(rest))).fault).toMatchObject({
      message: 'telling by email: X_EMAIL_TO is missing',
      hint: 'Set X_EMAIL_TO.',
    });
    expect((await webhookChannel(settingsOf({ WEBHOOK_URL: 'https://example.com' }))).fault?.message).toBe(
      'telling by webhook: X_WEBHOOK_SECRET is missing',
    );
  });

  it.each([
    [
      'a URL of the mail server',
      () => emailChannel(settingsOf({ ...EMAIL, SMTP_URL: 'http://secret-host' })),
      'invalid_url',
      'X_SMTP_URL',
    ],
    [
      'an address',
      () => emailChannel(settingsOf({ ...EMAIL, EMAIL_TO: 'b@example.com,' })),
      'invalid_address',
      'X_EMAIL_TO',
    ],
    [
      'a webhook',
      () => slackChannel(settingsOf({ SLACK_WEBHOOK_URL: 'hooks.slack.com/secret-host' })),
      'invalid_url',
      'X_SLACK_WEBHOOK_URL',
    ],
  ])('say where %s comes from that is wrong, and not what it is', async (_what, open, code, name) => {
    const { notifier, fault } = await open();
    expect(notifier).toBeUndefined();
    expect(fault).toMatchObject({ code, hint: expect.stringContaining(name) });
    expect(JSON.stringify(fault)).not.toContain('secret-host');
  });

  it('are missing, with the reason, when the settings cannot be read', async () => {
    const get = async () => {
      throw new Fault('config', 'permission_denied', 'reading secret x: denied', { hint: 'Allow it.' });
    };
    const { fault } = await slackChannel({ ...settingsOf({}), get });
    expect(fault).toMatchObject({ code: 'permission_denied', hint: 'Allow it. It comes from X_SLACK_WEBHOOK_URL.' });
  });
});
