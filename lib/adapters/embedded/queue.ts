import { randomUUID } from 'node:crypto';
import { encodeJson, LARGEST_MESSAGE } from '../../core/item-limits';
import type { Json } from '../../core/json';
import type { Clock, Delivery, Message, Queue, ReceiveRequest } from '../../core/ports';
import type { StateDatabase } from './database';
import { Waiters } from './waiters';

/** Figures of a queue. */
export interface QueueOptions {
  /** A message received this often without being acknowledged goes to the dead letters at the next receive. */
  readonly maxReceives?: number;
}

interface MessageRow {
  readonly id: number;
  readonly body: string;
  readonly attempts: number;
  readonly receipt: string;
}

interface GroupRow {
  readonly group: string;
  readonly inFlight: number;
  readonly head: number;
}

const SEND = 'INSERT INTO messages ("group", body, visible_at) VALUES (?, ?, ?)';
// Steps from group to group through the index, so that the number of messages does not matter.
const GROUPS = `
  WITH RECURSIVE groups ("group") AS (
    SELECT min("group") FROM messages WHERE dead = 0
    UNION ALL
    SELECT (SELECT min("group") FROM messages WHERE dead = 0 AND "group" > groups."group") FROM groups
    WHERE groups."group" IS NOT NULL
  )
  SELECT "group",
    (SELECT count(*) FROM messages m
      WHERE m.dead = 0 AND m.receipt IS NOT NULL AND m."group" = groups."group" AND m.visible_at > ?1) AS inFlight,
    (SELECT min(visible_at) FROM messages m WHERE m.dead = 0 AND m."group" = groups."group") AS head
  FROM groups WHERE "group" IS NOT NULL`;
const HEAD =
  'SELECT id, body, attempts FROM messages WHERE dead = 0 AND "group" = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT 1';
const CLAIM = 'UPDATE messages SET receipt = ?, visible_at = ?, attempts = attempts + 1 WHERE id = ?';
const BURY = 'UPDATE messages SET receipt = ?, dead = 1 WHERE id = ?';
const NEXT = 'SELECT min(visible_at) AS at FROM messages WHERE dead = 0';
const EXTEND = 'UPDATE messages SET visible_at = ? WHERE receipt = ? AND dead = 0';
const RELEASE = 'UPDATE messages SET visible_at = ?, receipt = NULL WHERE receipt = ? AND dead = 0';
const ACKNOWLEDGE = 'DELETE FROM messages WHERE receipt = ?';
const DEAD = 'SELECT id, body, attempts, receipt FROM messages WHERE dead = 1 ORDER BY id LIMIT ?';
const RESET = 'UPDATE messages SET visible_at = ?, receipt = NULL WHERE receipt IS NOT NULL AND dead = 0';

/** A queue in the state file, for the one process that has it open. */
export class SqliteQueue implements Queue {
  readonly #database: StateDatabase;
  readonly #clock: Clock;
  readonly #maxReceives: number;
  readonly #waiters = new Waiters();
  // When a group was last served, in receives: among groups with equally many in flight the longest unserved is next.
  // Lost with the process, which costs nothing but one turn.
  #served = new Map<string, number>();
  #turn = 0;

  constructor(database: StateDatabase, clock: Clock, options: QueueOptions = {}) {
    this.#database = database;
    this.#clock = clock;
    this.#maxReceives = options.maxReceives ?? 5;
  }

  async send(messages: readonly Message[]): Promise<void> {
    const doing = 'sending messages';
    const encoded = messages.map(({ group, body, delayMs = 0 }) => {
      return { group, delayMs, body: encodeJson(body, LARGEST_MESSAGE, doing) };
    });
    this.#database.transaction(doing, () => {
      const now = this.#clock.now();
      for (const { group, body, delayMs } of encoded) this.#database.run(doing, SEND, group, body, now + delayMs);
    });
    this.#waiters.wake();
  }

  async receive({ max, visibilityMs, waitMs, signal }: ReceiveRequest): Promise<readonly Delivery[]> {
    const end = this.#clock.now() + waitMs;
    while (!signal.aborted) {
      const deliveries = this.#claim(max, visibilityMs);
      const now = this.#clock.now();
      if (deliveries.length > 0 || now >= end) return deliveries;
      const [next] = this.#database.all<{ readonly at: number | null }>('receiving messages', NEXT);
      await this.#waiters.wait(this.#clock, Math.max(Math.min(next?.at ?? end, end) - now, 1), signal);
    }
    return [];
  }

  async extend(receipt: string, visibilityMs: number): Promise<void> {
    this.#database.run('extending a message', EXTEND, this.#clock.now() + visibilityMs, receipt);
    this.#waiters.wake();
  }

  async acknowledge(receipt: string): Promise<void> {
    this.#database.run('acknowledging a message', ACKNOWLEDGE, receipt);
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    this.#database.run('releasing a message', RELEASE, this.#clock.now() + delayMs, receipt);
    this.#waiters.wake();
  }

  /** Acknowledging one of them removes it. */
  async deadLetters(limit: number): Promise<readonly Delivery[]> {
    return this.#database.all<MessageRow>('listing dead letters', DEAD, limit).map(delivery);
  }

  /** Makes every received message visible at once: for the start, when no other process can be working on one. */
  async resetVisibility(): Promise<void> {
    this.#database.run('taking back messages', RESET, this.#clock.now());
    this.#waiters.wake();
  }

  #claim(max: number, visibilityMs: number): Delivery[] {
    const doing = 'receiving messages';
    const now = this.#clock.now();
    const groups = this.#database.all<GroupRow>(doing, GROUPS, now);
    const waiting = groups.filter(({ head }) => head <= now).map((group) => ({ ...group }));
    if (waiting.length === 0) return [];
    this.#forgetOthers(groups);
    return this.#database.transaction(doing, () => {
      const claimed: Delivery[] = [];
      while (claimed.length < max && waiting.length > 0) {
        const group = waiting.reduce((best, other) => (this.#comesBefore(other, best) ? other : best));
        const [head] = this.#database.all<Omit<MessageRow, 'receipt'>>(doing, HEAD, group.group, now);
        if (head === undefined) {
          waiting.splice(waiting.indexOf(group), 1);
          continue;
        }
        const receipt = randomUUID();
        if (head.attempts >= this.#maxReceives) {
          this.#database.run(doing, BURY, receipt, head.id);
          continue;
        }
        this.#database.run(doing, CLAIM, receipt, now + Math.max(visibilityMs, 1), head.id);
        claimed.push(delivery({ ...head, receipt, attempts: head.attempts + 1 }));
        this.#served.set(group.group, ++this.#turn);
        Object.assign(group, { inFlight: group.inFlight + 1 });
      }
      return claimed;
    });
  }

  #comesBefore(left: GroupRow, right: GroupRow): boolean {
    const order =
      left.inFlight - right.inFlight ||
      (this.#served.get(left.group) ?? 0) - (this.#served.get(right.group) ?? 0) ||
      left.head - right.head;
    return order < 0;
  }

  #forgetOthers(groups: readonly GroupRow[]): void {
    if (this.#served.size <= groups.length) return;
    const known = new Set(groups.map(({ group }) => group));
    this.#served = new Map([...this.#served].filter(([group]) => known.has(group)));
  }
}

function delivery({ id, body, attempts, receipt }: MessageRow): Delivery {
  return { id: String(id), body: JSON.parse(body) as Json, attempts, receipt };
}
