import { lineWithin, type Notification, type NotificationKind } from '../../core/notification';
import { countOf, type Group, severityOf } from './outbox';

const WORDS: { readonly [kind in NotificationKind | 'summary']: string } = {
  alert: 'alerts',
  resolved: 'notices that something works again',
  quarantine: 'notices of records that could not be loaded',
  schema_change: 'changes of schemas',
  credential: 'notices about credentials',
  run_failed: 'notices of failed runs',
  test: 'tests',
  summary: 'notifications of which no details were kept',
};
const LISTED_GROUPS = 40;
const LONGEST_PART = 200;

/** The message of one group. One notification stays what it is. `id` names the message of several. */
export function groupMessage(group: Group, id: string): Notification {
  const [first] = group.entries;
  const last = group.entries.at(-1);
  const count = countOf(group);
  if (first === undefined || last === undefined) return digest([group], id);
  if (count === 1) return first;
  const { integration } = group;
  const same = <K extends 'stream' | 'run'>(name: K) =>
    group.entries.every((entry) => entry[name] === last[name]) && last[name] !== undefined
      ? { [name]: last[name] }
      : {};
  const list = group.entries.map((entry) => `- ${entry.at} ${entry.title}`);
  const hidden = count - list.length;
  return {
    id,
    kind: last.kind,
    severity: severityOf(group),
    title: `${last.title} (and ${count - 1} more)`,
    text: [
      last.text,
      '',
      `${count} ${WORDS[group.kind]} since ${first.at}:`,
      ...list.slice(0, 1),
      ...(hidden > 0 ? [`and ${hidden} more`] : []),
      ...list.slice(1),
    ].join('\n'),
    ...(integration !== undefined && { integration }),
    ...same('stream'),
    ...same('run'),
    at: last.at,
    facts: { ...last.facts, notifications: count, since: first.at },
  };
}

/** One message for all that was held back. */
export function digest(groups: readonly Group[], id: string): Notification {
  const all = summed(groups);
  // What has no details is not to be overlooked.
  const listed = [...groups].sort((left, right) => Number(left.entries.length > 0) - Number(right.entries.length > 0));
  const integrations = new Set(groups.flatMap(({ integration }) => integration ?? []));
  const [since, until] = [iso(all.firstAt), iso(all.lastAt)];
  const shown = listed.slice(0, LISTED_GROUPS);
  const hidden = listed.slice(LISTED_GROUPS).reduce((total, group) => total + countOf(group), 0);
  const count = countOf(all);
  const isWhole = groups.every(({ entries }) => entries.length > 0);
  const about =
    integrations.size === 0
      ? ''
      : ` of ${integrations.size} integration${integrations.size > 1 ? 's' : ''}${isWhole ? '' : ' and others'}`;
  return {
    id,
    kind: groups[0]?.entries[0]?.kind ?? 'alert',
    severity: severityOf(all),
    title: `${count} notifications${about}, in one message`,
    text: [
      `These were held back, as more came than this channel is sent (since ${since}):`,
      ...shown.map(line),
      ...(hidden > 0 ? [`and ${hidden} more`] : []),
      '',
      'See how everything stands with: explorerio status',
    ].join('\n'),
    at: until,
    facts: { notifications: count, since, critical: all.counts.critical, warning: all.counts.warning },
  };
}

function line(group: Group): string {
  const last = group.entries.at(-1);
  const count = countOf(group);
  if (last === undefined) return `- ${count} ${WORDS[group.kind]}, of these ${group.counts.critical} critical`;
  const many = count === 1 ? '' : ` (and ${count - 1} more)`;
  const [reason = ''] = last.text.split('\n');
  const about = reason === '' ? '' : `: ${lineWithin(reason, LONGEST_PART)}`;
  return `- [${severityOf(group)}] ${lineWithin(last.title, LONGEST_PART)}${many}${about}`;
}

function summed(groups: readonly Group[]): Pick<Group, 'counts' | 'firstAt' | 'lastAt'> {
  const sum = (severity: keyof Group['counts']) => groups.reduce((total, { counts }) => total + counts[severity], 0);
  return {
    counts: { critical: sum('critical'), warning: sum('warning'), info: sum('info') },
    firstAt: Math.min(...groups.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...groups.map(({ lastAt }) => lastAt)),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
