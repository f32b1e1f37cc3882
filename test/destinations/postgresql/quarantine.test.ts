import { Client } from 'pg';
import { Op, type Row } from '../../../lib/core/batch';
import { column, options, orders, rowBatch, signal } from '../../contracts/destination-harness';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query } from '../postgresql';
import { INCREMENTS, openQuarantine } from './open-quarantine';

const schema = orders();
const keyless = orders(undefined, []);

describeWithServer('quarantine on PostgreSQL 15', postgresql({ version: 15 }), (server) => {
  const open = (namespace: string, opening: Parameters<typeof openQuarantine>[2] = { key: 'key' }) =>
    openQuarantine(server(), namespace, opening);

  it('keeps one entry of each key, encrypted, and gives it back typed', async () => {
    const { destination, quarantine, reject } = await open('q_keep', { key: 'key one' });
    await reject([1n, 'canary-old']);
    await reject([1n, 'canary-new']);
    const stored = await query(server(), 'SELECT q::text AS text FROM q_keep._explorerio_quarantine q');
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain('canary');
    expect(await quarantine.entries({ field: 'name' }, { limit: 9 })).toMatchObject([
      { record: { row: [1n, 'canary-new'] } },
    ]);
    expect(await quarantine.entries({ reason: 'other' }, { limit: 9 })).toEqual([]);
    await destination.close();
    const other = await open('q_keep', { key: 'key two' });
    expect(await other.quarantine.entries({}, { limit: 9 })).toMatchObject([{ problem: expect.stringMatching(/key/) }]);
    expect(await other.destination.quarantined({ limit: 9 })).toMatchObject([
      { record: { _explorerio: expect.any(String) }, problem: expect.stringMatching(/key/) },
    ]);
    await other.destination.close();
  });

  it('shows where a record came from, every reason, and the configuration; any reason is found', async () => {
    const { destination, rejections } = await open('q_show');
    const reasons = [
      { message: 'too long \0 \ud800', field: 'name', rule: 'length' },
      { message: 'bad id', field: 'id', rule: 'range' },
    ];
    const rejected = rejections([[1n, 'a']], { reasons, op: Op.Update });
    const write = options(1, { rejected, configuration: 'c1' });
    await destination.write(rowBatch(schema, []), INCREMENTS, write);
    const [found, ...more] = await destination.quarantined({ limit: 9, field: 'id', rule: 'range', reason: 'BAD' });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      ...{ field: 'name', rule: 'length', op: 'update', partition: 'increment', configuration: 'c1' },
      reasons: [{ message: 'too long \ufffd \ufffd' }, { message: 'bad id', field: 'id', rule: 'range' }],
    });
    for (const filter of [
      { field: 'other' },
      { rule: 'enum' },
      { run: 'run-2' },
      { until: found?.at ?? '' },
      { ids: ['0'] },
    ]) {
      expect(await destination.quarantined({ limit: 9, ...filter })).toEqual([]);
    }
    await destination.close();
  });

  it('loads once, also when two do it at once, and a dry run changes nothing', async () => {
    const { destination, quarantine, reject, replay, rows } = await open('q_once', { key: 'key', shape: keyless });
    await reject([1n, 'a']);
    expect(await replay(true)).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([]);
    const both = (await Promise.all([replay(), replay()])).flat();
    expect(both.filter(({ state }) => state === 'loaded')).toHaveLength(1);
    expect(await rows()).toEqual([{ id: '1', name: 'a' }]);
    expect(await quarantine.entries({}, { limit: 9 })).toEqual([]);
    await destination.close();
  });

  it('never overwrites what is newer, and does not bring back what was deleted', async () => {
    const { destination, reject, replay, rows } = await open('q_newer');
    await reject([1n, 'old']);
    await reject([2n, 'gone']);
    await destination.write(rowBatch(schema, [[1n, 'new']], 2), INCREMENTS, options());
    await destination.write(rowBatch(schema, [[2n, null]], 3, [Op.Delete]), INCREMENTS, options());
    expect(await replay()).toMatchObject([{ state: 'superseded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'new' }]);
    await reject([1n, 'newest']);
    expect(await replay()).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'newest' }]);
    await destination.close();
  });

  it('decides nothing where both versions were written at once', async () => {
    const { destination, reject, replay, rows } = await open('q_same');
    await reject([1n, 'rejected'], [[1n, 'written']]);
    expect(await replay()).toMatchObject([
      { state: 'failed', reasons: [{ message: expect.stringMatching(/same tran/) }] },
    ]);
    expect(await rows()).toEqual([{ id: '1', name: 'written' }]);
    await destination.close();
  });

  it('takes what is put there after a replay for newer, also where its transaction began before', async () => {
    const { destination, quarantine, reject, replay, rows } = await open('q_begun');
    await reject([1n, 'old']);
    const [{ id = '', revision = 0 } = {}] = await quarantine.entries({}, { limit: 1 });
    const blocker = new Client({ connectionString: server().url });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE q_begun._explorerio_shapes');
    const writing = reject([1n, 'new']);
    const isWaiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'q_begun._explorerio_shapes'::regclass`;
    while ((await query(server(), isWaiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const items = [{ id, revision, row: [1n, 'old'], op: Op.Insert }];
    const replayed = await quarantine.replay({ schema, items, failed: [], leftOut: [], dryRun: false, signal });
    expect(replayed).toMatchObject([{ state: 'loaded' }]);
    await blocker.query('COMMIT');
    await blocker.end();
    await writing;
    expect(await replay()).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'new' }]);
    await destination.close();
  });

  it('waits for the load that it came from, and gives way to a later one', async () => {
    const { destination, quarantine, reject, replay, rows, load, publish } = await open('q_load');
    await reject([1n, 'a'], [], await load('l1'));
    expect(await replay()).toMatchObject([{ state: 'postponed' }]);
    await publish('l1');
    expect(await replay(true)).toMatchObject([{ state: 'loaded' }]);
    await load('l2');
    await publish('l2');
    expect(await replay()).toMatchObject([{ state: 'superseded' }]);
    expect(await rows()).toEqual([]);
    expect(await quarantine.entries({}, { limit: 9 })).toEqual([]);
    await destination.close();
  });

  it('keeps equal records without a key apart, as long as their load counts', async () => {
    const { destination, quarantine, reject, replay, rows, load, publish } = await open('q_equal', { shape: keyless });
    const discarded = await load('l1');
    await reject([1n, 'a'], [], discarded);
    await destination.discard('orders', 'l1');
    expect(await replay()).toMatchObject([{ state: 'superseded' }]);
    const part = await load('l2');
    for (const _ of [1, 2]) await reject([1n, 'a'], [], part);
    await publish('l2');
    expect(await replay()).toMatchObject([{ state: 'loaded' }, { state: 'loaded' }]);
    expect(await rows()).toEqual([
      { id: '1', name: 'a' },
      { id: '1', name: 'a' },
    ]);
    expect(await quarantine.entries({}, { limit: 9 })).toEqual([]);
    await destination.close();
  });

  it('files what comes from the feed of all streams under the stream of the record', async () => {
    const { destination, reject, replay, rows } = await open('q_feed');
    const feed = { ...INCREMENTS, stream: '*' };
    await destination.claim(feed, 1);
    await reject([1n, 'a'], [], feed);
    await reject([2n, 'b'], [], feed);
    expect(await destination.quarantined({ stream: 'orders', limit: 9 })).toHaveLength(2);
    await destination.write(rowBatch(schema, [[2n, null]], 2, [Op.Delete]), feed, options());
    expect(await replay()).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'a' }]);
    await destination.close();
  });

  it('replays the others where one has a key that the table cannot hold', async () => {
    const shape = orders([column('id', 'date'), column('name', 'text')]);
    const { destination, rejections, replay, rows } = await open('q_key', { shape });
    const bad: Row[] = [
      ['2026-01-31', 'a'],
      ['2026-02-30', 'b'],
      ['2026-03-01', 'c'],
    ];
    await destination.write(rowBatch(shape, []), INCREMENTS, options(1, { rejected: rejections(bad) }));
    const states = (await replay()).map(({ state }) => state).sort();
    expect(states).toEqual(['failed', 'loaded', 'loaded']);
    expect((await rows()).map(({ name }) => name)).toEqual(['a', 'c']);
    await destination.close();
  });

  describe('an edit', () => {
    it('replaces fields, is noted, stays encrypted and as old as it was', async () => {
      const { destination, quarantine, reject, replay, rows } = await open('q_edit');
      await reject([1n, 'canary-old']);
      await reject([2n, 'b']);
      const [second, first] = await destination.quarantined({ limit: 9 });
      const edited = await quarantine.edit(first?.id ?? '', { name: 'canary-edited' });
      expect(edited).toMatchObject({ at: first?.at, id: first?.id, record: { name: 'canary-edited' } });
      expect(edited.edited).toEqual({ at: expect.any(String), fields: ['name'] });
      const stored = await query(server(), 'SELECT q::text AS text FROM q_edit._explorerio_quarantine q');
      expect(JSON.stringify(stored)).not.toContain('canary');
      await quarantine.edit(second?.id ?? '', { name: 'B' });
      await destination.write(rowBatch(schema, [[2n, 'newer']], 2), INCREMENTS, options());
      expect((await replay()).map(({ state }) => state)).toEqual(['loaded', 'superseded']);
      expect(await rows()).toEqual([
        { id: '1', name: 'canary-edited' },
        { id: '2', name: 'newer' },
      ]);
      await expect(quarantine.edit(first?.id ?? '', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
      await destination.close();
    });

    it('is not overtaken by a replay that has read the record before', async () => {
      const { destination, quarantine, reject, replay, rows } = await open('q_edit_race');
      await reject([1n, 'a']);
      const [entry] = await quarantine.entries({}, { limit: 1 });
      const { id = '', revision = 0 } = entry ?? {};
      await quarantine.edit(id, { name: 'b' });
      const stale = { id, revision, row: [1n, 'a'], op: Op.Insert };
      const request = { schema, items: [stale], failed: [], leftOut: [], dryRun: false, signal };
      expect(await quarantine.replay(request)).toMatchObject([{ state: 'postponed' }]);
      expect(await replay()).toMatchObject([{ state: 'loaded' }]);
      expect(await rows()).toEqual([{ id: '1', name: 'b' }]);
      await destination.close();
    });

    it('stays while the source gives the same record, and gives way to another version', async () => {
      const { destination, quarantine, reject, replay, rows, load, publish } = await open('q_edit_again');
      for (const id of [1n, 2n]) await reject([id, 'a']);
      const [second, first] = await destination.quarantined({ limit: 9 });
      for (const one of [first, second]) await quarantine.edit(one?.id ?? '', { name: 'edited' });
      await reject([1n, 'a'], [], await load('l1'));
      await publish('l1');
      await reject([2n, 'b']);
      const found = await destination.quarantined({ limit: 9 });
      expect(found.map(({ id, edited }) => [id === first?.id, edited?.fields])).toEqual([
        [false, undefined],
        [true, ['name']],
      ]);
      expect((await replay()).map(({ state }) => state)).toEqual(['loaded', 'loaded']);
      expect((await rows()).map(({ name }) => name)).toEqual(['edited', 'b']);
      await destination.close();
    });

    it('gives a key to records that had none, which are all kept', async () => {
      const { destination, quarantine, reject, replay, rows } = await open('q_edit_key');
      await reject([null, 'a']);
      await reject([null, 'b']);
      await reject([3n, 'c']);
      const entries = await destination.quarantined({ limit: 9 });
      expect(entries).toHaveLength(3);
      const ids = entries.filter(({ record }) => record.id === null).map(({ id }) => id);
      await quarantine.edit(ids[0] ?? '', { id: '7' });
      await expect(quarantine.edit(ids[1] ?? '', { id: '7' })).rejects.toMatchObject({ code: 'not_editable' });
      // What the source deletes now goes, as it has that key.
      await quarantine.edit(ids[1] ?? '', { id: '8' });
      await destination.write(rowBatch(schema, [[8n, null]], 2, [Op.Delete]), INCREMENTS, options());
      await replay();
      expect((await rows()).map(({ id }) => id)).toEqual(['3', '7']);
      await destination.close();
    });
  });

  it('is kept within its bounds, oldest first, and says what went and why', async () => {
    const { destination, quarantine, reject, load, publish } = await open('q_prune');
    const put = async (first: number, last: number) => {
      for (let id = first; id <= last; id++) await reject([BigInt(id), 'x']);
    };
    const bounds = { maxRecords: 4, maxAgeMs: 3_600_000 };
    await put(1, 3);
    await load('l1');
    await publish('l1');
    await put(21, 26);
    expect(await quarantine.prune(bounds, signal)).toEqual([
      { stream: 'orders', cause: 'superseded', records: 3 },
      { stream: 'orders', cause: 'too_many', records: 2 },
    ]);
    const left = await destination.quarantined({ limit: 9 });
    expect(left.map(({ record }) => record.id)).toEqual(['26', '25', '24', '23']);
    await query(
      server(),
      `UPDATE q_prune._explorerio_quarantine SET at = at + interval '1 day' WHERE id <> ${left[0]?.id}`,
    );
    expect(await quarantine.prune({ maxRecords: 4, maxAgeMs: 0 }, signal)).toEqual([
      { stream: 'orders', cause: 'too_old', records: 1 },
    ]);
    expect(await quarantine.prune(bounds, signal)).toEqual([]);
    await destination.close();
  });
});
