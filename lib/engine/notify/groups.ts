import { fitted, type Notification } from '../../core/notification';
import { type ChannelState, countOf, type Group, type NotifyLimits, severityOf } from './outbox';

const KEPT_ENTRIES = 10;
/** Of those after the first of a group, whose texts are mostly the same. */
const FURTHER_BYTES = 1000;
const SUMMARY = '*';
const RANK = { info: 0, warning: 1, critical: 2 } as const;

/** A channel with one more notification in the group of its integration and kind. */
export function added(
  channel: ChannelState,
  notification: Notification,
  now: number,
  limits: NotifyLimits,
): ChannelState {
  const { integration = '', kind, severity } = notification;
  const key = `${integration} ${kind}`;
  const known = channel.groups.find((group) => group.key === key);
  const group: Group = known ?? {
    key,
    kind,
    ...(notification.integration !== undefined && { integration }),
    counts: { critical: 0, warning: 0, info: 0 },
    firstAt: now,
    lastAt: now,
    entries: [],
  };
  const next: Group = {
    ...group,
    counts: { ...group.counts, [severity]: group.counts[severity] + 1 },
    lastAt: now,
    entries: withEntry(group.entries, notification),
    ...((kind === 'resolved' || kind === 'test') && { prompt: true }),
  };
  const others = channel.groups.filter((other) => other !== known);
  // Nobody is told of an end before the beginning.
  const begun = kind === 'resolved' ? others.map((other) => promptOf(other, notification)) : others;
  return bounded({ ...channel, groups: [...begun, next] }, limits);
}

function promptOf(group: Group, { integration }: Notification): Group {
  return group.integration === integration ? { ...group, prompt: true } : group;
}

/** The first and the last ones stay. */
function withEntry(entries: readonly Notification[], next: Notification): readonly Notification[] {
  if (entries.length === 0) return [next];
  const [first, ...rest] = [...entries, fitted(next, FURTHER_BYTES)];
  return first === undefined ? [] : [first, ...rest.slice(1 - KEPT_ENTRIES)];
}

/** No more groups than there is room for: what matters least, and is oldest, is only counted. */
function bounded(channel: ChannelState, { mostGroups, mostBytes }: NotifyLimits): ChannelState {
  let groups = channel.groups;
  while (groups.length > 1 && (groups.length > mostGroups || bytesOf(groups) > mostBytes)) {
    const [first, second] = [...groups].filter(({ key }) => key !== SUMMARY).sort(byWorth);
    const summary = groups.find(({ key }) => key === SUMMARY);
    const victims = [first, summary ?? second].filter((group) => group !== undefined);
    if (victims.length < 2) break;
    groups = [...groups.filter((group) => !victims.includes(group)), summaryOf(victims)];
  }
  return groups === channel.groups ? channel : { ...channel, groups };
}

function byWorth(left: Group, right: Group): number {
  return RANK[severityOf(left)] - RANK[severityOf(right)] || left.firstAt - right.firstAt;
}

function bytesOf(groups: readonly Group[]): number {
  return Buffer.byteLength(JSON.stringify(groups));
}

/** Groups of which only the numbers are left. */
function summaryOf(groups: readonly Group[]): Group {
  const sum = (severity: keyof Group['counts']) => groups.reduce((total, { counts }) => total + counts[severity], 0);
  return {
    key: SUMMARY,
    kind: 'summary',
    counts: { critical: sum('critical'), warning: sum('warning'), info: sum('info') },
    firstAt: Math.min(...groups.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...groups.map(({ lastAt }) => lastAt)),
    entries: [],
  };
}

/** Whether a group may go out. */
export function isDue(group: Group, channel: ChannelState, now: number, limits: NotifyLimits): boolean {
  if (group.prompt) return true;
  const before = channel.lastSent[group.key];
  return now >= group.firstAt + limits.gatherMs && (before === undefined || now >= before + limits.windowMs);
}

/** The order in which groups go out. */
export function byUrgency(left: Group, right: Group): number {
  if (left.prompt !== right.prompt) return left.prompt ? -1 : 1;
  if (left.prompt)
    return left.firstAt - right.firstAt || Number(left.kind === 'resolved') - Number(right.kind === 'resolved');
  return RANK[severityOf(right)] - RANK[severityOf(left)] || left.firstAt - right.firstAt;
}

/** Notifications that wait in a channel, those on their way included. */
export function waitingIn(channel: ChannelState): number {
  return channel.groups.reduce((total, group) => total + countOf(group), channel.sending?.count ?? 0);
}
