import type { FaultRecord } from './fault';
import type { Notifier } from './ports';

/** Names by which documents may call a channel. */
export const CHANNEL_NAMES = ['email', 'slack', 'webhook', 'sns'] as const;

/** One way to tell people or programs, as this home has it. */
export interface Channel {
  readonly name: string;
  /** There when it is configured. */
  readonly notifier?: Notifier;
  /** Why it is not: what is missing or wrong, and what to do about it. */
  readonly fault?: FaultRecord;
}

/** The channels of a home. */
export interface Channels {
  /** Every channel that this home can have, configured or not. */
  list(): Promise<readonly Channel[]>;
  /** Other names: in the cloud, `email` is a subscription of the topic `sns`. */
  readonly aliases: { readonly [name: string]: string };
}

/** How a channel stands. Times are ISO 8601 in UTC. */
export interface ChannelStatus {
  readonly channel: string;
  /**
   * `ok`: the last message was taken. `idle`: nothing was sent yet. `failing`: the last attempt failed, it is tried again.
   * `missing`: a document or the home names it, and it is not configured.
   */
  readonly state: 'ok' | 'idle' | 'failing' | 'missing';
  /** Notifications that wait to be sent. */
  readonly waiting: number;
  /** Messages that were taken. */
  readonly sent: number;
  /** Notifications that were given up after a day. */
  readonly givenUp: number;
  readonly lastSuccess?: string;
  readonly lastFault?: FaultRecord & { readonly at: string };
  /** Why it is not configured, and what to do about it. */
  readonly missing?: FaultRecord;
  /** When the message that failed is tried again. */
  readonly nextAttempt?: string;
  /** Integrations whose alerts name it. */
  readonly usedBy: readonly string[];
}

/** What became of a test message. */
export interface TestOutcome {
  readonly channel: string;
  readonly sent: boolean;
  readonly fault?: FaultRecord;
}
