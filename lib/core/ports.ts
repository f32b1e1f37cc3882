import type { FieldIssue } from './fault';
import type { IntegrationDocument } from './integration';
import type { Json } from './json';
import type { Notification } from './notification';
import type { Secret } from './secret';

/**
 * Address of an item: all items of one `partition` can be listed in the order of `sort`. Both are 1 to 1,024 bytes,
 * without NUL and without unpaired surrogates.
 */
export interface StateKey {
  readonly partition: string;
  readonly sort: string;
}

/** A stored item. `revision` grows with each write, and none is given twice for one key, also not after a delete. */
export interface StateItem extends StateKey {
  readonly revision: number;
  readonly value: Json;
}

/** The condition of a write: the revision that must be stored, or `absent`. */
export type Expected = number | 'absent';

/** Which items to list. */
export interface StateQuery {
  /** Only items whose `sort` begins with this. */
  readonly prefix?: string;
  /** Only items after this `sort` (before it, when `reverse`). */
  readonly after?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/**
 * Durable state, on single-item conditional writes only. Sorts compare by their bytes in UTF-8. An item is at most
 * 300 KiB of JSON. Every method throws only `Fault`.
 */
export interface StateStore {
  get(key: StateKey): Promise<StateItem | undefined>;
  /**
   * Writes when `expected` holds (`undefined`: always) and gives the new revision; `undefined` when it does not hold.
   * `expiresAt` (milliseconds since 1970): the store may remove the item any time after, and hides it from then on.
   */
  put(key: StateKey, value: Json, expected: Expected | undefined, expiresAt?: number): Promise<number | undefined>;
  /** Items of one partition in the order of `sort`. */
  query(partition: string, query?: StateQuery): Promise<readonly StateItem[]>;
  /** Removes when `expected` holds; gives whether it did. Removing what is not there is true without `expected`. */
  delete(key: StateKey, expected?: number): Promise<boolean>;
}

/** A message to send; its body is at most 256 KiB of JSON. Messages of one `group` share the queue fairly with other groups; no order is promised. */
export interface Message {
  readonly body: Json;
  readonly group: string;
  readonly delayMs?: number;
}

/** A received message, hidden from others until its visibility ends. */
export interface Delivery {
  readonly id: string;
  readonly body: Json;
  /** Proof of this receipt; another receive of the same message has another. */
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly attempts: number;
}

/** How to receive: up to `max` messages, hidden for `visibilityMs`; waits up to `waitMs` for the first. */
export interface ReceiveRequest {
  readonly max: number;
  readonly visibilityMs: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * At-least-once messages with visibility time-outs. A message that was received as often as the queue allows goes to its
 * dead letters at the next receive; acknowledging a dead letter removes it. Calls with an outdated receipt do nothing. Every method throws only `Fault`.
 */
export interface Queue {
  send(messages: readonly Message[]): Promise<void>;
  receive(request: ReceiveRequest): Promise<readonly Delivery[]>;
  /** Hides the message for `visibilityMs` from now. */
  extend(receipt: string, visibilityMs: number): Promise<void>;
  /** Removes the message: done. */
  acknowledge(receipt: string): Promise<void>;
  /** Gives the message back, to be received after `delayMs`. */
  release(receipt: string, delayMs: number): Promise<void>;
  /** Messages that were received too often, oldest first. */
  deadLetters(limit: number): Promise<readonly Delivery[]>;
}

/** When an integration runs by itself. */
export interface Schedule {
  readonly integration: string;
  /** Five-field cron. */
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** Keeps schedules. A tick that comes due while nothing runs to see it is caught up once, not once per missed tick. */
export interface Scheduler {
  /** Adds or replaces the integration's schedule. @throws Fault `config`/`invalid_cron` */
  set(schedule: Schedule): Promise<void>;
  remove(integration: string): Promise<void>;
  list(): Promise<readonly Schedule[]>;
  /** Milliseconds since 1970 of the next tick after `from`; `undefined` without a schedule. */
  next(integration: string, from: number): Promise<number | undefined>;
}

/** Keeps the alarms of integrations as their documents say. */
export interface Alarms {
  /** Makes the alarms of a document and removes others of the same integration. */
  set(document: IntegrationDocument): Promise<void>;
  remove(integration: string): Promise<void>;
  /** Makes good what is missing, and removes what belongs to none of these. */
  reconcile(documents: readonly IntegrationDocument[]): Promise<void>;
}

/** Where `${NAME}` in a document comes from. */
export interface Secrets {
  /** The current value; `undefined` when there is none of that name. */
  get(name: string): Promise<Secret | undefined>;
  /** Forgets what is remembered of it, as a server has refused the value: the next `get` asks anew. Left out where nothing is remembered. */
  refresh?(name: string): void;
  /** The value that a rotation is about to make current; `undefined` when there is none. Left out where nothing rotates. */
  pending?(name: string): Promise<Secret | undefined>;
  /** Where it is kept and how old it is; `undefined` when there is none of that name. */
  about?(name: string): Promise<SecretOrigin | undefined>;
}

/** Kinds of places that secrets are kept in. */
export type SecretStore = 'encrypted_file' | 'environment' | 'secrets_manager';

/** Where a secret is kept, and when its value was last changed, where the place knows that. */
export interface SecretOrigin {
  readonly store: SecretStore;
  /** Milliseconds since 1970. */
  readonly changedAt?: number;
}

/** The section `credential_store` of a document. */
export interface CredentialStore {
  readonly type: 'encrypted_file';
  /** A reference into the environment, or the key itself. */
  readonly encryption_key: string;
  readonly file_path: string;
}

/** Opens the files of credentials that documents name. */
export interface CredentialStores {
  /** Why a document may not name this file; nothing where it may. */
  check(store: CredentialStore): readonly FieldIssue[];
  /** Its secrets, and below them those of the environment. @throws Fault `config` where the file may not be named */
  open(store: CredentialStore): Secrets;
}

/** Tells people or programs what happened, on one channel. What is sent twice has the same id. */
export interface Notifier {
  /** What a document calls the channel, such as `email`. */
  readonly channel: string;
  /** Resolves when the channel has taken it. @throws Fault; one that is `transient` may be tried again */
  send(notification: Notification): Promise<void>;
}

/** Time, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms`, or earlier when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
