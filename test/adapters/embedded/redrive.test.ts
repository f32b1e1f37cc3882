import { join } from 'node:path';
import { openDatabase } from '../../../lib/adapters/embedded/database';
import { SqliteQueue } from '../../../lib/adapters/embedded/queue';
import { document, finish, Home, MANUAL, NEVER } from '../../unit/engine/home';
import { temporaryFolder } from './temporary';

describe('redriving dead letters of the state file', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  it('takes up a run that nobody could work on, and removes its letters', async () => {
    const home = new Home();
    home.fill('orders', 5);
    const database = openDatabase(join(folder.path, 'state.db'));
    const queue = new SqliteQueue(database, home.clock, { maxReceives: 2 });
    const engine = Object.assign(home, { queue }).engine();
    await engine.service.create(document());
    const { id } = await engine.service.sync('shop', MANUAL);
    await queue.send([{ body: { what: 1 }, group: 'shop' }]);
    for (let receives = 0; receives <= 2; receives++) {
      for (const { receipt } of await queue.receive({ max: 10, visibilityMs: 1, waitMs: 0, signal: NEVER })) {
        await queue.release(receipt, 0);
      }
    }
    const results = await engine.service.redrive({});
    expect(results.map(({ run, outcome }) => [run, outcome])).toEqual([
      [id, 'resent'],
      [undefined, 'kept'],
    ]);
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded', rows: 5 });
    expect((await queue.deadLetters(10)).map(({ body }) => body)).toEqual([{ what: 1 }]);
    database.close();
  });
});
