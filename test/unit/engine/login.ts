import * as z from 'zod';
import { configSpec } from '../../../lib/core/config';
import { type Connector, connector, type Host, type Source } from '../../../lib/core/connector';
import { AUTHENTICATION_FAILED, Fault } from '../../../lib/core/fault';
import type { Secrets } from '../../../lib/core/ports';
import { Secret } from '../../../lib/core/secret';

/** Secrets that are remembered until they are refreshed, as those of Secrets Manager are. */
export class RememberedSecrets implements Secrets {
  readonly current = new Map<string, string>();
  readonly next = new Map<string, string>();
  readonly #remembered = new Map<string, string>();
  /** So many reads of what is not remembered fail. */
  failNext = 0;
  refreshes = 0;

  async get(name: string): Promise<Secret | undefined> {
    if (!this.#remembered.has(name) && this.failNext-- > 0)
      throw new Fault('transient', 'throttled', 'reading a secret');
    const value = this.#remembered.get(name) ?? this.current.get(name);
    if (value === undefined) return undefined;
    this.#remembered.set(name, value);
    return new Secret(value);
  }

  refresh(name: string): void {
    this.refreshes++;
    this.#remembered.delete(name);
  }

  async pending(name: string): Promise<Secret | undefined> {
    const value = this.next.get(name);
    return value === undefined ? undefined : new Secret(value);
  }
}

/** Secrets that are read anew each time. */
export function plainSecrets(values: ReadonlyMap<string, string>): Secrets {
  return {
    async get(name) {
      const value = values.get(name);
      return value === undefined ? undefined : new Secret(value);
    },
  };
}

/** A server that asks for a password, and counts who tries which. */
export class GuardedServer {
  password = 'first-password';
  readonly attempts: string[] = [];
  /** Grows when the server ends all connections. */
  generation = 0;

  /** Lets in who knows the password, unless it is in since the last end of all connections. */
  login(password: string): void {
    this.attempts.push(password);
    if (password !== this.password) throw refusal();
  }
}

const refusal = () =>
  new Fault('config', AUTHENTICATION_FAILED, 'password authentication failed', { hint: 'Check the password.' });

/** Sources of `inner` behind a server; each logs in when it is first used, or at once when `eager`. */
export function guardedConnector(inner: Connector, server: GuardedServer, eager = false): Connector {
  return connector({
    type: 'memory',
    title: 'In memory, with a password',
    modes: ['full', 'incremental', 'changes'],
    config: configSpec(z.strictObject({ connection: z.strictObject({ password: z.string() }) })),
    async open({ connection: { password } }, host: Host) {
      if (eager) server.login(password);
      return guard(await inner.open({ connection: {} }, host), server, password, eager);
    },
    classify: () => undefined,
  });
}

function guard(source: Source, server: GuardedServer, password: string, isIn: boolean): Source {
  let loggedIn = isIn ? server.generation : -1;
  const enter = () => {
    if (loggedIn === server.generation) return;
    server.login(password);
    loggedIn = server.generation;
  };
  const { partitions, scan } = source;
  if (!partitions || !scan) throw new Error('the source in memory has both');
  return {
    async check() {
      try {
        enter();
        return { passed: true, steps: [{ name: 'authenticate', state: 'passed', detail: 'in', milliseconds: 0 }] };
      } catch {
        const detail = `refused number ${server.attempts.length}`;
        return { passed: false, steps: [{ name: 'authenticate', state: 'failed', detail, milliseconds: 0 }] };
      }
    },
    async discover(signal) {
      enter();
      return source.discover(signal);
    },
    async partitions(request) {
      enter();
      return partitions.call(source, request);
    },
    async *scan(request) {
      enter();
      for await (const batch of scan.call(source, request)) {
        enter();
        yield batch;
      }
    },
    close: () => source.close(),
  };
}
