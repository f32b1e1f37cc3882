import { createServer } from 'node:http';
import { type DynamoDBClient, GetItemCommand, PutItemCommand, ThrottlingException } from '@aws-sdk/client-dynamodb';
import { dynamoClient } from '../../../lib/adapters/aws/dynamo-client';
import { DynamoStateStore } from '../../../lib/adapters/aws/state';
import { keyOf } from '../../../lib/adapters/aws/state-item';
import { ManualClock } from '../../memory/clock';
import { dynalite } from '../../servers/dynalite';
import { freePort } from '../../servers/port';
import { describeWithServer } from '../../servers/require';
import { afterAttempts, beforeAttempts, clientOf, createStateTable, type Endpoint } from './state-table';

const A = { partition: 'p', sort: 'a' };
const LARGEST = 'x'.repeat(300 * 1024 - 2);

const throttling = () =>
  new ThrottlingException({ $metadata: { httpStatusCode: 400 }, message: 'Rate of requests exceeds the allowed' });
const hangUp = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

describeWithServer('state on DynamoDB', dynalite(), (server) => {
  const clients: DynamoDBClient[] = [];
  const clock = new ManualClock();
  let table = '';

  function connect(endpoint: Endpoint = server()): DynamoDBClient {
    const client = clientOf(endpoint);
    clients.push(client);
    return client;
  }
  function open(client = connect(), time = clock): DynamoStateStore {
    return new DynamoStateStore({ client, table, clock: time });
  }

  beforeEach(async () => {
    table = await createStateTable(connect());
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  describe('when the service is in trouble', () => {
    it('outlives throttling that ends', async () => {
      const client = connect();
      beforeAttempts(client, (attempt) => {
        if (attempt < 3) throw throttling();
      });
      expect(await open(client).put(A, 1, 'absent')).toBeGreaterThan(0);
    });

    it('says that it is throttled when that does not end', async () => {
      const client = connect();
      let attempts = 0;
      beforeAttempts(client, (attempt) => {
        attempts = attempt;
        throw throttling();
      });
      await expect(open(client).get(A)).rejects.toMatchObject({
        name: 'Fault',
        kind: 'transient',
        code: 'throttled',
        message: 'reading state p/a: ThrottlingException: Rate of requests exceeds the allowed',
        hint: expect.stringContaining('tried again'),
      });
      expect(attempts).toBe(4);
    });

    it.each([
      ['get', (store: DynamoStateStore) => store.get(A), 'reading state p/a'],
      ['put', (store: DynamoStateStore) => store.put(A, 1, 'absent'), 'writing state p/a'],
      ['query', (store: DynamoStateStore) => store.query('p'), 'listing state p'],
      ['delete', (store: DynamoStateStore) => store.delete(A, 1), 'removing state p/a'],
    ])('%s names a missing table a fault of the configuration', async (_, use, doing) => {
      const store = new DynamoStateStore({ client: connect(), table: 'no-such-table', clock });
      await expect(use(store)).rejects.toMatchObject({
        name: 'Fault',
        kind: 'config',
        code: 'resource_missing',
        message: expect.stringMatching(`^${doing}: ResourceNotFoundException: .+`),
        hint: expect.stringContaining('AWS_REGION'),
      });
    });

    it('says that nobody answers at the endpoint', async () => {
      const client = connect({ ...server(), url: `http://127.0.0.1:${await freePort()}` });
      await expect(open(client).get(A)).rejects.toMatchObject({ kind: 'transient', code: 'unreachable' });
    });

    it('does not wait for ever for an answer', async () => {
      const port = await freePort();
      const silent = createServer().listen(port, '127.0.0.1');
      const client = dynamoClient({
        ...server(),
        endpoint: `http://127.0.0.1:${port}`,
        maxAttempts: 2,
        requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true },
      });
      clients.push(client);
      try {
        await expect(open(client).get(A)).rejects.toMatchObject({ kind: 'transient', code: 'timeout' });
      } finally {
        silent.closeAllConnections();
        silent.close();
      }
    });
  });

  describe('when the answer to a write is lost', () => {
    const losing = (times: number) => {
      const client = connect();
      afterAttempts(client, (attempt) => {
        if (attempt <= times) throw hangUp();
      });
      return open(client);
    };

    it('knows the item that it made', async () => {
      const revision = await losing(2).put(A, 'mine', 'absent');
      expect(await open().get(A)).toEqual({ ...A, value: 'mine', revision });
    });

    it('knows the item that it changed', async () => {
      const first = (await open().put(A, 1, 'absent')) ?? 0;
      const revision = await losing(1).put(A, 2, first);
      expect(revision).toBeGreaterThan(first);
      expect(await open().get(A)).toEqual({ ...A, value: 2, revision });
    });

    it('gives the revision that is stored, where it wrote twice', async () => {
      const revision = await losing(1).put(A, 1, undefined);
      expect((await open().get(A))?.revision).toBe(revision);
    });

    it('knows the item that it removed', async () => {
      const revision = (await open().put(A, 1, 'absent')) ?? 0;
      expect(await losing(1).delete(A, revision)).toBe(true);
    });

    it("does not take another's item for its own", async () => {
      const first = (await open().put(A, 'other', 'absent')) ?? 0;
      expect(await losing(1).put(A, 'mine', 'absent')).toBeUndefined();
      expect(await losing(1).put(A, 'mine', first - 1)).toBeUndefined();
      expect(await losing(1).delete(A, first - 1)).toBe(false);
      expect((await open().get(A))?.value).toBe('other');
    });
  });

  describe('revisions', () => {
    it('grow over a removal that another process made, whose clock is ahead', async () => {
      const ahead = new ManualClock(clock.now() + 3600_000);
      const store = open();
      const first = (await open(connect(), ahead).put(A, 1, 'absent')) ?? 0;
      await store.get(A);
      await store.delete(A);
      expect(await store.put(A, 2, 'absent')).toBeGreaterThan(first);
    });

    it('grow over what time to live has removed', async () => {
      const first = (await open().put(A, 1, 'absent', clock.now() + 1)) ?? 0;
      const second = (await open().put(A, 2, first, clock.now() + 1)) ?? 0;
      await open().delete(A);
      await clock.advance(2);
      expect(await open().put(A, 3, 'absent')).toBeGreaterThan(second);
    });

    it('grow over an expired item that is still stored, made by a clock that is ahead', async () => {
      const ahead = new ManualClock(clock.now() + 1000);
      const first = (await open(connect(), ahead).put(A, 1, 'absent', clock.now() + 10)) ?? 0;
      await clock.advance(10);
      expect(await open().put(A, 2, 'absent')).toBeGreaterThan(first);
    });
  });

  describe('what is stored', () => {
    it('is what the time to live of DynamoDB and the exact expiry need', async () => {
      const client = connect();
      const revision = await open(client).put(A, { n: [1] }, undefined, 1_767_225_600_001);
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(A) }));
      expect(Item).toEqual({
        pk: { S: 'p' },
        sk: { S: 'a' },
        revision: { N: String(revision) },
        value: { S: '{"n":[1]}' },
        expires_at: { N: '1767225601' },
        expires_at_ms: { N: '1767225600001' },
        write_id: { S: expect.any(String) },
      });
    });

    it('may be of the largest size under the longest key, and is listed beyond a page of 1 MB', async () => {
      const store = open();
      const partition = 'p'.repeat(1024);
      const sorts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(1024));
      for (const sort of sorts) {
        const revision = await store.put({ partition, sort }, LARGEST, undefined);
        expect(await store.put({ partition, sort }, LARGEST, revision)).toBeDefined();
      }
      const items = await store.query(partition);
      expect(items.map(({ sort }) => sort)).toEqual(sorts);
      expect(items.every(({ value }) => value === LARGEST)).toBe(true);
      const last = await store.query(partition, { limit: 6, reverse: true });
      expect(last.map(({ sort }) => sort)).toEqual(sorts.slice(2).reverse());
    });

    it('is found behind many expired items in few requests', async () => {
      const client = connect();
      const store = open(client);
      const expired = Array.from({ length: 300 }, (_, index) => ({
        partition: 'p',
        sort: String(index).padStart(3, '0'),
      }));
      await Promise.all(expired.map((key) => store.put(key, 0, undefined, clock.now() + 10)));
      for (const sort of ['x', 'y', 'z']) await store.put({ partition: 'p', sort }, sort, undefined);
      await clock.advance(10);
      let requests = 0;
      beforeAttempts(client, (attempt) => {
        requests = attempt;
      });
      expect((await store.query('p', { limit: 2 })).map(({ sort }) => sort)).toEqual(['x', 'y']);
      expect(requests).toBeLessThan(10);
    });

    it('that another program wrote is named', async () => {
      const client = connect();
      await client.send(new PutItemCommand({ TableName: table, Item: keyOf(A) }));
      await expect(open(client).get(A)).rejects.toMatchObject({ kind: 'bug', code: 'foreign_item' });
    });
  });

  describe('listing', () => {
    it.each([
      [{ prefix: 'b', after: 'a' }, ['b', 'b/1', 'b/2']],
      [{ prefix: 'b', after: 'b' }, ['b/1', 'b/2']],
      [{ prefix: 'b', after: 'b/10' }, ['b/2']],
      [{ prefix: 'b', after: 'c' }, []],
      [{ prefix: 'b', after: 'a', reverse: true }, []],
      [{ prefix: 'b', after: 'b', reverse: true }, []],
      [{ prefix: 'b', after: 'b/10', reverse: true }, ['b/1', 'b']],
      [{ prefix: 'b', after: 'c', reverse: true }, ['b/2', 'b/1', 'b']],
      [{ after: '' }, ['a', 'b', 'b/1', 'b/2', 'c']],
      [{ after: '', reverse: true }, []],
      [{ prefix: '', limit: 2 }, ['a', 'b']],
      [{ prefix: 'b', after: 'b', limit: 1 }, ['b/1']],
      [{ limit: 0 }, []],
      [{ prefix: 'b'.repeat(1025) }, []],
    ])('%j', async (query, expected) => {
      const store = open();
      for (const sort of ['a', 'b', 'b/1', 'b/2', 'c']) await store.put({ partition: 'p', sort }, sort, undefined);
      expect((await store.query('p', query)).map(({ sort }) => sort)).toEqual(expected);
    });
  });
});
