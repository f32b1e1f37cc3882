import fc from 'fast-check';
import { Op, type Row } from '../../../lib/core/batch';
import type { SliceKey } from '../../../lib/core/position';
import { options, orders, position, rowBatch } from '../../contracts/destination-harness';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { INCREMENTS, openQuarantine } from './open-quarantine';

/** Something that happens to a record of one of three keys, or to all. */
type Step =
  | { readonly kind: 'write' | 'reject' | 'delete'; readonly key: number }
  | { readonly kind: 'replay' | 'dry run' }
  | { readonly kind: 'interrupted replay'; readonly ms: number }
  | {
      readonly kind: 'two replays' | 'replay beside';
      readonly beside: 'write' | 'reject' | 'delete';
      readonly key: number;
    }
  /** By key: whether the source has it, and whether it passes. */
  | { readonly kind: 'load'; readonly bad: readonly (boolean | null)[]; readonly published: boolean };

const KEYS = [1, 2, 3];
const key = fc.constantFrom(...KEYS);
const change = fc.constantFrom('write' as const, 'reject' as const, 'delete' as const);
const changing = fc.record({ kind: change, key });
const replaying = fc.record({ kind: fc.constantFrom('replay' as const, 'dry run' as const) });
const interrupted = fc.record({
  kind: fc.constant('interrupted replay' as const),
  ms: fc.integer({ min: 0, max: 12 }),
});
const concurrent = fc.record({
  kind: fc.constantFrom('two replays' as const, 'replay beside' as const),
  beside: change,
  key,
});
const loading = fc.record({
  kind: fc.constant('load' as const),
  bad: fc.array(fc.constantFrom(true, false, null), { minLength: KEYS.length, maxLength: KEYS.length }),
  published: fc.boolean(),
});

type Opened = Awaited<ReturnType<typeof openQuarantine>>;

/** A destination, and beside it what it is to hold: by key the version in the table, and the one in quarantine. */
class Shop {
  readonly #opened: Opened;
  table = new Map<number, number>();
  waiting = new Map<number, number>();
  #version = 0;
  #loads = 0;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  /** What was in the table and in quarantine is gone. */
  async empty(): Promise<void> {
    const truncate = { kind: 'truncate', schema: orders(), after: position(0) } as const;
    await this.#opened.destination.write(truncate, INCREMENTS, options());
    this.table.clear();
    this.waiting.clear();
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'replay':
        await this.#opened.replay();
        return this.#replayed();
      case 'dry run':
        await this.#opened.replay(true);
        return;
      case 'interrupted replay':
        return this.#interrupted(step.ms);
      case 'two replays':
      case 'replay beside':
        return this.#beside(step);
      case 'load':
        return this.#load(step);
      default:
        return this.#change(step.kind, step.key);
    }
  }

  async check(): Promise<void> {
    const stored = (await this.#opened.rows()).map(({ id, name }) => [Number(id), Number(name)]);
    expect(stored).toEqual([...this.table].sort(([left], [right]) => left - right));
  }

  /** What is loaded at the end: each version that is newer than the one in the table. */
  #replayed(): void {
    for (const [id, version] of this.waiting) {
      if (version > (this.table.get(id) ?? 0)) this.table.set(id, version);
    }
    this.waiting.clear();
  }

  async #change(kind: 'write' | 'reject' | 'delete', id: number): Promise<void> {
    const { destination, reject } = this.#opened;
    const version = ++this.#version;
    const row: Row = [BigInt(id), String(version)];
    if (kind === 'reject') {
      await reject(row);
      this.waiting.set(id, version);
      return;
    }
    const op = kind === 'delete' ? Op.Delete : Op.Insert;
    await destination.write(rowBatch(orders(), [row], version, [op]), INCREMENTS, options());
    if (kind === 'write') {
      this.table.set(id, version);
      return;
    }
    this.table.delete(id);
    this.waiting.delete(id);
  }

  /** Each record is as it was, or as the replay makes it; the next replay ends what this one has begun. */
  async #interrupted(ms: number): Promise<void> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ms);
    await this.#opened
      .replay(false, {}, stop.signal)
      .catch((error) => expect(error).toMatchObject({ code: 'aborted' }));
    clearTimeout(timer);
    for (const { id, name } of await this.#opened.rows()) {
      const allowed = [this.table.get(Number(id)), this.waiting.get(Number(id))];
      expect(allowed).toContain(Number(name));
    }
    await this.#opened.replay();
    this.#replayed();
  }

  /** Which comes first does not matter in the end. */
  async #beside({ kind, beside, key: id }: Extract<Step, { readonly beside: unknown }>): Promise<void> {
    const before = new Map(this.waiting);
    const replays = kind === 'two replays' ? [this.#opened.replay(), this.#opened.replay()] : [this.#opened.replay()];
    await Promise.all([...replays, this.#change(beside, id)]);
    for (const [other, version] of before)
      if (other !== id || beside === 'reject') this.#loadedUnlessNewer(other, version);
    await this.#opened.replay();
    this.#replayed();
  }

  #loadedUnlessNewer(id: number, version: number): void {
    if (version > (this.table.get(id) ?? 0)) this.table.set(id, version);
  }

  async #load({ bad, published }: Extract<Step, { readonly kind: 'load' }>): Promise<void> {
    const { destination, rejections, load, publish } = this.#opened;
    const name = `load-${++this.#loads}`;
    const part: SliceKey = await load(name);
    const versions = KEYS.filter((_, index) => bad[index] !== null).map((id) => [id, ++this.#version] as const);
    const isBad = (id: number) => bad[KEYS.indexOf(id)] === true;
    const rows = (wanted: boolean) =>
      versions.filter(([id]) => isBad(id) === wanted).map(([id, version]): Row => [BigInt(id), String(version)]);
    await destination.write(rowBatch(orders(), rows(false)), part, options(1, { rejected: rejections(rows(true)) }));
    // What the load has put aside is not loaded before all of it is seen.
    await this.#opened.replay();
    const own = new Map(versions.filter(([id]) => isBad(id)));
    const earlier = new Map([...this.waiting].filter(([id]) => !own.has(id)));
    this.waiting = earlier;
    this.#replayed();
    this.waiting = own;
    if (!published) return destination.discard('orders', name);
    await publish(name);
    this.table = new Map(versions.filter(([id]) => !isBad(id)));
  }
}

describeWithServer('any history with a quarantine', postgresql({ version: 18 }), (server) => {
  it('ends with the newest version of each record, once', async () => {
    const opened = await openQuarantine(server(), 'q_property', { key: 'key' });
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: changing },
      { weight: 3, arbitrary: replaying },
      { weight: 2, arbitrary: interrupted },
      { weight: 3, arbitrary: concurrent },
      { weight: 1, arbitrary: loading },
    );
    const shop = new Shop(opened);
    const history = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      await shop.empty();
      for (const one of steps) {
        await shop.take(one);
        await shop.check();
      }
    });
    await fc.assert(history, { numRuns: 40, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false });
    await opened.destination.close();
  }, 60_000);

  it('ends with every record of a stream without a key, as often as the source has it', async () => {
    const shape = orders(undefined, []);
    const opened = await openQuarantine(server(), 'q_property_keyless', { key: 'key', shape });
    const { destination, rejections, replay, rows, load, publish } = opened;
    const records = fc.array(fc.record({ value: fc.integer({ min: 1, max: 3 }), bad: fc.boolean() }), { maxLength: 8 });
    const replays = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 });
    let count = 0;
    const history = fc.asyncProperty(records, fc.boolean(), replays, async (read, isDiscardedFirst, times) => {
      const rowsOf = (bad: boolean) =>
        read.filter((one) => one.bad === bad).map(({ value }): Row => [BigInt(value), 'x']);
      const fill = async () => {
        const name = `load-${++count}`;
        const part = await load(name);
        const write = options(1, { rejected: rejections(rowsOf(true)) });
        await destination.write(rowBatch(shape, rowsOf(false)), part, write);
        return name;
      };
      if (isDiscardedFirst) await destination.discard('orders', await fill());
      await publish(await fill());
      await Promise.all(
        times.map((ms) =>
          replay(false, {}, AbortSignal.timeout(ms)).catch((error) => expect(error).toMatchObject({ code: 'aborted' })),
        ),
      );
      await Promise.all([replay(), replay()]);
      const expected = read.map(({ value }) => ({ id: String(value), name: 'x' }));
      expect(await rows()).toEqual(expected.sort((left, right) => Number(left.id) - Number(right.id)));
      expect(await destination.quarantined({ limit: 9 })).toEqual([]);
    });
    await fc.assert(history, { numRuns: 15, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false });
    await destination.close();
  }, 60_000);
});
