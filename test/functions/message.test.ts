import type { SQSRecord } from 'aws-lambda';
import type { SyncHome } from '../../functions/sync/home';
import { handleMessage } from '../../functions/sync/message';
import { Fault } from '../../lib/core/fault';
import { silentLog } from '../memory/scheduler';
import { CONTEXT } from './stage';

/** A home that knows no integration; `released` has the time for which each message was kept off. */
function emptyHome() {
  const released: number[] = [];
  const get = async () => {
    throw new Fault('config', 'not_found', 'there is no integration of this name');
  };
  const home = {
    engine: { service: { get } },
    log: silentLog,
    queue: () => ({ release: async (_receipt: string, ms: number) => void released.push(ms) }),
  };
  return { home: home as unknown as SyncHome, released };
}

const record = (body: object, receives = 1) =>
  ({
    messageId: 'm',
    receiptHandle: 'r',
    body: JSON.stringify(body),
    attributes: { ApproximateReceiveCount: String(receives), SentTimestamp: '0' },
  }) as SQSRecord;

const tick = { schedule: 'shop', at: '2026-01-01T02:00:00Z' };

describe('a tick of an integration that is not stored', () => {
  it('is dropped when it was made at run time: it has been removed', async () => {
    const { home, released } = emptyHome();
    expect(await handleMessage(home, 'memory', record(tick), CONTEXT)).toBe(true);
    expect(released).toEqual([]);
  });

  it('waits when it is declared, in all for longer than the health function takes to store it', async () => {
    const { home, released } = emptyHome();
    for (const receives of [1, 2, 3, 4]) {
      expect(await handleMessage(home, 'memory', record({ ...tick, declared: true }, receives), CONTEXT)).toBe(false);
    }
    const waited = released.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThan(5 * 60_000);
  });
});
