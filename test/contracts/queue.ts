import type { Delivery, Queue, ReceiveRequest } from '../../lib/core/ports';

/** One empty queue to test; it gives a message up after `maxReceives`. */
export interface QueueFixture {
  readonly queue: Queue;
  readonly maxReceives: number;
  /** Lets `ms` pass on the queue's clock. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

const bodies = (deliveries: readonly Delivery[]) => deliveries.map(({ body }) => body);
const VISIBLE_MS = 2000;

/** What a queue of somebody else cannot promise. */
export interface QueueLimits {
  /** `exactly`: the next message is of the group with the fewest in flight. `roughly`: that is left to the service. */
  readonly fair: 'exactly' | 'roughly';
}

/** The sentences of the queue port, as tests. Each test gets its own queue. */
export function describeQueue(
  name: string,
  open: () => Promise<QueueFixture>,
  limits: QueueLimits = { fair: 'exactly' },
): void {
  describe(`queue: ${name}`, () => {
    let fixture: QueueFixture;
    let queue: Queue;

    beforeEach(async () => {
      fixture = await open();
      queue = fixture.queue;
    });
    afterEach(async () => fixture?.close());

    function receive(request: Partial<ReceiveRequest> = {}): Promise<readonly Delivery[]> {
      const signal = new AbortController().signal;
      return queue.receive({ max: 10, visibilityMs: VISIBLE_MS, waitMs: 0, signal, ...request });
    }
    async function receiveOne(): Promise<Delivery> {
      const [delivery] = await receive({ max: 1 });
      if (delivery === undefined) throw new Error('there is no message to receive');
      return delivery;
    }
    const send = (body: string, delayMs?: number) =>
      queue.send([{ group: 'g', body, ...(delayMs !== undefined && { delayMs }) }]);

    it('gives each message once, with its body and the first attempt', async () => {
      const body = { text: '日本語 🚀 \u0000', list: [1, null] };
      await queue.send([
        { group: 'a', body },
        { group: 'b', body: 'two' },
      ]);
      const received = await receive();
      expect(bodies(received)).toEqual(expect.arrayContaining([body, 'two']));
      expect(received).toHaveLength(2);
      expect(new Set(received.map(({ id }) => id)).size).toBe(2);
      expect(received.map(({ attempts }) => attempts)).toEqual([1, 1]);
      expect(await receive()).toEqual([]);
    });

    it('gives at most as many as asked for', async () => {
      await queue.send(Array.from({ length: 5 }, (_, index) => ({ group: 'g', body: index })));
      expect(await receive({ max: 2 })).toHaveLength(2);
      expect(await receive({ max: 10 })).toHaveLength(3);
    });

    it('sends nothing for no messages', async () => {
      await queue.send([]);
      expect(await receive()).toEqual([]);
    });

    it('hides a message that is not yet due', async () => {
      await send('later', VISIBLE_MS);
      expect(await receive()).toEqual([]);
      await fixture.elapse(VISIBLE_MS);
      expect(bodies(await receive())).toEqual(['later']);
    });

    it('gives a message again when its visibility has ended, with another receipt and one more attempt', async () => {
      await send('a');
      const first = await receiveOne();
      await fixture.elapse(VISIBLE_MS);
      const second = await receiveOne();
      expect(second).toMatchObject({ id: first.id, attempts: 2, body: 'a' });
      expect(second.receipt).not.toBe(first.receipt);
    });

    it('removes an acknowledged message', async () => {
      await send('a');
      await queue.acknowledge((await receiveOne()).receipt);
      await fixture.elapse(VISIBLE_MS);
      expect(await receive()).toEqual([]);
    });

    it('hides an extended message longer, counted from now', async () => {
      await send('a');
      const { receipt } = await receiveOne();
      await fixture.elapse(VISIBLE_MS / 2);
      await queue.extend(receipt, VISIBLE_MS);
      await fixture.elapse(VISIBLE_MS / 2);
      expect(await receive()).toEqual([]);
      await fixture.elapse(VISIBLE_MS / 2);
      expect(bodies(await receive())).toEqual(['a']);
    });

    it('gives a released message at once, or after its delay', async () => {
      await send('a');
      await queue.release((await receiveOne()).receipt, 0);
      const again = await receiveOne();
      expect(again.attempts).toBe(2);
      await queue.release(again.receipt, VISIBLE_MS / 2);
      expect(await receive()).toEqual([]);
      await fixture.elapse(VISIBLE_MS / 2);
      expect((await receiveOne()).attempts).toBe(3);
    });

    it('does nothing for an outdated or unknown receipt', async () => {
      await send('a');
      const first = await receiveOne();
      await fixture.elapse(VISIBLE_MS);
      const second = await receiveOne();
      await queue.release(first.receipt, 0);
      await queue.extend(first.receipt, 0);
      await queue.acknowledge(first.receipt);
      await queue.acknowledge('unknown');
      await queue.extend('unknown', 0);
      await queue.release('unknown', 0);
      expect(await receive()).toEqual([]);
      await queue.release(second.receipt, 0);
      expect(bodies(await receive())).toEqual(['a']);
    });

    it('moves a message that was received too often to its dead letters', async () => {
      await send('bad');
      await send('worse');
      for (let attempt = 1; attempt <= fixture.maxReceives; attempt++) {
        const deliveries = await receive();
        expect(deliveries.map(({ attempts }) => attempts)).toEqual([attempt, attempt]);
        for (const { receipt } of deliveries) await queue.release(receipt, 0);
      }
      expect(await queue.deadLetters(10)).toEqual([]);
      expect(await receive()).toEqual([]);
      const dead = await queue.deadLetters(10);
      expect(bodies(dead).sort()).toEqual(['bad', 'worse']);
      expect(dead.map(({ attempts }) => attempts)).toEqual([fixture.maxReceives, fixture.maxReceives]);
      expect(await queue.deadLetters(1)).toHaveLength(1);
      await fixture.elapse(VISIBLE_MS);
      expect(await receive()).toEqual([]);
    });

    it('waits for the first message', async () => {
      const waiting = receive({ waitMs: VISIBLE_MS });
      await send('a');
      expect(bodies(await waiting)).toEqual(['a']);
    });

    it('waits for a message that comes due, and no longer than asked', async () => {
      await send('soon', VISIBLE_MS / 2);
      const waiting = receive({ waitMs: VISIBLE_MS * 5 });
      await fixture.elapse(VISIBLE_MS / 2);
      expect(bodies(await waiting)).toEqual(['soon']);
      const vain = receive({ waitMs: VISIBLE_MS / 2 });
      await fixture.elapse(VISIBLE_MS / 2);
      expect(await vain).toEqual([]);
    });

    it('stops waiting when the signal aborts', async () => {
      const controller = new AbortController();
      const waiting = receive({ waitMs: 60_000, signal: controller.signal });
      controller.abort();
      expect(await waiting).toEqual([]);
      await send('a');
      expect(await receive({ signal: controller.signal })).toEqual([]);
      expect(bodies(await receive())).toEqual(['a']);
    });

    it('does not give one message to two that receive at the same time', async () => {
      await queue.send(Array.from({ length: 20 }, (_, index) => ({ group: `g${index % 3}`, body: index })));
      const received = (await Promise.all(Array.from({ length: 8 }, () => receive({ max: 5 })))).flat();
      expect(new Set(received.map(({ id }) => id)).size).toBe(received.length);
      expect(received).toHaveLength(20);
    });

    if (limits.fair === 'roughly') return;

    it('does not let a group with 10,000 messages starve another', async () => {
      await queue.send(Array.from({ length: 10_000 }, () => ({ group: 'big', body: 'big' })));
      await queue.send(Array.from({ length: 3 }, () => ({ group: 'small', body: 'small' })));
      // One worker that finishes each message before it asks for the next: nothing is ever in flight.
      const served = [];
      for (let turn = 0; turn < 6; turn++) {
        const { body, receipt } = await receiveOne();
        served.push(body);
        await queue.acknowledge(receipt);
      }
      expect(served.filter((body) => body === 'small')).toHaveLength(3);
      expect(bodies(await receive({ max: 2 }))).toEqual(['big', 'big']);
    });

    it('prefers the group with the fewest in flight', async () => {
      await queue.send(Array.from({ length: 10 }, () => ({ group: 'big', body: 'big' })));
      await receive({ max: 5 });
      await queue.send(Array.from({ length: 4 }, () => ({ group: 'small', body: 'small' })));
      expect(bodies(await receive({ max: 4 }))).toEqual(['small', 'small', 'small', 'small']);
    });
  });
}
