import * as z from 'zod';
import type { Batch } from '../../../lib/core/batch';
import { configSpec } from '../../../lib/core/config';
import { connector, type Definition, type ScanRequest, type Source } from '../../../lib/core/connector';
import { Fault } from '../../../lib/core/fault';
import { silentLog } from '../../memory/scheduler';
import { memorySchema } from '../../memory/source';

class DriverError extends Error {}

const NEVER = new AbortController().signal;
const host = { log: silentLog };
const schema = memorySchema('orders');
const after = { format: 1, value: 1 };
const scanRequest: ScanRequest = {
  stream: schema,
  repairable: false,
  size: { rows: 1, bytes: 1 },
  accept: [],
  signal: NEVER,
};

const fine: Source = {
  check: async () => ({ passed: true, steps: [] }),
  discover: async () => [],
  close: async () => undefined,
};

function define(source: Partial<Source>, more: Partial<Definition<object>> = {}) {
  return connector({
    type: 'shop',
    title: 'Shop',
    modes: ['full'],
    config: configSpec(z.strictObject({ connection: z.strictObject({ port: z.int() }) })),
    open: async () => ({ ...fine, ...source }),
    classify: (error) =>
      error instanceof DriverError
        ? new Fault('transient', 'server_gone', error.message, { hint: 'Wait.', retryAfterMs: 5 })
        : undefined,
    ...more,
  });
}
const open = (source: Partial<Source>) => define(source).open({ connection: { port: 1 } }, host);
const gone = () => Promise.reject(new DriverError('gone'));

describe('connector', () => {
  it('validates without opening, and refuses to open what is not valid', async () => {
    let opened = 0;
    const shop = define({}, { open: () => Promise.resolve({ ...fine, extra: opened++ }) });
    expect(() => shop.validate({ connection: { port: 'x' } })).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
    await expect(shop.open({ connection: {} }, host)).rejects.toMatchObject({ code: 'invalid_config' });
    expect(opened).toBe(0);
    expect(shop.validate({ connection: { port: 1 } })).toBeUndefined();
    expect(opened).toBe(0);
  });

  it('has only the methods that the source has', async () => {
    const source = await open({});
    expect(source.scan).toBeUndefined();
    expect(source.partitions).toBeUndefined();
    expect(source.feed).toBeUndefined();
  });

  it('calls methods on their own object', async () => {
    class Stateful {
      readonly #count = 7;
      check = fine.check;
      close = fine.close;
      discover = fine.discover;
      async partitions() {
        return { parts: [this.#count] };
      }
      async *scan(): AsyncGenerator<Batch> {
        yield { kind: 'rows', schema, after: { format: 1, value: this.#count }, rows: [] };
      }
    }
    const source = await define({}, { open: async () => new Stateful() }).open({ connection: { port: 1 } }, host);
    expect(await source.partitions?.({ stream: schema, want: 1, signal: NEVER })).toEqual({ parts: [7] });
    for await (const batch of source.scan?.(scanRequest) ?? []) expect(batch.after.value).toBe(7);
  });

  const feedOf = (work: Partial<NonNullable<Source['feed']>>) => ({
    resume: 'position' as const,
    head: async () => ({ position: after }),
    read: () => failing(),
    acknowledge: async () => undefined,
    ...work,
  });
  const drain = async (batches: AsyncIterable<Batch> | undefined) => {
    for await (const batch of batches ?? []) if (batch.kind === 'bytes') for await (const _chunk of batch.body);
  };
  // Fails at once, as a generator that has not given anything yet.
  const failing = (): AsyncGenerator<never> => {
    const never = Promise.reject(new DriverError('gone'));
    never.catch(() => undefined);
    return (async function* () {
      yield await never;
    })();
  };
  const body = async function* (): AsyncGenerator<Batch> {
    yield { kind: 'bytes', schema, after, format: 'csv', body: failing() };
  };

  it.each<[string, string, Partial<Source>, (source: Source) => Promise<unknown>]>([
    ['check', 'checking the connection', { check: gone }, (source) => source.check(NEVER)],
    ['discover', 'discovering streams', { discover: gone }, (source) => source.discover(NEVER)],
    [
      'partitions',
      'planning the read of orders',
      { partitions: gone },
      async (source) => source.partitions?.({ stream: schema, want: 1, signal: NEVER }),
    ],
    ['scan', 'reading orders', { scan: failing }, (source) => drain(source.scan?.(scanRequest))],
    ['a body', 'reading orders', { scan: body }, (source) => drain(source.scan?.(scanRequest))],
    [
      'head',
      'asking for the newest position',
      { feed: feedOf({ head: gone }) },
      async (source) => source.feed?.head({ streams: [], signal: NEVER }),
    ],
    [
      'the feed',
      'reading changes',
      { feed: feedOf({ read: failing }) },
      (source) => drain(source.feed?.read({ ...scanRequest, streams: [], from: after, follow: false })),
    ],
    [
      'acknowledge',
      'acknowledging changes',
      { feed: feedOf({ acknowledge: gone }) },
      async (source) => source.feed?.acknowledge(after),
    ],
    ['close', 'closing the source', { close: gone }, (source) => source.close()],
  ])('gives an error of %s as a fault that says "%s"', async (_name, doing, source, work) => {
    await expect(work(await open(source))).rejects.toMatchObject({
      kind: 'transient',
      code: 'server_gone',
      message: `${doing}: gone`,
      hint: 'Wait.',
      retryAfterMs: 5,
      cause: expect.any(DriverError),
    });
  });

  it('calls an error that the driver does not know a bug, and leaves a fault as it is', async () => {
    const fault = new Fault('config', 'denied', 'reading orders: denied');
    const unknown = await open({ discover: () => Promise.reject(new TypeError('x')) });
    await expect(unknown.discover(NEVER)).rejects.toMatchObject({ kind: 'bug', code: 'unexpected_error' });
    await expect((await open({ discover: () => Promise.reject(fault) })).discover(NEVER)).rejects.toBe(fault);
    await expect(define({}, { open: gone }).open({ connection: { port: 1 } }, host)).rejects.toMatchObject({
      message: 'opening shop: gone',
    });
  });

  it('classifies what scan throws before it gives anything', async () => {
    const source = await open({
      scan: () => {
        throw new DriverError('gone');
      },
    });
    await expect((async () => drain(source.scan?.(scanRequest)))()).rejects.toMatchObject({ code: 'server_gone' });
  });

  it('closes the source of batches when its reader leaves early', async () => {
    let closed = 0;
    const source = await open({
      async *scan() {
        try {
          for (;;) yield { kind: 'rows', schema, after, rows: [] };
        } finally {
          closed++;
        }
      },
    });
    for await (const _batch of source.scan?.(scanRequest) ?? []) break;
    expect(closed).toBe(1);
  });

  it('passes batches on as they are, the same schema object included', async () => {
    const given: Batch = { kind: 'rows', schema, after, rows: [[1]] };
    const source = await open({
      async *scan() {
        yield given;
      },
    });
    const seen: Batch[] = [];
    for await (const batch of source.scan?.(scanRequest) ?? []) seen.push(batch);
    expect(seen[0]).toBe(given);
  });
});
