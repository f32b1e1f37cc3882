import type { AlertPhase } from './evaluation';
import type { AlertFields } from './rule';

/** Values of the condition language by name; lengths of time are seconds. */
export type AlertValues = { readonly [name: string]: number | string };

/** Who has seen that an alert rings. */
export interface Acknowledgement {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly by?: string;
  readonly comment?: string;
}

/** An alert and how it stands. Times are ISO 8601 in UTC. */
export interface Alert {
  readonly integration: string;
  readonly name: string;
  /** Names it in paths and commands: the letters and digits of the name. */
  readonly slug: string;
  readonly condition: string;
  /** As in `5m`; absent where the document names none. */
  readonly duration?: string;
  readonly severity: AlertFields['severity'];
  /** Empty: all of them. */
  readonly channels: readonly string[];
  /** `unknown`: it was not looked at yet, or its integration is paused. */
  readonly state: AlertPhase | 'unknown';
  readonly since?: string;
  /** When the values were seen. */
  readonly lookedAt?: string;
  readonly values: AlertValues;
  /** When somebody was last told that it rings; absent where nobody was. */
  readonly toldAt?: string;
  readonly acknowledged?: Acknowledgement;
  /** Nobody is told of it until then. */
  readonly mutedUntil?: string;
}

/** Something that happened to an alert. */
export interface AlertChange {
  readonly id: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly alert: string;
  readonly name: string;
  readonly change: 'firing' | 'resolved' | 'acknowledged';
  readonly severity: AlertFields['severity'];
  readonly values: AlertValues;
  /** Why it ended, where that is not that its condition ceased to hold. */
  readonly reason?: string;
  readonly by?: string;
  readonly comment?: string;
}

/** A time in which nobody is told of alerts. Times are ISO 8601 in UTC. */
export interface AlertMute {
  readonly id: string;
  /** Absent: of all integrations. */
  readonly integration?: string;
  /** The slug of one alert; absent: all of the integration. */
  readonly alert?: string;
  readonly from: string;
  readonly until: string;
  readonly by?: string;
  readonly comment?: string;
}

/** What to mute, and how long. `alert`: a slug or a name. Without `from`: from now on. */
export interface MuteRequest {
  readonly integration?: string | undefined;
  readonly alert?: string | undefined;
  readonly from?: string | undefined;
  readonly until: string;
  readonly by?: string | undefined;
  readonly comment?: string | undefined;
}
