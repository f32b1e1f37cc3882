import type { AlertValues } from '../../core/alert/alert';
import type { AlertState } from '../../core/alert/evaluation';
import type { AlertRule } from '../../core/alert/rule';
import type { Notification } from '../../core/notification';
import type { StateKey } from '../../core/ports';

/** What people were told of an alert that rings, until they are told of its end. */
export interface Told {
  /** When it began to ring. */
  readonly firedAt: number;
  /** When somebody was last told, and how often. */
  readonly at: number;
  readonly times: number;
  readonly channels: readonly string[];
}

/** One line of the history. */
export interface ChangeItem {
  readonly id: string;
  readonly at: number;
  readonly alert: string;
  readonly name: string;
  readonly change: 'firing' | 'resolved' | 'acknowledged';
  readonly severity: AlertRule['severity'];
  readonly values: AlertValues;
  readonly reason?: string;
  readonly by?: string;
  readonly comment?: string;
}

/** A notification with the channels that it is for; none: all. */
export interface Notice {
  readonly notification: Notification;
  readonly channels: readonly string[];
}

/**
 * What has been decided and is still to be done: history to be written, people to be told. It is stored together with the
 * change that it is about, and done afterwards, each with an id of its own: so a crash in between loses and repeats nothing.
 */
export interface Owed {
  readonly changes: readonly ChangeItem[];
  readonly notices: readonly Notice[];
}

/** One alert as it is stored: how it stands, and the rule that this is about. */
export interface AlertItem extends AlertState {
  readonly integration: string;
  readonly slug: string;
  readonly name: string;
  readonly condition: string;
  readonly duration: number;
  readonly severity: AlertRule['severity'];
  /** What the last look that was stored has seen. */
  readonly values: AlertValues;
  readonly told?: Told;
  readonly acknowledged?: { readonly at: number; readonly by?: string; readonly comment?: string };
  readonly owed: Owed;
}

/** The last changes of the alerts of an integration, oldest first. */
export interface HistoryItem {
  readonly changes: readonly ChangeItem[];
}

/** A time in which nobody is told of alerts. */
export interface MuteItem {
  readonly integration?: string;
  readonly alert?: string;
  readonly from: number;
  readonly until: number;
  readonly by?: string;
  readonly comment?: string;
}

/** Nothing is to be done. */
export const NOTHING_OWED: Owed = { changes: [], notices: [] };

const STATES = 'alerts/states';
const MUTES = 'alerts/mutes';

/** Where alerts are stored. */
export const alertKeys = {
  states: STATES,
  statesOf: (integration: string) => `${integration}/`,
  state: (integration: string, slug: string): StateKey => ({ partition: STATES, sort: `${integration}/${slug}` }),
  history: (integration: string): StateKey => ({ partition: 'alerts/history', sort: integration }),
  mutes: MUTES,
  mute: (id: string): StateKey => ({ partition: MUTES, sort: id }),
};

/** How long the history is kept. */
export const HISTORY_MS = 30 * 86_400_000;
/** Changes of one integration that are kept. */
export const MOST_CHANGES = 100;
