import type { Batch } from '../../../lib/core/batch';
import type { ScanRequest } from '../../../lib/core/connector';
import { Fault, type FaultKind } from '../../../lib/core/fault';
import type { Engine } from '../../../lib/engine/engine';
import { document, faultOf, finish, Home, MANUAL, NEVER, syncAll } from './home';

const ATTEMPTS = 4;

describe('faults', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(async () => {
    home = new Home();
    home.fill('orders', 5);
    home.fill('people', 3);
    engine = home.engine({ maxAttempts: ATTEMPTS });
    await engine.service.create(document());
  });

  /** Throws the fault at the first `times` scans of `stream`, at its batch `at`; counts them. */
  function failScans(fault: Fault, times: number, at = 0, stream = 'orders') {
    const seen = { count: 0, times: [] as number[] };
    home.hooks.scan = (request: ScanRequest, batch) => {
      if (request.stream.stream !== stream || batch !== at || seen.count >= times) return;
      seen.count++;
      seen.times.push(home.clock.now());
      throw fault;
    };
    return seen;
  }
  const states = (run: { readonly streams: readonly { readonly stream: string; readonly state: string }[] }) =>
    Object.fromEntries(run.streams.map(({ stream, state }) => [stream, state]));

  it('that pass are retried with growing waits, and nothing is lost or doubled', async () => {
    const seen = failScans(faultOf('transient'), ATTEMPTS - 1);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 8, retries: ATTEMPTS - 1 });
    expect(home.visible('orders')).toBe(5);
    const waits = seen.times.slice(1).map((time, index) => time - (seen.times[index] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(250);
    expect(waits[1]).toBeGreaterThanOrEqual(500);
  });

  it('that do not pass are given up after as many attempts as allowed', async () => {
    const seen = failScans(faultOf('transient'), 99);
    const run = await syncAll(home, engine);
    expect(seen.count).toBe(ATTEMPTS);
    expect(run).toMatchObject({ state: 'partial', fault: { kind: 'transient', hint: expect.any(String) } });
    expect(states(run)).toEqual({ orders: 'failed', people: 'succeeded' });
    expect(home.visible('people')).toBe(3);
    expect(home.visible('orders')).toBe(0);
  });

  it('do not wear out the attempts while there is progress between them', async () => {
    let fails = 0;
    home.hooks.scan = (request, batch) => {
      if (request.stream.stream === 'orders' && batch === 1 && fails++ < 2 * ATTEMPTS) throw faultOf('transient');
    };
    home.fill('orders', 20, 6);
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded' });
    expect(fails).toBeGreaterThan(ATTEMPTS);
    expect(home.visible('orders')).toBe(25);
  });

  it('leave the counts of rows right', async () => {
    failScans(faultOf('transient'), 1, 2);
    const run = await syncAll(home, engine);
    expect(home.visible('orders')).toBe(5);
    expect(run.streams[0]).toMatchObject({ stream: 'orders', rows: 5, retries: 1 });
  });

  it('wait as long as the source asked for', async () => {
    const seen = failScans(faultOf('transient', 'rate_limited', 90_000), 1);
    const { id } = await engine.service.sync('shop', MANUAL);
    const begun = home.clock.now();
    while (await engine.step(0, NEVER));
    await home.clock.jump(89_000);
    while (await engine.step(0, NEVER));
    expect(await engine.service.run(id)).toMatchObject({ state: 'running' });
    await home.clock.jump(1000);
    while (await engine.step(0, NEVER));
    expect(await engine.service.run(id)).toMatchObject({ state: 'succeeded' });
    expect(seen.times).toEqual([begun]);
  });

  it.each(['config', 'bug', 'data'] as FaultKind[])(
    'of kind %s fail their stream alone, at the first time',
    async (kind) => {
      const seen = failScans(faultOf(kind), 99);
      const run = await syncAll(home, engine);
      expect(seen.count).toBe(1);
      expect(run).toMatchObject({ state: 'partial', retries: 0, fault: { kind, hint: `What to do about ${kind}.` } });
      expect(run.streams[0]).toMatchObject({ state: 'failed', fault: { kind } });
      expect(states(run)).toEqual({ orders: 'failed', people: 'succeeded' });
    },
  );

  it('of every stream fail the run', async () => {
    home.hooks.scan = () => {
      throw faultOf('config');
    };
    expect(await syncAll(home, engine)).toMatchObject({ state: 'failed' });
  });

  it('that nobody classified are bugs that say what was being done', async () => {
    home.hooks.scan = () => {
      throw new TypeError('x is not a function');
    };
    expect((await syncAll(home, engine)).fault).toMatchObject({
      kind: 'bug',
      message: 'reading orders: x is not a function',
    });
  });

  it('at opening that the owner must mend fail the run at once', async () => {
    let tried = 0;
    home.hooks.open = () => {
      tried++;
      throw faultOf('config', 'wrong_password');
    };
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({
      state: 'failed',
      retries: 0,
      fault: { code: 'wrong_password', hint: expect.any(String) },
    });
    expect(tried).toBe(1);
    expect(await engine.service.sync('shop', MANUAL)).toMatchObject({ state: 'queued' });
  });

  it('at opening show as retries while the run goes on', async () => {
    home.hooks.open = () => {
      throw faultOf('transient', 'busy', 60_000);
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.step(0, NEVER);
    expect(await engine.service.run(id)).toMatchObject({ state: 'running', retries: 1 });
  });

  it('at opening that pass are tried as often as allowed, and then fail the run', async () => {
    let tried = 0;
    home.hooks.open = () => {
      tried++;
      throw faultOf('transient', 'connection_refused');
    };
    expect(await syncAll(home, engine)).toMatchObject({ state: 'failed', fault: { code: 'connection_refused' } });
    expect(tried).toBe(ATTEMPTS);
  });

  it('at opening that pass count as retries of the run', async () => {
    let tried = 0;
    home.hooks.open = () => {
      if (tried++ < 2) throw faultOf('transient');
    };
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 8, retries: 2 });
  });

  it('in listing the streams are retried as those of opening', async () => {
    let tried = 0;
    home.hooks.discover = async () => {
      if (tried++ === 0) throw faultOf('transient');
    };
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 8 });
    expect(tried).toBe(2);
  });

  it('at opening again in the middle of a run do not let it stand still', async () => {
    let opened = 0;
    home.hooks.open = () => {
      if (opened++ === 1) throw faultOf('transient');
    };
    failScans(faultOf('lost'), 1, 1);
    const { id } = await engine.service.sync('shop', MANUAL);
    const begun = home.clock.now();
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded' });
    expect(home.clock.now() - begun).toBeLessThan(30_000);
  });

  it('of a lost snapshot begin the load anew, and its end is whole', async () => {
    failScans(faultOf('lost', 'snapshot_lost'), 1, 2);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 8 });
    expect(run.streams[0]).toMatchObject({ stream: 'orders', rows: 5, notes: ['reading: lost'] });
    expect(home.visible('orders')).toBe(5);
    expect(home.store.shadows()).toEqual([]);
  });

  it('of a lost snapshot count slices of the last attempt only', async () => {
    engine = home.engine({ maxAttempts: ATTEMPTS, parallel: 2 });
    let lost = 0;
    home.hooks.scan = (request, batch) => {
      const second = request.from === undefined && (request.partition as { readonly from: number }).from > 0;
      if (request.stream.stream === 'orders' && second && batch === 0 && lost++ === 0) throw faultOf('lost');
    };
    const [orders] = (await syncAll(home, engine)).streams;
    expect(orders).toMatchObject({ state: 'succeeded', slices: 2, slicesDone: 2, rows: 5 });
  });

  it('of one lost connection restart each stream once at most', async () => {
    engine = home.engine({ maxAttempts: ATTEMPTS, parallel: 2 });
    home.fill('animals', 9);
    home.fill('orders', 20, 6);
    home.fill('people', 20, 4);
    let gone = false;
    const planned = new Map<string, number>();
    home.hooks.partitions = ({ stream }) => {
      planned.set(stream.stream, (planned.get(stream.stream) ?? 0) + 1);
      return undefined;
    };
    // What was planned before the connection was lost cannot be read any more; what is planned again can.
    home.hooks.scan = async ({ stream }, batch) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (batch === 2) gone = true;
      if (gone && planned.get(stream.stream) === 1) throw faultOf('lost', 'snapshot_lost');
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    const run = await finish(home, engine, id, 2);
    expect(run).toMatchObject({ state: 'succeeded', rows: 57 });
    for (const stream of run.streams) expect(stream.notes.length).toBeLessThanOrEqual(1);
  });

  it('of bytes that cannot be loaded switch to rows, and nothing is lost', async () => {
    home.bytes = true;
    const kinds: Batch['kind'][] = [];
    home.hooks.write = (batch) => {
      kinds.push(batch.kind);
      if (batch.kind === 'bytes' && batch.schema.stream === 'orders') throw faultOf('data', 'bytes_rejected');
    };
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 8 });
    expect(kinds).toEqual(['bytes', 'rows', 'rows', 'rows', 'bytes', 'bytes']);
    expect(home.visible('orders')).toBe(5);
  });

  it('of a record that cannot be stored write the batches each on its own, and nothing is lost', async () => {
    let written = 0;
    home.hooks.write = (batch) => {
      if (batch.schema.stream === 'orders' && ++written === 2) throw faultOf('data', 'rows_rejected');
    };
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 8, retries: 0 });
    expect(home.visible('orders')).toBe(5);
    expect(written).toBe(2 + 3);
  });

  it('of a record that cannot be stored on its own either fail the stream', async () => {
    home.hooks.write = (batch) => {
      if (batch.schema.stream === 'orders') throw faultOf('data', 'rows_rejected');
    };
    expect(states(await syncAll(home, engine))).toEqual({ orders: 'failed', people: 'succeeded' });
  });

  it('of the source keep what was read before them', async () => {
    const written: number[] = [];
    home.hooks.write = (batch) => void (batch.schema.stream === 'orders' && written.push(1));
    failScans(faultOf('transient'), 1, 2);
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 8, retries: 1 });
    expect(written).toHaveLength(3);
  });

  it('of rows that are called rejected bytes fail the stream, and do not go round for ever', async () => {
    home.hooks.write = (batch) => {
      if (batch.schema.stream === 'orders') throw faultOf('data', 'bytes_rejected');
    };
    expect(states(await syncAll(home, engine))).toEqual({ orders: 'failed', people: 'succeeded' });
  });

  it('in publishing are retried without reading again', async () => {
    let published = 0;
    home.hooks.publish = (stream) => {
      if (stream === 'orders' && published++ === 0) throw faultOf('transient');
    };
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 8, retries: 1 });
    expect(home.visible('orders')).toBe(5);
  });

  it('in preparing a stream do not use up the attempts of publishing it', async () => {
    const failed = { prepare: 0, publish: 0 };
    home.hooks.partitions = (request) =>
      request.stream.stream === 'orders' && failed.prepare++ < ATTEMPTS - 1
        ? Promise.reject(faultOf('transient'))
        : undefined;
    home.hooks.publish = (stream) => {
      if (stream === 'orders' && failed.publish++ === 0) throw faultOf('transient');
    };
    expect(states(await syncAll(home, engine))).toEqual({ orders: 'succeeded', people: 'succeeded' });
  });

  it('of a table that cannot be read are reported beside the others', async () => {
    const inner = home.connector();
    engine = home.engine({}, () => ({
      ...inner,
      open: async (config, host) => {
        const source = await inner.open(config, host);
        const discover = async (signal: AbortSignal) =>
          (await source.discover(signal)).map((info) =>
            info.schema.stream === 'orders' ? { ...info, unreadable: faultOf('config', 'permission_denied') } : info,
          );
        return { ...source, discover };
      },
    }));
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'partial', fault: { code: 'permission_denied' } });
    expect(states(run)).toEqual({ orders: 'failed', people: 'succeeded' });
    expect(home.visible('people')).toBe(3);
  });

  it('of a state that fails for a while only delay the run', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    let puts = 0;
    home.state.beforePut = () => {
      if (++puts === 6 || puts === 7) throw new Fault('transient', 'throttled', 'writing state: throttled');
    };
    // What a worker throws comes back by the message's visibility, after which everything goes on.
    for (let round = 0; round < 5; round++) {
      await engine.step(0, NEVER).catch(() => undefined);
      await home.clock.jump(61_000);
      await engine.recover();
    }
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded' });
    expect(home.visible('orders')).toBe(5);
  });
});
