import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type StateDatabase } from '../../../lib/adapters/embedded/database';
import { sealedState } from '../../../lib/adapters/embedded/sealed-state';
import { SqliteStateStore } from '../../../lib/adapters/embedded/state';
import { describeStateStore } from '../../contracts/state';
import { ManualClock } from '../../memory/clock';
import { temporaryFolder } from './temporary';

describeStateStore('SQLite, sealed', async () => {
  const clock = new ManualClock();
  const folder = temporaryFolder();
  const open: StateDatabase[] = [];
  const connect = () => {
    const database = openDatabase(join(folder.path, 'state.db'));
    open.push(database);
    return sealedState(new SqliteStateStore(database, clock), join(folder.path, 'state.key'));
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

describe('a sealed state', () => {
  const ITEM = { partition: 'integrations', sort: 'shop' };
  const OTHER = { partition: 'integrations', sort: 'other' };
  const VALUE = { document: { name: 'shop', connection: { password: 'canary-in-document' } }, createdAt: 'then' };
  const folder = temporaryFolder();
  const keyFile = join(folder.path, 'state.key');
  const database = openDatabase(join(folder.path, 'state.db'));
  const plain = new SqliteStateStore(database, new ManualClock());
  afterAll(() => {
    database.close();
    folder.remove();
  });

  it('has the documents encrypted in its file, and its key for its owner alone', async () => {
    await sealedState(plain, keyFile).put(ITEM, VALUE, undefined);
    expect((await sealedState(plain, keyFile).get(ITEM))?.value).toEqual(VALUE);
    expect(await sealedState(plain, keyFile).query('integrations')).toMatchObject([{ value: VALUE }]);
    for (const file of ['state.db', 'state.db-wal'].map((name) => join(folder.path, name)).filter(existsSync)) {
      expect(readFileSync(file, 'latin1')).not.toContain('canary');
    }
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  it('reads what was stored before it was sealed', async () => {
    await plain.put(OTHER, VALUE, undefined);
    expect((await sealedState(plain, keyFile).get(OTHER))?.value).toEqual(VALUE);
  });

  it('tells a document that was moved to another place', async () => {
    await plain.put(OTHER, (await plain.get(ITEM))?.value ?? null, undefined);
    await expect(sealedState(plain, keyFile).get(OTHER)).rejects.toMatchObject({ code: 'state_key_wrong' });
  });

  it('tells another key, and one that is damaged', async () => {
    const kept = readFileSync(keyFile);
    rmSync(keyFile);
    await expect(sealedState(plain, keyFile).get(ITEM)).rejects.toMatchObject({
      kind: 'config',
      code: 'state_key_wrong',
    });
    writeFileSync(keyFile, 'short');
    expect(() => sealedState(plain, keyFile)).toThrow(/is damaged/);
    writeFileSync(keyFile, kept);
    expect((await sealedState(plain, keyFile).get(ITEM))?.value).toEqual(VALUE);
  });
});
