import { createHash } from 'node:crypto';
import type { FaultRecord } from '../../core/fault';
import type { Notification, NotificationKind } from '../../core/notification';
import type { StateKey } from '../../core/ports';
import type { Lease } from '../state';

/** A notification that was stored and waits to be taken up. */
export interface InboxItem {
  readonly notification: Notification;
  /** Names of channels; absent: all. */
  readonly channels?: readonly string[];
  /** When it was stored, in milliseconds since 1970; and which of one process it was, as time is coarse. */
  readonly at: number;
  readonly order: number;
}

/** Notifications of one integration and kind that become one message. */
export interface Group {
  readonly key: string;
  readonly kind: NotificationKind | 'summary';
  readonly integration?: string;
  /** How many, by severity. */
  readonly counts: Counts;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Goes out without waiting for more. */
  readonly prompt?: true;
  /** The first and the last ones. */
  readonly entries: readonly Notification[];
}

export interface Counts {
  readonly critical: number;
  readonly warning: number;
  readonly info: number;
}

/** A message on its way. It does not change any more: what is sent twice is the same. */
export interface Sending {
  readonly notification: Notification;
  /** Notifications in it. */
  readonly count: number;
  readonly attempts: number;
  readonly retryAt: number;
  readonly since: number;
}

/** What one channel has to do, and how it went. */
export interface ChannelState {
  readonly groups: readonly Group[];
  readonly sending?: Sending;
  /** Messages that may be sent now, and when that was reckoned. */
  readonly tokens: number;
  readonly tokensAt: number;
  /** When the last message of a group's key was made. */
  readonly lastSent: { readonly [key: string]: number };
  readonly sent: number;
  readonly givenUp: number;
  readonly failing?: true;
  readonly succeededAt?: string;
  readonly fault?: FaultRecord & { readonly at: string };
}

/** Everything that waits, in one item: taking up a notification is one write, for all channels at once. */
export interface Outbox {
  readonly lease?: Lease;
  /** Hashes of what was taken up and may still be in the inbox. */
  readonly absorbed: readonly string[];
  /** Numbers messages. */
  readonly sequence: number;
  readonly channels: { readonly [name: string]: ChannelState };
}

/** Figures of the dispatcher; a home may set some. */
export interface NotifyLimits {
  /** How long the first notification of a group waits for more of its kind. */
  readonly gatherMs: number;
  /** Time between two messages of the same integration and kind. */
  readonly windowMs: number;
  readonly perHour: number;
  readonly burst: number;
  /** After this a message that cannot be sent is given up. */
  readonly longestMs: number;
  /** Groups that wait in a channel, and their bytes. */
  readonly mostGroups: number;
  readonly mostBytes: number;
  /** How long one attempt may take. */
  readonly sendMs: number;
  /** How long one round may go on. */
  readonly roundMs: number;
}

export const NOTIFY_LIMITS: NotifyLimits = {
  gatherMs: 10_000,
  windowMs: 60_000,
  perHour: 20,
  burst: 5,
  longestMs: 24 * 3_600_000,
  mostGroups: 50,
  // Four channels of it fit into one item of the state, with a message on its way each.
  mostBytes: 48 * 1024,
  sendMs: 30_000,
  roundMs: 45_000,
};

/** How long it is known that a notification was taken up. */
export const TOLD_MS = 30 * 24 * 3_600_000;
/** Texts are cut to this when they are stored: they have to wait in one item. */
export const TEXT_BYTES = 8 * 1024;

const INBOX = 'notify/inbox';

/** Where notifications are stored. */
export const notifyKeys = {
  inbox: INBOX,
  waiting: (hash: string): StateKey => ({ partition: INBOX, sort: hash }),
  told: (hash: string): StateKey => ({ partition: 'notify/told', sort: hash }),
  outbox: { partition: 'notify/outbox', sort: 'all' } as StateKey,
  rows: 'notify/rows',
  row: (integration: string): StateKey => ({ partition: 'notify/rows', sort: integration }),
  tests: 'notify/tests',
  test: (channel: string): StateKey => ({ partition: 'notify/tests', sort: channel }),
};

/** Stands for an id, which may have any length. */
export function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 40);
}

export const EMPTY_OUTBOX: Outbox = { absorbed: [], sequence: 0, channels: {} };

/** A channel to which nothing was sent yet. */
export function newChannel(now: number, { burst }: NotifyLimits): ChannelState {
  return { groups: [], tokens: burst, tokensAt: now, lastSent: {}, sent: 0, givenUp: 0 };
}

/** Notifications of a group. */
export function countOf({ counts }: Pick<Group, 'counts'>): number {
  return counts.critical + counts.warning + counts.info;
}

/** The worst severity in a group. */
export function severityOf({ counts }: Pick<Group, 'counts'>): Notification['severity'] {
  if (counts.critical > 0) return 'critical';
  return counts.warning > 0 ? 'warning' : 'info';
}
