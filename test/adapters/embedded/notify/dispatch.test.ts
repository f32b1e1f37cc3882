import { EmailNotifier } from '../../../../lib/adapters/embedded/notify/email';
import { SlackNotifier } from '../../../../lib/adapters/embedded/notify/slack';
import { Secret } from '../../../../lib/core/secret';
import { systemClock } from '../../../../lib/core/system-clock';
import { createNotifications } from '../../../../lib/engine/notify/notifications';
import { guardedNetwork } from '../../../../lib/network/guard';
import { notification, World } from '../../../unit/engine/notify/world';
import { type HttpReceiver, startReceiver } from './http-receiver';
import { type MailServer, startMailServer } from './mail-server';

const network = guardedNetwork(undefined);

const MINUTE = 60_000;

/** How many notifications the mails that have arrived stand for, and how many mails they are. */
function taken(mails: MailServer): { readonly mails: number; readonly told: number } {
  let [count, told] = [0, 0];
  for (;;) {
    let text: string;
    try {
      ({ text } = mails.take());
    } catch {
      return { mails: count, told }; // no more
    }
    count += 1;
    told += Number(/^notifications: (\d+)$/m.exec(text)?.[1] ?? 1);
  }
}

describe('notifications over real servers, by a clock that stands still', () => {
  let world: World;
  let mails: MailServer;
  let slack: HttpReceiver;
  beforeEach(async () => {
    world = new World();
    mails = await startMailServer('explorer', 'password');
    slack = await startReceiver();
  });
  afterEach(async () => {
    await mails.close();
    await slack.down();
  });

  function dispatcher() {
    const { state, clock, redactor } = world;
    const email = new EmailNotifier({
      url: new Secret(`smtp://explorer:password@127.0.0.1:${mails.port}`),
      from: 'explorer@example.com',
      to: ['ops@example.com'],
      network,
    });
    const channels = [
      { name: 'email', notifier: email },
      { name: 'slack', notifier: new SlackNotifier({ url: new Secret(slack.url), clock: systemClock, network }) },
    ];
    return createNotifications({
      ...{ state, clock, redactor, log: world.logger.log, owner: 'one', exclusive: false },
      random: () => 0.5,
      channels: { list: async () => channels, aliases: {} },
    });
  }

  it('makes a few mails of a thousand failing runs, whose counts add up, though the server is down for a while', async () => {
    const process = dispatcher();
    for (let part = 0; part < 10; part++) {
      if (part === 3) await mails.trouble('down');
      if (part === 6) await mails.trouble(undefined);
      for (let run = 0; run < 100; run++) await process.notify(notification());
      await world.pass(process, 6 * MINUTE);
    }
    await world.pass(process, 2 * 60 * MINUTE);
    const { mails: count, told } = taken(mails);
    expect(told).toBe(1000);
    expect(count).toBeLessThanOrEqual(12);
  }, 60_000);

  it('waits for Slack as long as its 429 says, and loses nothing', async () => {
    const process = dispatcher();
    await slack.trouble('throttled');
    await process.notify(notification({ title: 'shop: throttled' }));
    await world.pass(process, 12_000);
    const status = (await process.channels()).find(({ channel }) => channel === 'slack');
    expect(status).toMatchObject({ state: 'failing', waiting: 1, lastFault: { code: 'throttled' } });
    expect(Date.parse(status?.nextAttempt ?? '') - world.clock.now()).toBeGreaterThanOrEqual(7000 - 2000);
    await slack.trouble(undefined);
    await world.pass(process, MINUTE);
    expect(slack.take().body.toString()).toContain('shop: throttled');
    expect(() => slack.take()).toThrow();
    expect(taken(mails)).toEqual({ mails: 1, told: 1 });
  });
});
