import type { ChannelStatus, TestOutcome } from '../../lib/core/channel';
import { commandLine, connectionTo } from './command-line';

const SENT: TestOutcome = { channel: 'slack', sent: true };
const REFUSED: TestOutcome = {
  channel: 'email',
  sent: false,
  fault: { kind: 'config', code: 'x', message: 'sending an email: refused', hint: 'Check the password.' },
};

const EMAIL: ChannelStatus = {
  channel: 'email',
  state: 'failing',
  waiting: 12,
  sent: 3,
  givenUp: 0,
  lastSuccess: '2026-01-02T03:04:05.000Z',
  lastFault: {
    kind: 'config',
    code: 'x',
    message: 'sending an email: refused',
    hint: 'Check.',
    at: '2026-01-02T04:00:00.000Z',
  },
  usedBy: ['shop', 'crm'],
};
const SLACK: ChannelStatus = {
  channel: 'slack',
  state: 'missing',
  waiting: 0,
  sent: 0,
  givenUp: 0,
  missing: { kind: 'config', code: 'y', message: 'telling by slack: it is not configured', hint: 'Set it.' },
  usedBy: [],
};

describe('notify', () => {
  const asked: (string | undefined)[] = [];
  const testing = (...outcomes: TestOutcome[]) =>
    connectionTo({
      testNotification: async (channel) => {
        asked.push(channel);
        return outcomes;
      },
    });

  it.each([
    ['all are sent', [SENT], 0, 'slack: sent\n'],
    [
      'one is not',
      [SENT, REFUSED],
      3,
      'slack: sent\nemail: not sent: sending an email: refused. Check the password.\n',
    ],
    ['none is', [REFUSED], 1, 'email: not sent: sending an email: refused. Check the password.\n'],
    ['none is configured', [], 2, expect.stringContaining('EXPLORERIO_SMTP_URL')],
  ] as const)('test says what became of it when %s', async (_what, outcomes, expected, text) => {
    const connection = testing(...outcomes);
    const { code, out } = await commandLine(['notify', 'test'], { connection });
    expect([code, out, connection.closed]).toEqual([expected, text, 1]);
  });

  it('test asks for the channel that was named, and prints JSON', async () => {
    asked.length = 0;
    const { out } = await commandLine(['notify', 'test', 'email', '--json'], { connection: testing(REFUSED) });
    await commandLine(['notify', 'test'], { connection: testing() });
    expect(asked).toEqual(['email', undefined]);
    expect(JSON.parse(out)).toEqual({ outcomes: [REFUSED] });
  });

  it('channels shows how each stands, and why one does not', async () => {
    const connection = connectionTo({ notificationChannels: async () => [EMAIL, SLACK] });
    const { code, out } = await commandLine(['notify', 'channels'], { connection });
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['CHANNEL', 'STATE', 'WAITING', 'SENT', 'GIVEN UP', 'LAST SUCCESS', 'USED BY'],
      ['email', 'failing', '12', '3', '0', '2026-01-02T03:04:05.000Z', 'shop, crm'],
      ['slack', 'missing', '0', '0', '0'],
      [''],
      ['email: sending an email: refused. Check.'],
      ['slack: telling by slack: it is not configured. Set it.'],
      [''],
    ]);
  });
});
