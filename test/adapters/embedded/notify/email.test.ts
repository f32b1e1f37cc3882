import { EmailNotifier } from '../../../../lib/adapters/embedded/notify/email';
import type { Notification } from '../../../../lib/core/notification';
import { Secret } from '../../../../lib/core/secret';
import { guardedNetwork } from '../../../../lib/network/guard';
import { describeNotifier } from '../../../contracts/notifier';
import { type MailServer, startMailServer } from './mail-server';

const network = guardedNetwork(undefined);

const PASSWORD = 'p@ss/word of the mail server';
const FROM = 'explorerio@example.com';
const urlOf = ({ port }: MailServer, host = '127.0.0.1') =>
  new Secret(`smtp://mailer:${encodeURIComponent(PASSWORD)}@${host}:${port}`);

describeNotifier('email', async () => {
  const server = await startMailServer('mailer', PASSWORD);
  return {
    notifier: new EmailNotifier({ url: urlOf(server), from: FROM, to: ['owner@example.com'], network, timeoutMs: 300 }),
    async receive() {
      const { headers, text, recipients } = server.take();
      expect(recipients).toEqual(['owner@example.com']);
      return { subject: headers.get('subject') ?? '', text, headers: [...headers.keys()] };
    },
    trouble: server.trouble,
    secrets: [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(`\0mailer\0${PASSWORD}`).toString('base64')],
    saysHowLong: false,
    close: server.close,
  };
});

describe('an email', () => {
  const NOTIFICATION: Notification = {
    id: 'one',
    kind: 'test',
    severity: 'warning',
    title: 'title',
    text: 'text',
    at: '2026-11-25T02:00:00.000Z',
    facts: {},
  };
  let server: MailServer;
  beforeAll(async () => {
    server = await startMailServer('mailer', PASSWORD);
  });
  afterAll(() => server?.close());

  const notifier = (to: readonly string[], url = urlOf(server)) => new EmailNotifier({ url, from: FROM, to, network });

  it('goes to all who are named, says who it is from, and has one id for every attempt', async () => {
    const to = ['one@example.com', 'zwei@example.com'];
    await notifier(to).send(NOTIFICATION);
    await notifier(to).send(NOTIFICATION);
    await notifier(to).send({ ...NOTIFICATION, id: 'other' });
    const [first, second, other] = [server.take(), server.take(), server.take()];
    expect(first.recipients).toEqual(to);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      from: `ExplorerIO <${FROM}>`,
      to: to.join(', '),
      'auto-submitted': 'auto-generated',
      'x-explorerio-severity': 'warning',
    });
    expect(second.headers.get('message-id')).toBe(first.headers.get('message-id'));
    expect(other.headers.get('message-id')).not.toBe(first.headers.get('message-id'));
  });

  it('that one of two recipients cannot get names this one', async () => {
    await expect(notifier(['nobody@example.com', 'one@example.com']).send(NOTIFICATION)).rejects.toMatchObject({
      kind: 'config',
      code: 'recipient_refused',
      message: 'sending an email: the mail server refuses nobody@example.com',
    });
    expect(server.take().recipients).toEqual(['one@example.com']);
    await expect(notifier(['nobody@example.com']).send(NOTIFICATION)).rejects.toMatchObject({ kind: 'config' });
  });

  it('sends no password to another machine without TLS', async () => {
    const before = server.logins.length;
    // The same server, by an address that is not known to be of this machine.
    const elsewhere = notifier(['one@example.com'], urlOf(server, '[::ffff:127.0.0.1]'));
    await expect(elsewhere.send(NOTIFICATION)).rejects.toMatchObject({ kind: 'config', code: 'tls_failed' });
    expect(server.logins).toHaveLength(before);
  });

  it.each(['owner', 'a@b\r\nBcc: eve@example.com', 'a@b, eve@example.com', 'Owner <a@b>', ''])(
    'is not sent to %j',
    (address) => {
      expect(() => notifier([address])).toThrow(expect.objectContaining({ code: 'invalid_address' }));
    },
  );

  it('has a recipient', () => {
    expect(() => notifier([])).toThrow(expect.objectContaining({ code: 'invalid_address' }));
  });

  it.each(['http://u:secret-word@host', 'smtp:', 'smtp://u:secret-word%@host', 'secret-word', ''])(
    'goes through no server with the URL %j, which is not shown',
    (url) => {
      const open = () => notifier(['a@b'], new Secret(url));
      expect(open).toThrow(expect.objectContaining({ kind: 'config', code: 'invalid_url' }));
      expect(open).not.toThrow('secret-word');
    },
  );
});
