import { inspect } from 'node:util';
import { Fault } from '../../lib/core/fault';
import type { Notification } from '../../lib/core/notification';
import type { Notifier } from '../../lib/core/ports';

/** Ways in which a channel fails. */
export type Trouble = 'down' | 'slow' | 'throttled' | 'failing' | 'forbidden';

/** A notification as it came out at the other end. */
export interface Delivered {
  /** The line that is shown first. */
  readonly subject: string;
  /** All that a reader sees, the subject left out or not. */
  readonly text: string;
  /** Names of headers or attributes, in small letters. */
  readonly headers: readonly string[];
}

/** A channel with somebody at its other end. */
export interface NotifierFixture {
  readonly notifier: Notifier;
  /** The next that has not been taken yet. */
  receive(): Promise<Delivered>;
  /** Makes the channel fail from now on; `undefined`: no more. */
  trouble(kind: Trouble | undefined): Promise<void>;
  /** What must be in no message. */
  readonly secrets: readonly string[];
  /** Its answer when it is throttled says to wait seven seconds. */
  readonly saysHowLong: boolean;
  /** Subjects are in ASCII. */
  readonly asciiSubjects?: boolean;
  close(): Promise<void>;
}

const NOTIFICATION: Notification = {
  id: 'shop/Integration Failure/1',
  kind: 'alert',
  severity: 'critical',
  title: 'shop: the connection fails',
  text: 'connecting: connection refused\nCheck host and port.',
  integration: 'shop',
  stream: 'public.orders',
  run: 'shop-20261125-020000000-abc',
  at: '2026-11-25T02:00:00.000Z',
  facts: { error_rate: 0.25, limit: '2h' },
};

/** The sentences of the notifier port, as tests. */
export function describeNotifier(name: string, open: () => Promise<NotifierFixture>): void {
  describe(`notifier: ${name}`, () => {
    let fixture: NotifierFixture;
    beforeAll(async () => {
      fixture = await open();
    }, 60_000);
    afterEach(async () => fixture?.trouble(undefined));
    afterAll(async () => fixture?.close());

    const send = (more: Partial<Notification> = {}) => fixture.notifier.send({ ...NOTIFICATION, ...more });
    const sent = async (more: Partial<Notification> = {}) => {
      await send(more);
      return fixture.receive();
    };

    it('brings all that a reader needs', async () => {
      const { subject, text } = await sent();
      expect(subject).toBe('[critical] shop: the connection fails');
      for (const line of NOTIFICATION.text.split('\n')) expect(text).toContain(line);
      const { integration, stream, run, at, id, kind } = NOTIFICATION;
      for (const part of [integration, stream, run, at, id, kind, 'error_rate', '0.25', '2h'])
        expect(text).toContain(part);
    });

    it('brings a notification that names no integration, stream and run, and has no text and no facts', async () => {
      const { integration: _integration, stream: _stream, run: _run, ...rest } = NOTIFICATION;
      await fixture.notifier.send({ ...rest, kind: 'test', severity: 'info', text: '', facts: {} });
      expect((await fixture.receive()).subject).toBe('[info] shop: the connection fails');
    });

    it('brings every character of a text, and of a subject as far as the channel can', async () => {
      const odd = 'Größe "100" <b>&amp; \\ $x `y` 漢字 🚀 *z* <!channel>';
      const { subject, text } = await sent({
        title: `Tränen: ${odd}`,
        text: `${odd}\n\tund ${odd}`,
        integration: 'größe-漢字',
      });
      expect(text).toContain(`${odd}\n\tund ${odd}`);
      expect(text).toContain('größe-漢字');
      if (fixture.asciiSubjects) expect(subject).toMatch(/^[\x20-\x7E]+$/);
      expect(subject).toMatch(
        fixture.asciiSubjects ? /^\[critical\] Tranen: Gro\?e "100"/ : /^\[critical\] Tränen: Größe "100"/,
      );
    });

    it.each([
      ['a line end', '\r\nBcc: eve@example.com\r\n\r\nbody'],
      ['a lone line feed', '\nBcc: eve@example.com'],
      ['a lone carriage return', '\rBcc: eve@example.com'],
      ['a line separator', '\u2028Bcc: eve@example.com'],
      ['NUL and other controls', '\0\u0007\u001B[2J\u009B\u007F Bcc: eve@example.com'],
    ])('takes %s in a title for a blank', async (_what, injected) => {
      const { subject, headers } = await sent({ title: `shop${injected}` });
      expect(subject).toMatch(/^\[critical\] shop \S?.*Bcc: eve@example\.com/);
      expect(subject).not.toMatch(/[\p{Cc}\u2028]/u);
      expect(headers).not.toContain('bcc');
    });

    it.each([
      ['a long word', 'x'.repeat(100_000)],
      ['lines', 'a line of a report about what happened\n'.repeat(2600)],
      ['three-byte characters', '漢'.repeat(34_000)],
      ['quotes and backslashes', '"\\'.repeat(50_000)],
      ['halves of characters and controls', '\uD800\0\u001B'.repeat(33_000)],
    ])('takes a text of 100 KB of %s, and shows when it is cut off', async (_what, text) => {
      const delivered = await sent({ title: 'long', text: `begin ${text} end` });
      expect(delivered.text).toContain('begin ');
      expect(delivered.text).toMatch(/ end|\[cut off\]/);
      expect(delivered.text).toContain(NOTIFICATION.id);
    });

    it('takes a title that is as long as a text, and shows that it goes on', async () => {
      const { subject } = await sent({ title: '🚀 very long '.repeat(1000) });
      expect(subject.length).toBeLessThan(600);
      expect(subject).toMatch(/^\[critical\] .+\.\.\.$/);
    });

    it('takes more facts than a channel has room for', async () => {
      const facts = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`fact ${index}`, 'x'.repeat(100)]));
      expect((await sent({ facts })).text).toContain(NOTIFICATION.id);
    });

    it('sends twice what it is given twice, with the same id', async () => {
      const [first, second] = [await sent({ id: 'same one' }), await sent({ id: 'same one' })];
      for (const { text } of [first, second]) expect(text).toContain('same one');
    });

    it.each([
      ['down', 'transient'],
      ['slow', 'transient'],
      ['throttled', 'transient'],
      ['failing', 'transient'],
      ['forbidden', 'config'],
    ] as const)(
      'says what to do when its receiver is %s, tells no secret, and works again afterwards',
      async (trouble, kind) => {
        await fixture.trouble(trouble);
        const fault = await send().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (!(fault instanceof Fault)) throw new Error(`expected a fault, got ${inspect(fault)}`);
        expect(fault).toMatchObject({
          kind,
          message: expect.stringMatching(/^[a-z]+ing .+: /),
          hint: expect.any(String),
        });
        if (trouble === 'throttled' && fixture.saysHowLong) expect(fault.retryAfterMs).toBe(7000);
        const shown = `${inspect(fault, { depth: 10, showHidden: true })} ${JSON.stringify(fault.record())}`;
        for (const secret of fixture.secrets) expect(shown).not.toContain(secret);
        await fixture.trouble(undefined);
        expect((await sent({ title: 'again' })).subject).toBe('[critical] again');
      },
    );
  });
}
