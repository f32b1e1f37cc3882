import type { ChannelStatus } from '../../../../lib/core/channel';
import { Fault } from '../../../../lib/core/fault';
import type { Notifications } from '../../../../lib/engine/notify/notifications';
import { notification, World } from './world';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEVER = new AbortController().signal;

async function statusOf(process: Notifications, name: string): Promise<ChannelStatus> {
  const found = (await process.channels()).find(({ channel }) => channel === name);
  if (found === undefined) throw new Error(`no channel ${name}`);
  return found;
}

describe('notifications', () => {
  let world: World;
  let process: Notifications;
  beforeEach(() => {
    world = new World();
    process = world.process();
  });

  it('sends one as it is, on every channel, within seconds', async () => {
    const one = notification();
    await process.notify(one);
    await world.pass(process, 15_000);
    expect(world.email.sent).toEqual([one]);
    expect(world.slack.sent).toEqual([one]);
    await world.pass(process, HOUR);
    expect(world.email.sent).toHaveLength(1);
  });

  it('takes one id once, also long after it was sent', async () => {
    const one = notification();
    await process.notify(one);
    await process.notify({ ...one, title: 'again' });
    await world.pass(process, MINUTE);
    await process.notify(one);
    await world.pass(process, HOUR);
    expect(world.email.sent).toEqual([one]);
  });

  it('makes few mails of a thousand failing runs in an hour, whose counts add up', async () => {
    for (let run = 0; run < 1000; run++) {
      await process.notify(notification());
      if (run % 100 === 99) await world.pass(process, 6 * MINUTE);
    }
    await world.pass(process, HOUR);
    expect(world.email.told).toBe(1000);
    expect(world.email.sent.length).toBeLessThanOrEqual(12);
    const many = world.email.sent.find(({ facts }) => facts.notifications === 100);
    expect(many?.title).toMatch(/^shop: the sync failed \(\d+\) \(and 99 more\)$/);
    expect(many?.text).toContain('Check the host.');
    expect(many?.text).toContain('and 90 more');
  });

  it('sums up in one message what a channel may not be sent: a thousand integrations at once', async () => {
    for (let index = 0; index < 1000; index++) await process.notify(notification({ integration: `i${index}` }));
    await world.pass(process, 12 * HOUR);
    expect(world.email.told).toBe(1000);
    expect(world.email.sent.length).toBeLessThanOrEqual(6);
    expect(world.email.sent.at(-1)?.text).toMatch(/\d+ notifications of which no details were kept/);
    expect((await statusOf(process, 'email')).waiting).toBe(0);
  });

  it('keeps to twenty messages an hour, whatever comes', async () => {
    for (let minute = 0; minute < 180; minute++) {
      for (let index = 0; index < 5; index++) {
        await process.notify(notification({ integration: `i${minute % 60}-${index}`, severity: 'warning' }));
      }
      await world.pass(process, MINUTE);
    }
    const before = world.email.sent.length;
    expect(before).toBeLessThanOrEqual(3 * 20 + 5);
    await world.pass(process, HOUR);
    expect(world.email.told).toBe(900);
  });

  it('sends what is critical on its own while the rest is summed up', async () => {
    for (let index = 0; index < 30; index++) {
      await process.notify(notification({ integration: `i${index}`, severity: index === 25 ? 'critical' : 'info' }));
    }
    await world.pass(process, MINUTE);
    expect(world.email.sent[0]).toMatchObject({ severity: 'critical', integration: 'i25' });
  });

  it('tells of an end at once, after what has ended', async () => {
    await process.notify(notification({ kind: 'alert', title: 'shop: stale', severity: 'warning' }));
    await world.pass(process, 1000);
    await process.notify(notification({ kind: 'resolved', title: 'shop: fresh again', severity: 'info' }));
    await process.deliver(NEVER);
    expect(world.email.sent.map(({ title }) => title)).toEqual(['shop: stale', 'shop: fresh again']);
  });

  it('does not hold the end back behind a group that waits for its window', async () => {
    await process.notify(notification({ kind: 'alert' }));
    await world.pass(process, 15_000);
    await process.notify(notification({ kind: 'alert' }));
    await process.notify(notification({ kind: 'resolved', severity: 'info' }));
    await process.deliver(NEVER);
    expect(world.email.sent.map(({ kind }) => kind)).toEqual(['alert', 'alert', 'resolved']);
  });

  it('keeps what a channel missed in an hour, and lets the others go on', async () => {
    world.email.fails = () =>
      new Fault('transient', 'unreachable', 'sending an email: ECONNREFUSED', { hint: 'Check.' });
    for (let minute = 0; minute < 60; minute++) {
      await process.notify(notification());
      await world.pass(process, MINUTE);
    }
    expect(world.slack.told).toBeGreaterThanOrEqual(58);
    const failing = await statusOf(process, 'email');
    expect(failing).toMatchObject({ state: 'failing', waiting: 60, sent: 0 });
    expect(failing.lastFault).toMatchObject({ code: 'unreachable', hint: 'Check.' });
    expect(failing.nextAttempt).toBeDefined();
    world.email.fails = undefined;
    await world.pass(process, 2 * HOUR);
    expect(world.email.told).toBe(60);
    expect(world.email.sent).toHaveLength(2);
    expect(await statusOf(process, 'email')).toMatchObject({ state: 'ok', waiting: 0, givenUp: 0 });
  });

  it('tries less and less often, and gives up after a day', async () => {
    let attempts = 0;
    world.email.fails = () => {
      attempts += 1;
      return new Fault('config', 'authentication_failed', 'sending an email: 535', { hint: 'Check.' });
    };
    await process.notify(notification());
    await world.pass(process, 26 * HOUR);
    expect(attempts).toBeGreaterThan(20);
    expect(attempts).toBeLessThan(60);
    expect(await statusOf(process, 'email')).toMatchObject({ state: 'failing', waiting: 0, givenUp: 1 });
    expect(world.logger.lines.some(({ message }) => message === 'notifications were given up')).toBe(true);
  });

  it('waits as long as the receiver asks', async () => {
    const at: number[] = [];
    world.slack.fails = () => {
      at.push(world.clock.now());
      if (at.length > 1) return undefined;
      return new Fault('transient', 'throttled', 'sending to Slack: 429', { hint: 'Wait.', retryAfterMs: 600_000 });
    };
    await process.notify(notification());
    await world.pass(process, HOUR);
    const [first = 0, second = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(600_000);
    expect(second - first).toBeLessThan(610_000);
    expect(world.slack.told).toBe(1);
  });

  it('does not send again what only some recipients refuse', async () => {
    let attempts = 0;
    world.email.fails = () => {
      attempts += 1;
      return new Fault('config', 'recipient_refused', 'sending an email: refused', { hint: 'Correct it.' });
    };
    await process.notify(notification());
    await world.pass(process, HOUR);
    expect(attempts).toBe(1);
    expect(await statusOf(process, 'email')).toMatchObject({ state: 'failing', waiting: 0, sent: 1 });
  });

  it('gives up a message that hangs, and tries again', async () => {
    let calls = 0;
    const sent: string[] = [];
    world.email.send = ({ id }) => {
      calls += 1;
      if (calls === 1) return new Promise(() => undefined);
      sent.push(id);
      return Promise.resolve();
    };
    await process.notify(notification({ id: 'slow' }));
    await world.clock.advance(10_000);
    const round = process.deliver(NEVER);
    await world.clock.advance(31_000);
    await round;
    expect((await statusOf(process, 'email')).lastFault?.code).toBe('timeout');
    await world.pass(process, 5 * MINUTE);
    expect(sent).toEqual(['slow']);
  });

  it('sends on the channels that are named, by their other names too, and on all where none of them is there', async () => {
    await process.notify(notification({ integration: 'a' }), ['mail']);
    await process.notify(notification({ integration: 'b' }), ['slack', 'webhook']);
    await process.notify(notification({ integration: 'c' }), ['webhook']);
    await world.pass(process, MINUTE);
    expect(world.email.sent.map(({ integration }) => integration)).toEqual(['a', 'c']);
    expect(world.slack.sent.map(({ integration }) => integration)).toEqual(['b', 'c']);
    expect(world.email.sent[1]?.text).toContain('meant for webhook, which is not configured here');
  });

  it('lets no secret out: not in a message, not in a fault, and not one that became known later', async () => {
    world.redactor.add('hunter2-secret');
    await process.notify(
      notification({ text: 'password hunter2-secret and late-secret', facts: { at: 'hunter2-secret' } }),
    );
    world.redactor.add('late-secret');
    world.slack.fails = () => new Fault('config', 'x', 'sending: hunter2-secret', { hint: 'late-secret' });
    await world.pass(process, MINUTE);
    const all = JSON.stringify([world.email.sent, await process.channels(), world.logger.lines]);
    expect(world.email.sent[0]?.text).toContain('password [secret] and [secret]');
    expect(all).not.toMatch(/hunter2|late-secret/);
    const outcome = await process.test('slack');
    expect(JSON.stringify(outcome)).not.toMatch(/hunter2|late-secret/);
  });

  it('links to what it is about', async () => {
    const linking = world.process('one', {}, world.state, 'https://explorer.example.com/');
    await linking.notify(notification({ run: 'shop-1' }));
    await linking.notify(notification({ integration: 'other' }));
    await world.pass(linking, MINUTE);
    const texts = world.email.sent.map(({ text }) => text);
    expect(texts[0]).toMatch(/\n\nhttps:\/\/explorer\.example\.com\/api\/runs\/shop-1$/);
    expect(texts[1]).toMatch(/\n\nhttps:\/\/explorer\.example\.com\/api\/integrations\/other\/status$/);
  });

  it('does not send twice from two processes at the same time', async () => {
    const other = world.process('two');
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { send } = world.email;
    world.email.send = async function (this: typeof world.email, one) {
      await gate;
      return send.call(this, one);
    };
    await process.notify(notification());
    await world.clock.advance(10_000);
    const first = process.deliver(NEVER);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    await other.deliver(NEVER);
    expect(world.email.sent).toHaveLength(0);
    release();
    await first;
    await other.deliver(NEVER);
    expect(world.email.sent).toHaveLength(1);
    expect(world.slack.sent).toHaveLength(1);
  }, 5000);

  it('tests a channel at once, and shows how it went', async () => {
    expect(await statusOf(process, 'email')).toMatchObject({ state: 'idle', waiting: 0 });
    expect(await process.test(undefined)).toEqual([
      { channel: 'email', sent: true },
      { channel: 'slack', sent: true },
    ]);
    expect(world.email.sent[0]).toMatchObject({ kind: 'test', title: 'A test of ExplorerIO' });
    expect((await statusOf(process, 'email')).state).toBe('ok');
    expect(await process.test('webhook')).toMatchObject([
      { sent: false, fault: { code: 'not_configured', hint: 'Set it.' } },
    ]);
    await expect(process.test('pager')).rejects.toMatchObject({ code: 'not_found' });
    expect(await statusOf(process, 'webhook')).toMatchObject({ state: 'missing', missing: { hint: 'Set it.' } });
  });
});
