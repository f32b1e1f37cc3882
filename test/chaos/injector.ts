import { Fault } from '../../lib/core/fault';

/** What goes wrong at a call: an error or the death of the process, before or after the call has its effect. */
export type Injection = 'error-before' | 'error-after' | 'crash-before' | 'crash-after';

/** All kinds of {@link Injection}. */
export const INJECTIONS: readonly Injection[] = ['error-before', 'error-after', 'crash-before', 'crash-after'];

/** Thrown by every port of a process that has died: nothing it does has an effect any more. */
export class Crash extends Error {
  constructor() {
    super('the process has died');
    this.name = 'Crash';
  }
}

/** A simulated process; once dead, none of its calls reaches a port. */
export interface SimulatedProcess {
  readonly name: string;
  dead: boolean;
}

/** Counts every call of every wrapped port, and makes chosen ones fail. Only the clock goes on when it is not armed. */
export class Injector {
  readonly trace: string[] = [];
  readonly #plan: ReadonlyMap<number, Injection>;
  readonly #onCall: (call: number) => Promise<void> | undefined;
  readonly #tick: () => void;
  armed = true;

  constructor(
    plan: ReadonlyMap<number, Injection>,
    onCall: (call: number) => Promise<void> | undefined = () => undefined,
    tick: () => void = () => undefined,
  ) {
    this.#plan = plan;
    this.#onCall = onCall;
    this.#tick = tick;
  }

  get calls(): number {
    return this.trace.length;
  }

  /** `target` with its asynchronous methods, and the batches they give, under this injector. */
  wrap<T extends object>(process: SimulatedProcess, name: string, target: T): T {
    return new Proxy(target, {
      get: (object, property) => {
        const member = Reflect.get(object, property, object) as unknown;
        if (typeof property !== 'string') return member;
        if (property === 'feed' && member) return this.wrap(process, `${name}.feed`, member as object);
        if (typeof member !== 'function') return member;
        return (...parameters: unknown[]) =>
          this.#call(process, `${name}.${property}`, member.bind(object), parameters);
      },
    });
  }

  #call(process: SimulatedProcess, name: string, method: (...parameters: unknown[]) => unknown, parameters: unknown[]) {
    if (name.endsWith('.scan') || name.endsWith('.read')) {
      return this.#iterate(process, name, method(...parameters) as AsyncIterable<unknown>);
    }
    return this.#around(process, name, async () => method(...parameters));
  }

  async *#iterate(process: SimulatedProcess, name: string, batches: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const iterator = batches[Symbol.asyncIterator]();
    try {
      for (;;) {
        const result = await this.#around(process, `${name}.next`, () => iterator.next());
        if (result.done) return;
        yield result.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #around<T>(process: SimulatedProcess, name: string, effect: () => Promise<T>): Promise<T> {
    if (process.dead) throw new Crash();
    const injection = await this.#next(`${process.name}:${name}`);
    if (injection === 'error-before') throw injected(name);
    if (injection === 'crash-before') this.#die(process);
    const result = await effect();
    if (process.dead) throw new Crash();
    if (injection === 'error-after') throw injected(name);
    if (injection === 'crash-after') this.#die(process);
    return result;
  }

  async #next(name: string): Promise<Injection | undefined> {
    this.#tick();
    if (!this.armed) return undefined;
    this.trace.push(name);
    const call = this.trace.length;
    await this.#onCall(call);
    return this.#plan.get(call);
  }

  #die(process: SimulatedProcess): never {
    process.dead = true;
    throw new Crash();
  }
}

function injected(name: string): Fault {
  return new Fault('transient', 'injected', `${name}: an injected error`);
}
