import { EmailNotifier } from '../../../../lib/adapters/embedded/notify/email';
import { SlackNotifier } from '../../../../lib/adapters/embedded/notify/slack';
import { WebhookNotifier } from '../../../../lib/adapters/embedded/notify/webhook';
import type { Network } from '../../../../lib/core/network';
import type { Notification } from '../../../../lib/core/notification';
import type { Notifier } from '../../../../lib/core/ports';
import { Secret } from '../../../../lib/core/secret';
import { systemClock as clock } from '../../../../lib/core/system-clock';
import { guardedNetwork } from '../../../../lib/network/guard';
import { type NameServer, startNameServer } from '../../../servers/name-server';
import { startReceiver } from './http-receiver';

const NOTIFICATION: Notification = {
  id: 'one',
  kind: 'test',
  severity: 'info',
  title: 'title',
  text: 'text',
  at: '2026-11-25T02:00:00.000Z',
  facts: {},
};
const PROXIES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'] as const;

type Open = (host: string, network: Network) => Notifier;
const CHANNELS: readonly (readonly [string, Open])[] = [
  ['slack', (host, network) => new SlackNotifier({ url: new Secret(`https://${host}/hooks/T0`), clock, network })],
  [
    'webhook',
    (host, network) => {
      const url = new Secret(`https://${host}/hooks/T0`);
      return new WebhookNotifier({ url, signingKey: new Secret('key'), clock, network });
    },
  ],
  [
    'email',
    (host, network) => {
      const url = new Secret(`smtp://${host}:25`);
      return new EmailNotifier({ url, from: 'a@example.com', to: ['b@example.com'], network });
    },
  ],
];

describe.each(CHANNELS)('%s', (_, open) => {
  it.each(['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '100.100.100.200'])(
    'sends nothing to %s',
    async (host) => {
      await expect(open(host, guardedNetwork(undefined)).send(NOTIFICATION)).rejects.toMatchObject({
        kind: 'config',
        code: 'address_refused',
        message: expect.not.stringContaining(host),
      });
    },
  );

  it('sends nothing to a name that leads there', async () => {
    const names = await startNameServer([['169.254.169.254']]);
    const sent = open('hooks.example.com', guardedNetwork(undefined, names.resolve)).send(NOTIFICATION);
    await expect(sent).rejects.toMatchObject({
      code: 'address_refused',
      message: expect.not.stringContaining('hooks'),
    });
    expect(names.asked()).toBe(1);
    names.close();
  });
});

describe('a request', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let proxy: typeof receiver;
  let names: NameServer;
  const before = Object.fromEntries(PROXIES.map((name) => [name, process.env[name]]));
  const send = (url: string) =>
    new SlackNotifier({
      url: new Secret(url.replace('127.0.0.1', 'localhost')),
      clock,
      network: guardedNetwork(undefined, names.resolve),
    }).send(NOTIFICATION);
  beforeEach(async () => {
    receiver = await startReceiver();
    proxy = await startReceiver();
    names = await startNameServer([['127.0.0.1'], ['169.254.169.254']]);
  });
  afterEach(async () => {
    for (const name of PROXIES) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    names.close();
    await receiver.down();
    await proxy.down();
  });

  it('goes to the address that was checked, each time anew', async () => {
    await send(receiver.url);
    await expect(send(receiver.url)).rejects.toMatchObject({ code: 'address_refused' });
    expect([names.asked(), receiver.requests.length]).toEqual([2, 1]);
  });

  it('goes by no proxy that the environment names', async () => {
    for (const name of PROXIES) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url;
    await send(receiver.url);
    expect([receiver.requests.length, proxy.requests.length]).toEqual([1, 0]);
  });

  it('is not sent on by a redirect', async () => {
    const location = 'http://169.254.169.254/latest/meta-data/';
    receiver.answer({ status: 307, headers: { location } });
    await expect(send(receiver.url)).rejects.toMatchObject({ kind: 'config', code: 'redirected' });
    expect(names.asked()).toBe(1);
  });
});
