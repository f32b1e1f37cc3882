import type { Network } from '../../../core/network';
import { factsOf, fitted, lineWithin, type Notification, subjectOf } from '../../../core/notification';
import type { Clock, Notifier } from '../../../core/ports';
import type { Secret } from '../../../core/secret';
import { checkWebUrl, post } from './post';

/** The incoming webhook of a Slack channel. */
export interface SlackNotifierOptions {
  readonly url: Secret;
  readonly clock: Clock;
  /** What may be connected to. */
  readonly network: Network;
  /** 10 seconds, unless it says otherwise. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const DOING = 'sending to Slack';
const ADDRESS = 'the URL of the Slack webhook';

// What Slack takes in its blocks, in characters.
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3000;
const LONGEST_FIELD = 2000;
const MOST_SECTIONS = 5;
const MOST_FIELDS = 10;

/** Posts notifications to an incoming webhook of Slack. All is plain text there, so that nothing in it calls a person or makes a link. */
export class SlackNotifier implements Notifier {
  readonly channel = 'slack';
  readonly #options: SlackNotifierOptions;

  /** @throws Fault `config`/`invalid_url` */
  constructor(options: SlackNotifierOptions) {
    checkWebUrl(options.url.reveal(), DOING, ADDRESS);
    this.#options = options;
  }

  async send(notification: Notification): Promise<void> {
    const { url, clock, network, timeoutMs = TIMEOUT_MS } = this.#options;
    await post({
      url: url.reveal(),
      body: JSON.stringify(slackMessage(notification)),
      headers: { 'content-type': 'application/json; charset=utf-8' },
      timeoutMs,
      clock,
      network,
      doing: DOING,
      address: ADDRESS,
    });
  }
}

function slackMessage(notification: Notification) {
  const { text } = fitted(notification, MOST_SECTIONS * LONGEST_SECTION);
  const facts = factsOf(notification);
  // The last is the id.
  const fields = [...facts.slice(0, -1).slice(0, MOST_FIELDS - 1), ...facts.slice(-1)];
  return {
    // Shown where blocks cannot be, and the only part that is not plain text.
    text: escaped(subjectOf(notification, LONGEST_HEADER)),
    blocks: [
      { type: 'header', text: plain(subjectOf(notification, LONGEST_HEADER)) },
      ...pieces(text).map((piece) => ({ type: 'section', text: plain(piece) })),
      {
        type: 'section',
        fields: fields.map(([name, value]) => plain(lineWithin(`${name}: ${value}`, LONGEST_FIELD))),
      },
    ],
  };
}

/** Slack refuses a text without any character that shows. */
function pieces(text: string): string[] {
  const found = text.match(new RegExp(`.{1,${LONGEST_SECTION / 2}}`, 'gsu')) ?? [];
  return found.filter((piece) => piece.trim() !== '');
}

function plain(text: string) {
  return { type: 'plain_text', text, emoji: false };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
