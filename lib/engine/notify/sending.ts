import type { Fault } from '../../core/fault';
import type { Notification } from '../../core/notification';
import { byUrgency, isDue } from './groups';
import { digest, groupMessage } from './message';
import { type ChannelState, countOf, type Group, type NotifyLimits } from './outbox';

const HOUR_MS = 3_600_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = HOUR_MS;
/** A receiver that does not take this one may take the next. */
const REFUSALS = 6;

/** The channel with a message on its way, when one is due and may be sent. `name` makes its id unique. */
export function withMessage(
  channel: ChannelState,
  name: string,
  now: number,
  limits: NotifyLimits,
): ChannelState | undefined {
  if (channel.sending !== undefined) return undefined;
  const due = channel.groups.filter((group) => isDue(group, channel, now, limits)).sort(byUrgency);
  const tokens = tokensAt(channel, now, limits);
  const [first] = due;
  if (first === undefined || tokens < 1) return undefined;
  // The last message that may be sent for now tells of all that would have to wait.
  const chosen = tokens >= 2 ? [first] : due;
  return {
    ...channel,
    groups: channel.groups.filter((group) => !chosen.includes(group)),
    tokens: tokens - 1,
    tokensAt: now,
    lastSent: { ...recent(channel, now, limits), ...Object.fromEntries(chosen.map(({ key }) => [key, now])) },
    sending: {
      notification: messageOf(chosen, first, name),
      count: chosen.reduce((total, group) => total + countOf(group), 0),
      attempts: 0,
      retryAt: now,
      since: now,
    },
  };
}

function messageOf(chosen: readonly Group[], first: Group, name: string): Notification {
  return chosen.length === 1 ? groupMessage(first, `group/${name}`) : digest(chosen, `digest/${name}`);
}

function recent({ lastSent }: ChannelState, now: number, { windowMs }: NotifyLimits) {
  return Object.fromEntries(Object.entries(lastSent).filter(([, at]) => now < at + windowMs));
}

/** Messages that may be sent now. */
export function tokensAt(
  { tokens, tokensAt: at }: ChannelState,
  now: number,
  { perHour, burst }: NotifyLimits,
): number {
  return Math.min(burst, tokens + (Math.max(0, now - at) * perHour) / HOUR_MS);
}

/** Whether the message on its way is to be tried now. */
export function isToBeTried({ sending }: ChannelState, now: number): boolean {
  return sending !== undefined && sending.retryAt <= now;
}

/** The channel after its message was taken. */
export function taken(channel: ChannelState, at: string): ChannelState {
  const { sending: _sent, failing: _failing, ...rest } = channel;
  return { ...rest, sent: channel.sent + 1, succeededAt: at };
}

/** The channel after its message was not taken: later again, or never. */
export function refused(
  channel: ChannelState,
  fault: Fault,
  { now, random, limits }: { readonly now: number; readonly random: number; readonly limits: NotifyLimits },
): ChannelState {
  const at = new Date(now).toISOString();
  const { sending, ...rest } = channel;
  const noted = { ...rest, failing: true, fault: { ...fault.record(), at } } as const;
  if (sending === undefined) return noted;
  // The others have got it, and would get it again.
  if (fault.code === 'recipient_refused') return { ...noted, sent: channel.sent + 1 };
  const attempts = sending.attempts + 1;
  const isRefused = fault.code === 'notification_refused' && attempts >= REFUSALS;
  if (isRefused || now - sending.since >= limits.longestMs) {
    return { ...noted, givenUp: channel.givenUp + sending.count };
  }
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1)) * (0.5 + random / 2);
  const retryAt = now + Math.max(Math.round(backoff), fault.retryAfterMs ?? 0);
  return { ...noted, sending: { ...sending, attempts, retryAt } };
}

/** A channel that is not configured any more, without what has waited too long for it. */
export function withoutStale(channel: ChannelState, now: number, { longestMs }: NotifyLimits): ChannelState {
  const stale = channel.groups.filter(({ lastAt }) => now - lastAt >= longestMs);
  const { sending, ...rest } = channel;
  const isStale = sending !== undefined && now - sending.since >= longestMs;
  if (stale.length === 0 && !isStale) return channel;
  return {
    ...rest,
    ...(sending !== undefined && !isStale && { sending }),
    groups: channel.groups.filter((group) => !stale.includes(group)),
    givenUp: channel.givenUp + stale.reduce((total, group) => total + countOf(group), isStale ? sending.count : 0),
  };
}
