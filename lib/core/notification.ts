import type { Json } from './json';

/** What a notification is about. */
export type NotificationKind =
  | 'alert'
  | 'resolved'
  | 'quarantine'
  | 'schema_change'
  | 'credential'
  | 'run_failed'
  | 'test';

/** Something that somebody is told. No member holds a secret: whoever makes one redacts it. */
export interface Notification {
  /** Two with the same id are one: delivery is at least once. */
  readonly id: string;
  readonly kind: NotificationKind;
  readonly severity: 'info' | 'warning' | 'critical';
  /** One line. */
  readonly title: string;
  /** What happened and what to do about it: plain text of any length. */
  readonly text: string;
  readonly integration?: string;
  readonly stream?: string;
  readonly run?: string;
  /** ISO 8601 time at which it happened. */
  readonly at: string;
  /** Figures and names beside the text. */
  readonly facts: { readonly [name: string]: Json };
}

/** Shows that a text goes on, where a channel does not take all of it. */
const CUT = '\n[cut off]';
const CUT_LINE = '...';
// Separators of lines and paragraphs break a line for some readers, and so do all controls but the tab.
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu;
const CONTROLS = /[^\P{Cc}\n\t]/gu;
const HALF_CHARACTERS = /\p{Cs}/gu;
const UNKNOWN = '\uFFFD';
const LONGEST_TITLE = 500;

/** The subject of a notification: one line of at most `longest` characters, without any control character. */
export function subjectOf({ severity, title }: Notification, longest: number): string {
  return lineWithin(`[${severity}] ${title}`, longest);
}

/**
 * The same notification with at most `bytes` bytes of text in UTF-8 and a title of one line, without control characters but
 * line ends and tabs.
 */
export function fitted(notification: Notification, bytes = Number.POSITIVE_INFINITY): Notification {
  const title = lineWithin(notification.title, LONGEST_TITLE);
  const text = notification.text.replace(/\r\n?/g, '\n').replace(CONTROLS, UNKNOWN).replace(HALF_CHARACTERS, UNKNOWN);
  const encoded = new TextEncoder().encode(text);
  if (encoded.length <= bytes) return { ...notification, title, text };
  // A decoder that is told that more follows leaves out the character that was cut in two.
  const start = new TextDecoder().decode(encoded.subarray(0, Math.max(0, bytes - CUT.length)), { stream: true });
  return { ...notification, title, text: `${start}${CUT}` };
}

/** Names and values of a notification beside its text, in the order in which they are shown. */
export function factsOf({ integration, stream, run, kind, at, facts, id }: Notification): [string, string][] {
  const all = { integration, stream, run, kind, at, ...facts, id };
  return Object.entries(all).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[oneLine(name), oneLine(typeof value === 'string' ? value : JSON.stringify(value))]],
  );
}

/** A notification as a text for people. */
export function readableText(notification: Notification): string {
  const { severity, title, text } = notification;
  const lines = factsOf(notification).map(([name, value]) => `${name}: ${value}`);
  return [`[${severity}] ${oneLine(title)}`, text, lines.join('\n')].join('\n\n');
}

function oneLine(text: string): string {
  return text.replace(BREAKS, ' ').replace(HALF_CHARACTERS, UNKNOWN).trim();
}

/** A text as one line of at most `longest` characters. */
export function lineWithin(text: string, longest: number): string {
  const line = oneLine(text);
  if (line.length <= longest) return line;
  // Not within a character of two halves.
  return `${line.slice(0, longest - CUT_LINE.length).replace(/[\uD800-\uDBFF]$/, '')}${CUT_LINE}`;
}
