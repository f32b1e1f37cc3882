import type { Alert, AlertMute, MuteRequest } from '../../lib/core/alert/alert';
import * as full from '../api/full-answers';
import { commandLine, connectionTo } from './command-line';

const AT = '2026-01-02T03:04:05.000Z';
const STALE: Alert = {
  integration: 'shop',
  name: 'Data Staleness',
  slug: 'data-staleness',
  condition: "last_sync_age > '2h'",
  severity: 'warning',
  channels: [],
  state: 'firing',
  since: AT,
  lookedAt: AT,
  values: { last_sync_age: 7500 },
  acknowledged: { at: AT, by: 'ann', comment: 'on it' },
  mutedUntil: AT,
};
const OK: Alert = { ...STALE, name: 'Rate', slug: 'rate', state: 'no_data', values: {} };

const lines = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('alerts', () => {
  const asked: unknown[] = [];
  const connection = connectionTo({
    alerts: async (id) => {
      asked.push(['alerts', id]);
      const { acknowledged: _by, mutedUntil: _until, ...plain } = OK;
      return [STALE, plain];
    },
    alertHistory: async (id, limit) => {
      asked.push(['history', id, limit]);
      const { severity, values } = STALE;
      return [
        { id: 'x', at: AT, alert: 'rate', name: 'Rate', change: 'resolved', severity, values, reason: 'no data' },
      ];
    },
    acknowledgeAlert: async (...given) => {
      asked.push(['ack', ...given]);
      return STALE;
    },
    muteAlerts: async (request: MuteRequest) => {
      asked.push(['mute', request]);
      const { from = AT, until, integration } = request;
      return { id: 'm1', from, until, ...(integration !== undefined && { integration }) } satisfies AlertMute;
    },
    alertMutes: async () => [{ id: 'm1', integration: 'shop', from: AT, until: AT, by: 'ann', comment: 'moving' }],
    unmuteAlerts: async (id) => void asked.push(['unmute', id]),
  });
  const run = (args: readonly string[], env = {}) => commandLine(['alerts', ...args], { connection, env });
  beforeEach(() => {
    asked.length = 0;
  });

  it('shows all, or those of one integration', async () => {
    const { code, out } = await run([]);
    expect([code, lines(out)]).toEqual([
      0,
      [
        ['INTEGRATION', 'ALERT', 'STATE', 'SINCE', 'SEVERITY', 'SEEN', 'NOTE'],
        [
          ...['shop', 'data-staleness', 'firing', '2026-01-02 03:04:05Z', 'warning', 'last_sync_age 2 h'],
          'acknowledged by ann: on it, muted until 2026-01-02 03:04:05Z',
        ],
        ['shop', 'rate', 'no_data', '2026-01-02 03:04:05Z', 'warning'],
      ],
    ]);
    await run(['shop', '--json']);
    expect(asked).toEqual([
      ['alerts', undefined],
      ['alerts', 'shop'],
      ['history', 'shop', 50],
    ]);
  });

  it('shows what happened', async () => {
    const { out } = await run(['history', 'shop', '--limit', '5']);
    expect(lines(out)[1]).toEqual([
      ...['2026-01-02 03:04:05Z', 'rate', 'resolved', 'warning', 'last_sync_age 2 h', 'no data'],
    ]);
    expect(asked).toContainEqual(['history', 'shop', 5]);
  });

  it('acknowledges in the name of the user, or of another', async () => {
    const { code, out } = await run(['ack', 'shop', 'Data Staleness', '--comment', 'on it'], { USER: 'ann' });
    expect([code, out]).toEqual([0, 'Data Staleness of shop is acknowledged: nobody is reminded of it.\n']);
    await run(['ack', 'shop', 'rate', '--by', 'bob'], { USER: 'ann' });
    expect(asked).toEqual([
      ['ack', 'shop', 'Data Staleness', { by: 'ann', comment: 'on it' }],
      ['ack', 'shop', 'rate', { by: 'bob' }],
    ]);
  });

  it('mutes for a time or until one, and says how to end it', async () => {
    const { out } = await run(['mute', 'shop', '--until', '2026-02-01T01:00:00+01:00']);
    expect(out).toBe(
      'The alerts of shop are muted until 2026-02-01 00:00:00Z. To end it: explorerio alerts unmute m1\n',
    );
    await run(['mute', 'shop', 'rate', '--from', '2026-02-01', '--for', '1h30m', '--comment', 'moving']);
    await run(['mute', '--all', '--for', '2h']);
    expect(asked).toMatchObject([
      ['mute', { integration: 'shop', until: '2026-02-01T00:00:00.000Z' }],
      [
        'mute',
        { alert: 'rate', from: '2026-02-01T00:00:00.000Z', until: '2026-02-01T01:30:00.000Z', comment: 'moving' },
      ],
      ['mute', { until: expect.stringMatching(/^\d{4}-/) }],
    ]);
    expect(asked[2]).not.toHaveProperty('[1].integration');
  });

  it.each([
    [['mute', 'shop'], 'say how long'],
    [['mute', 'shop', '--for', '2h', '--until', '2026-02-01'], 'say how long'],
    [['mute', '--for', '2h'], 'name an integration, or all of them with --all'],
    [['mute', 'shop', '--all', '--for', '2h'], 'name an integration, or all of them with --all'],
    [['mute', 'shop', '--for', 'long'], 'Expected a length of time'],
    [['mute', 'shop', '--until', 'soon'], 'Expected a time'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await run(args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(asked).toEqual([]);
  });

  it('lists mutes, and ends one', async () => {
    expect(lines((await run(['mutes'])).out)[1]).toEqual([
      ...['m1', 'shop', '(all)', '2026-01-02 03:04:05Z', '2026-01-02 03:04:05Z', 'ann: moving'],
    ]);
    expect((await run(['unmute', 'm1'])).out).toBe('m1 has ended.\n');
    expect(asked).toEqual([['unmute', 'm1']]);
  });
});

it('status shows what rings', async () => {
  const connection = connectionTo({ status: async () => full.status });
  const { out } = await commandLine(['status', 'sales'], { connection });
  expect(out).toContain(
    'alert:     [warning] Data Staleness since 2026-01-02 03:04:05Z, last_sync_age 2 h, acknowledged by ann: on it, muted until 2026-01-02 03:04:05Z\n',
  );
  const json = await commandLine(['status', 'sales', '--json'], { connection });
  expect(JSON.parse(json.out).firing_alerts).toMatchObject([{ slug: 'data-staleness' }]);
});
