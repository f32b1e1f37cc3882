import { grouped } from './grouping-feed';
import { LogDatabase } from './log-database';
import { logFixture } from './log-fixture';
import { type Change, logConnector } from './log-source';
import { feedContract } from './source-feed';
import { wrongFeeds } from './wrong-feeds';

type Bodies = ReadonlyMap<string, () => Promise<void>>;

function checksOf(change?: Change): Bodies {
  const database = new LogDatabase();
  const running = logFixture(database);
  const bodies = new Map<string, () => Promise<void>>();
  feedContract(
    logConnector(database, change),
    () => running,
    (title, body) => void bodies.set(title, body),
  );
  return bodies;
}

describe.each<[string, Change]>([
  ['as it comes', () => ({})],
  ['in groups', (honest) => ({ read: grouped(honest, 'before') })],
])('a feed that gives its log %s', (_name, change) => {
  it.each([...checksOf(change)])('%s', (_title, body) => body());
});

describe('the checks of feeds', () => {
  it.each(wrongFeeds)('find one that %s', async (_what, check, change) => {
    await expect(checksOf(change).get(check)?.()).rejects.toThrow();
  });

  it('all find one', () => {
    expect([...checksOf().keys()].filter((title) => !wrongFeeds.some(([, check]) => check === title))).toEqual([]);
  });
});
