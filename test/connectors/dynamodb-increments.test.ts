import { setTimeout as sleep } from 'node:timers/promises';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { type Databases, type EndToEnd, makeDatabases, openEndToEnd } from '../e2e/home';
import { dynalite } from '../servers/dynalite';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, Filler, type Item } from './dynamodb';

const CURSOR = 'changed';

describeWithServer('increments of DynamoDB', dynalite(), (server) => {
  let filler: Filler;
  beforeAll(() => {
    filler = new Filler(server());
  });
  afterAll(() => filler.client.destroy());

  const put = (table: string, id: number, changed: Item[string] | undefined) =>
    filler.client.send(
      new PutItemCommand({ TableName: table, Item: { id: { N: String(id) }, ...(changed && { changed }) } }),
    );
  const now = (shiftMs = 0) => ({ S: new Date(Date.now() + shiftMs).toISOString() });
  const idsOf = (rows: readonly (readonly unknown[])[]) => rows.map(([id]) => Number(id)).sort((a, b) => a - b);

  it('lose nothing that is written while they read', async () => {
    await filler.table('busy', [['id', 'N']]);
    await put('busy', 1, now());
    await using source = await openSource('dynamodb', configOf(server()));
    const schema = await source.schema('busy');
    let written = 1;
    const writing = new AbortController();
    const writer = (async () => {
      while (!writing.signal.aborted) await put('busy', ++written, now());
    })();
    const seen: number[] = [];
    let from: Position | undefined;
    for (let round = 0; round < 4; round++) {
      if (round === 3) {
        writing.abort();
        await writer;
      }
      const { rows, after } = await source.increment(schema, CURSOR, from);
      seen.push(...idsOf(rows));
      from = after;
    }
    expect(written).toBeGreaterThan(20);
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, index) => index + 1));
  });

  it('read items without a time each time, and one of the future when its time has come', async () => {
    await filler.table('odd', [['id', 'N']]);
    await put('odd', 1, now());
    await put('odd', 2, undefined);
    await put('odd', 3, { S: 'soon' });
    await put('odd', 4, now(4000));
    await using source = await openSource('dynamodb', configOf(server()));
    const schema = await source.schema('odd');
    const first = await source.increment(schema, CURSOR, undefined);
    expect(idsOf(first.rows)).toEqual([1, 2, 3]);
    await sleep(4000);
    const second = await source.increment(schema, CURSOR, first.after);
    expect(idsOf(second.rows)).toEqual([2, 3, 4]);
  });

  it('offer only columns that hold times', async () => {
    await filler.table('columns', [['id', 'N']]);
    const others = { name: { S: '2026 was a good year' }, seconds: { N: '1767355200' }, count: { N: '12' } };
    const Item = { id: { N: '1' }, changed: now(), ...others };
    await filler.client.send(new PutItemCommand({ TableName: 'columns', Item }));
    await using source = await openSource('dynamodb', configOf(server()));
    const infos = await source.source.discover(new AbortController().signal);
    expect(infos.find(({ schema }) => schema.stream === 'columns')?.cursors).toEqual([
      { column: 'changed', nullable: false, indexed: false, coarse: false },
      { column: 'seconds', nullable: false, indexed: false, coarse: true },
    ]);
  });

  it('begin anew when the table was made again', async () => {
    await filler.table('again', [['id', 'N']]);
    await put('again', 1, now());
    await using source = await openSource('dynamodb', configOf(server()));
    const schema = await source.schema('again');
    const { after } = await source.increment(schema, CURSOR, undefined);
    await filler.table('again', [['id', 'N']]);
    const again = async () => void (await source.increment(schema, CURSOR, after));
    expect(await faultOf(again)).toMatchObject({ kind: 'lost', code: 'table_replaced' });
  });

  describeWithServer('into PostgreSQL', postgresql({ version: 18 }), (store) => {
    let databases: Databases;
    let program: EndToEnd;
    beforeAll(async () => {
      databases = await makeDatabases(store());
      program = await openEndToEnd(databases.targetUrl);
    });
    afterAll(async () => {
      await program?.close();
      await databases?.close();
    });

    it('keep the newest of each item', async () => {
      await filler.table('orders', [['id', 'N']]);
      for (let id = 1; id <= 50; id++) await put('orders', id, now());
      await program.store({
        name: 'shop',
        type: 'dynamodb',
        ...configOf(server()),
        tables: ['orders'],
        sync_strategy: { type: 'incremental', timestamp_field: 'changed' },
      });
      // The service tells whole seconds: what was written in the one before the full read is read again.
      await sleep(1500);
      expect(await program.sync('shop')).toMatchObject({ state: 'succeeded', rows: 50 });
      const later = now();
      await put('orders', 7, later);
      await put('orders', 51, later);
      const second = await program.sync('shop');
      expect(second).toMatchObject({ state: 'succeeded' });
      expect(second.rows).toBe(2);
      const { rows } = await databases.target.query(
        `select count(*) as all, count(*) filter (where changed = '${later.S}') as later from shop.orders`,
      );
      expect(rows).toEqual([{ all: '51', later: '2' }]);
    });
  });
});
