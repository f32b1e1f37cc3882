import { type Document, MongoClient } from 'mongodb';
import { type Databases, type EndToEnd, faultsOf, makeDatabases, openEndToEnd } from '../e2e/home';
import { type Intervene, type MongoProxy, startMongoProxy } from '../servers/mongo-proxy';
import { mongoServer } from '../servers/mongo-server';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';

const DATABASE = 'shop';
const MANY = 12_000;

describeWithServer('syncs of MongoDB', mongoServer, (server) => {
  describeWithServer('into PostgreSQL', postgresql({ version: 18 }), (store) => {
    let client: MongoClient;
    let databases: Databases;
    let program: EndToEnd;
    let proxy: MongoProxy;
    let intervene: Intervene = () => undefined;

    beforeAll(async () => {
      client = new MongoClient(server().url);
      proxy = await startMongoProxy(server().port, (command) => intervene(command));
      databases = await makeDatabases(store());
      program = await openEndToEnd(databases.targetUrl);
    });
    afterEach(() => {
      intervene = () => undefined;
    });
    afterAll(async () => {
      await program?.close();
      await databases?.close();
      await proxy?.close();
      await client?.close();
    });

    const collection = (name: string) => client.db(DATABASE).collection<Document>(name);
    const fill = async (name: string, count: number) => {
      const updated_at = new Date(Date.now() - 3_600_000);
      const documents = Array.from({ length: count }, (_, index) => ({ _id: index as never, n: index, updated_at }));
      await collection(name).insertMany(documents);
    };
    const define = (name: string, collections: readonly string[]) =>
      program.store({
        name,
        type: 'mongodb',
        connection: { uri: `mongodb://127.0.0.1:${proxy.port}/${DATABASE}`, auth_database: 'admin' },
        collections: [...collections],
        sync_strategy: { type: 'incremental', timestamp_field: 'updated_at' },
      });
    const read = async (sql: string) => (await databases.target.query(sql)).rows;

    it('are full at first, in parts, and then of what is new', async () => {
      await fill('orders', MANY);
      await define('first', ['orders']);
      expect(await program.sync('first')).toMatchObject({ state: 'succeeded', rows: MANY, quarantined: 0 });
      await collection('orders').updateOne(
        { _id: 7 as never },
        { $set: { n: -7, updated_at: new Date(), extra: 'é' } },
      );
      await collection('orders').insertOne({ _id: MANY as never, n: MANY, updated_at: new Date() });
      // All have the time of the last value that was settled, so they are looked at, and given, once more.
      expect(await program.sync('first')).toMatchObject({ state: 'succeeded', quarantined: 0 });
      expect(await program.sync('first')).toMatchObject({ state: 'succeeded', quarantined: 0 });
      expect(await read('select count(*), sum(n) from first.orders')).toEqual([
        { count: String(MANY + 1), sum: String((MANY * (MANY + 1)) / 2 - 14) },
      ]);
      // In a column of its own: the sample has the first documents.
      expect(await read('select extra from first.orders where _id = 7')).toEqual([{ extra: 'é' }]);
    });

    it('follow changes as in the specification: everything at first, then what happens', async () => {
      for (const name of ['users', 'profiles', 'preferences']) await fill(name, 3);
      await program.store({
        name: 'user_database',
        type: 'mongodb',
        connection: { host: '127.0.0.1', port: proxy.port, database: DATABASE },
        collections: ['users', 'profiles', 'preferences'],
        sync_settings: { mode: 'real_time', change_streams: true },
      });
      const stored = async (name: string) => {
        const rows = await read(`select _id, n, _explorerio_rest as rest from user_database.${name} order by _id`);
        return rows.map((row) => [row._id, row.n, row.rest]);
      };
      expect(await program.sync('user_database')).toMatchObject({ state: 'succeeded', rows: 9, quarantined: 0 });
      await collection('users').insertOne({ _id: 3 as never, n: 30, email: 'a@b.c' });
      await collection('users').updateOne({ _id: 1 as never }, { $set: { n: 10 } });
      await collection('profiles').deleteOne({ _id: 0 as never });
      expect(await program.sync('user_database')).toMatchObject({ state: 'succeeded', rows: 3, quarantined: 0 });
      expect(await stored('users')).toMatchObject([
        ['0', '0', null],
        ['1', '10', null],
        ['2', '2', null],
        ['3', '30', null],
      ]);
      expect((await stored('profiles')).map(([id]) => id)).toEqual(['1', '2']);
      expect(await program.sync('user_database')).toMatchObject({ state: 'succeeded', rows: 0 });
      // What happened while nobody looked is gone: everything is read again.
      await collection('preferences').deleteOne({ _id: 2 as never });
      await client.db('admin').command({ forgetChanges: 1 });
      await collection('preferences').insertOne({ _id: 5 as never, n: 5 });
      expect(await program.sync('user_database')).toMatchObject({ state: 'succeeded', quarantined: 0 });
      expect((await stored('preferences')).map(([id]) => id)).toEqual(['0', '1', '5']);
    });

    it('report a collection without rights, and read the others', async () => {
      await fill('open', 3);
      await fill('closed', 3);
      intervene = (command) => (command.find === 'closed' ? { ok: 0, code: 13, errmsg: 'not authorized' } : undefined);
      await define('second', ['open', 'closed']);
      const run = await program.sync('second');
      expect(faultsOf(run)).toMatchObject({ closed: { kind: 'config', code: 'permission_denied' } });
      expect(await read('select count(*) from second.open')).toEqual([{ count: '3' }]);
    });

    it('go on where connections are lost', async () => {
      await fill('lossy', MANY);
      let calls = 0;
      intervene = (command) => ('getMore' in command && ++calls % 5 === 0 && calls < 16 ? 'lost' : undefined);
      await define('third', ['lossy']);
      expect(await program.sync('third')).toMatchObject({ state: 'succeeded', quarantined: 0 });
      expect(calls).toBeGreaterThan(15);
      expect(await read('select count(*) as rows, count(distinct n) as numbers from third.lossy')).toEqual([
        { rows: String(MANY), numbers: String(MANY) },
      ]);
    }, 60_000);
  });
});
