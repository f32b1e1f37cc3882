import { Waiters } from '../../lib/adapters/embedded/waiters';
import { encodeJson, LARGEST_MESSAGE } from '../../lib/core/item-limits';
import type { Json } from '../../lib/core/json';
import type { Clock, Delivery, Message, Queue, ReceiveRequest } from '../../lib/core/ports';

interface Stored {
  readonly id: string;
  readonly group: string;
  readonly text: string;
  visibleAt: number;
  attempts: number;
  receipt: string | undefined;
}

/** A queue that lives as long as the object. Ids and receipts are counted, so that a test sees the same ones each time. */
export class MemoryQueue implements Queue {
  readonly #clock: Clock;
  readonly #maxReceives: number;
  readonly #waiters = new Waiters();
  readonly #served = new Map<string, number>();
  #messages: Stored[] = [];
  #dead: Stored[] = [];
  #count = 0;

  constructor(clock: Clock, options: { readonly maxReceives?: number } = {}) {
    this.#clock = clock;
    this.#maxReceives = options.maxReceives ?? 5;
  }

  async send(messages: readonly Message[]): Promise<void> {
    const stored = messages.map(({ group, body, delayMs = 0 }) => ({
      id: String(++this.#count),
      group,
      text: encodeJson(body, LARGEST_MESSAGE, 'sending messages'),
      visibleAt: this.#clock.now() + delayMs,
      attempts: 0,
      receipt: undefined,
    }));
    this.#messages.push(...stored);
    this.#waiters.wake();
  }

  async receive({ max, visibilityMs, waitMs, signal }: ReceiveRequest): Promise<readonly Delivery[]> {
    const end = this.#clock.now() + waitMs;
    while (!signal.aborted) {
      const deliveries = this.#claim(max, visibilityMs);
      const now = this.#clock.now();
      if (deliveries.length > 0 || now >= end) return deliveries;
      const next = Math.min(end, ...this.#messages.map(({ visibleAt }) => visibleAt));
      await this.#waiters.wait(this.#clock, Math.max(next - now, 1), signal);
    }
    return [];
  }

  async extend(receipt: string, visibilityMs: number): Promise<void> {
    const message = this.#received(receipt);
    if (message) message.visibleAt = this.#clock.now() + visibilityMs;
    this.#waiters.wake();
  }

  async acknowledge(receipt: string): Promise<void> {
    this.#messages = this.#messages.filter((message) => message.receipt !== receipt);
    this.#dead = this.#dead.filter((message) => message.receipt !== receipt);
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    const message = this.#received(receipt);
    if (message) Object.assign(message, { visibleAt: this.#clock.now() + delayMs, receipt: undefined });
    this.#waiters.wake();
  }

  async deadLetters(limit: number): Promise<readonly Delivery[]> {
    return this.#dead.slice(0, limit).map(delivery);
  }

  /** Makes every received message visible at once, as at the start of a process that works alone. */
  async resetVisibility(): Promise<void> {
    const received = this.#messages.filter(({ receipt }) => receipt !== undefined);
    for (const message of received) Object.assign(message, { visibleAt: this.#clock.now(), receipt: undefined });
    this.#waiters.wake();
  }

  #claim(max: number, visibilityMs: number): Delivery[] {
    const claimed: Delivery[] = [];
    while (claimed.length < max) {
      const message = this.#next();
      if (message === undefined) break;
      message.receipt = `receipt-${++this.#count}`;
      if (message.attempts >= this.#maxReceives) {
        this.#messages.splice(this.#messages.indexOf(message), 1);
        this.#dead.push(message);
        continue;
      }
      message.attempts++;
      message.visibleAt = this.#clock.now() + Math.max(visibilityMs, 1);
      this.#served.set(message.group, ++this.#count);
      claimed.push(delivery(message));
    }
    return claimed;
  }

  /** The oldest visible message of the group with the fewest in flight, and of those the longest unserved. */
  #next(): Stored | undefined {
    const now = this.#clock.now();
    const inFlight = new Map<string, number>();
    for (const { group, receipt, visibleAt } of this.#messages) {
      if (receipt !== undefined && visibleAt > now) inFlight.set(group, (inFlight.get(group) ?? 0) + 1);
    }
    const rank = ({ group, visibleAt }: Stored) => [inFlight.get(group) ?? 0, this.#served.get(group) ?? 0, visibleAt];
    let best: Stored | undefined;
    for (const message of this.#messages) {
      if (message.visibleAt <= now && (best === undefined || isBefore(rank(message), rank(best)))) best = message;
    }
    return best;
  }

  #received(receipt: string): Stored | undefined {
    return this.#messages.find((message) => message.receipt === receipt);
  }
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  const index = left.findIndex((value, at) => value !== right[at]);
  return index >= 0 && (left[index] ?? 0) < (right[index] ?? 0);
}

function delivery({ id, text, attempts, receipt = '' }: Stored): Delivery {
  return { id, body: JSON.parse(text) as Json, attempts, receipt };
}
