import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { openDatabase, type StateDatabase } from '../../../lib/adapters/embedded/database';
import { SqliteStateStore } from '../../../lib/adapters/embedded/state';
import { describeStateStore } from '../../contracts/state';
import { ManualClock } from '../../memory/clock';
import { temporaryFolder } from './temporary';

describeStateStore('SQLite', async () => {
  const clock = new ManualClock();
  const folder = temporaryFolder();
  const path = join(folder.path, 'state.db');
  const open: StateDatabase[] = [];
  const connect = () => {
    const database = openDatabase(path);
    open.push(database);
    return new SqliteStateStore(database, clock);
  };
  return {
    store: connect(),
    now: () => clock.now(),
    elapse: (ms) => clock.advance(ms),
    reopen: async () => connect(),
    close: async () => {
      for (const database of open) database.close();
      folder.remove();
    },
  };
});

describe('state file', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const file = (name: string) => join(folder.path, name);

  it('is for its owner alone, with its side files, and syncs each commit', () => {
    const database = openDatabase(file('mode.db'));
    database.run('test', "INSERT INTO items VALUES ('p', 's', 1, '1', NULL)");
    for (const end of ['', '-wal', '-shm']) expect(statSync(file(`mode.db${end}`)).mode & 0o777).toBe(0o600);
    expect(database.all('test', 'PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
    expect(database.all('test', 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    database.close();
  });

  it('is refused when a newer program wrote it, and left as it is', () => {
    openDatabase(file('newer.db')).close();
    const other = new Database(file('newer.db'));
    other.pragma('user_version = 999');
    other.close();
    expect(() => openDatabase(file('newer.db'))).toThrow(
      expect.objectContaining({ kind: 'config', code: 'state_too_new', hint: expect.stringContaining('999') }),
    );
  });

  it.each([
    [
      'no database',
      'state_damaged',
      (path: string) => writeFileSync(path, 'this is text, and long enough'.repeat(100)),
    ],
    ['in a missing folder', 'state_not_writable', () => undefined],
  ])('that is %s is a config fault', (name, code, make) => {
    const path = file(name === 'no database' ? 'text.db' : 'missing/state.db');
    make(path);
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ kind: 'config', code }));
  });

  it('undoes a transaction that fails, and can be used on', () => {
    const database = openDatabase(file('undo.db'));
    const insert = () => database.run('test', "INSERT INTO items VALUES ('p', 's', 1, '1', NULL)");
    const fail = () => {
      insert();
      return insert();
    };
    expect(() => database.transaction('test', fail)).toThrow(expect.objectContaining({ kind: 'bug' }));
    expect(database.all('test', 'SELECT * FROM items')).toEqual([]);
    database.transaction('test', insert);
    expect(database.all('test', 'SELECT sort FROM items')).toEqual([{ sort: 's' }]);
    database.close();
  });

  it('does not keep expired items for ever', async () => {
    const database = openDatabase(file('expiry.db'));
    const clock = new ManualClock();
    const store = new SqliteStateStore(database, clock);
    for (let n = 0; n < 100; n++) await store.put({ partition: 'p', sort: `${n}` }, n, undefined, clock.now() + 10);
    await clock.advance(10);
    for (let n = 0; n < 500; n++) await store.put({ partition: 'p', sort: 'same' }, n, undefined);
    expect(database.all('test', 'SELECT count(*) AS n FROM items')).toEqual([{ n: 1 }]);
    database.close();
  });
});
