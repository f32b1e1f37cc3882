import type { AlertValues } from '../../core/alert/alert';
import { namesOf, type Sample } from '../../core/alert/condition';
import type { AlertEvaluator, AlertState } from '../../core/alert/evaluation';
import { type AlertRule, CHECK_SECONDS } from '../../core/alert/rule';
import { type AlertItem, type ChangeItem, NOTHING_OWED, type Notice, type Told } from './item';
import { END_REASONS, type EndReason, ended, ringing } from './texts';

/** One look at one alert. */
export interface Look {
  readonly integration: string;
  readonly rule: AlertRule;
  readonly sample: Sample;
  readonly now: number;
  readonly muted: boolean;
  /** What is known of the cause. */
  readonly detail?: string | undefined;
}

/** Those who do not say that they look after it are told again. */
const REMIND_MS = 86_400_000;
/** What is stored is never older, though nothing has changed but values. */
const STORED_MS = CHECK_SECONDS * 1000;
/** A last look that lies further ahead was made by a clock that has been set back since. */
const SET_BACK_MS = 3 * CHECK_SECONDS * 1000;

/** The alert after a look, with what has to be done about it; `undefined` where there is nothing to store. */
export function looked(before: AlertItem | undefined, look: Look, evaluator: AlertEvaluator): AlertItem | undefined {
  const { rule, now, sample } = look;
  const isSame = before !== undefined && before.condition === rule.text && before.duration === rule.duration;
  const old = isSame ? before : before && retired(before, 'changed', look);
  const given = isSame ? stateOf(before, now) : undefined;
  const state = evaluator.evaluate(rule, given, sample, now);
  if (state === given) return undefined;
  const seen = { ...itemOf(look, state), owed: old?.owed ?? NOTHING_OWED };
  const known: AlertItem = {
    ...seen,
    ...(old?.told && { told: old.told }),
    ...(old?.acknowledged && state.phase === 'firing' && { acknowledged: old.acknowledged }),
  };
  const next = withNews(withChange(known, given, look), look);
  return before !== undefined && isStored(before, next) ? undefined : next;
}

/** The alert when it is not looked at any more, before it is forgotten. */
export function retired(
  item: AlertItem,
  reason: Exclude<EndReason, 'ceased' | 'no_data'>,
  { now, muted }: Pick<Look, 'now' | 'muted'>,
): AlertItem {
  const { told, acknowledged: _acknowledged, ...rest } = item;
  const quiet: AlertItem = { ...rest, phase: 'ok', since: now, at: now };
  const changed = item.phase === 'firing' ? owing(quiet, { change: changeOf(item, 'resolved', now, reason) }) : quiet;
  return told === undefined || muted ? changed : owing(changed, { notice: endOf(changed, told, now, reason) });
}

/** What happened, for the history. */
export function changeOf(
  { slug, name, severity, values }: AlertItem,
  change: ChangeItem['change'],
  at: number,
  reason: EndReason = 'ceased',
): ChangeItem {
  const why = reason === 'ceased' ? {} : { reason: END_REASONS[reason] };
  return { id: `${at}/${slug}/${change}`, at, alert: slug, name, change, severity, values, ...why };
}

/** The alert with more to be done about it. */
export function owing(
  item: AlertItem,
  { change, notice }: { readonly change?: ChangeItem; readonly notice?: Notice },
): AlertItem {
  const { changes, notices } = item.owed;
  return {
    ...item,
    owed: {
      changes: change === undefined ? changes : [...changes, change],
      notices: notice === undefined ? notices : [...notices, notice],
    },
  };
}

function stateOf({ phase, since, at }: AlertItem, now: number): AlertState {
  return at - now > SET_BACK_MS ? { phase, since: Math.min(since, now), at: now } : { phase, since, at };
}

function itemOf({ integration, rule, sample }: Look, state: AlertState): Omit<AlertItem, 'owed'> {
  const { slug, name, text, duration, severity } = rule;
  return { integration, slug, name, condition: text, duration, severity, ...state, values: valuesOf(rule, sample) };
}

function valuesOf({ condition }: AlertRule, sample: Sample): AlertValues {
  return Object.fromEntries(
    namesOf(condition).flatMap((name) => {
      const value = sample[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function withChange(item: AlertItem, before: AlertState | undefined, look: Look): AlertItem {
  if (item.phase === before?.phase) return item;
  if (item.phase === 'firing') return owing(item, { change: changeOf(item, 'firing', look.now) });
  if (item.phase !== 'resolved') return item;
  return owing(item, { change: changeOf(item, 'resolved', look.now, whyEnded(look)) });
}

/** What people were last told is made to agree with what is. While it is muted they stay with what they know. */
function withNews(item: AlertItem, look: Look): AlertItem {
  if (look.muted) return item;
  if (item.phase === 'firing') return isToBeTold(item, look.now) ? tell(item, look) : item;
  const { told, ...rest } = item;
  return told === undefined ? item : owing(rest, { notice: endOf(rest, told, look.now, whyEnded(look)) });
}

function isToBeTold({ severity, told, acknowledged }: AlertItem, now: number): boolean {
  if (severity === 'info' || acknowledged !== undefined) return false;
  return told === undefined || now - told.at >= REMIND_MS;
}

function tell(item: AlertItem, { rule, now, detail }: Look): AlertItem {
  const { channels } = rule;
  const told: Told = {
    firedAt: item.told?.firedAt ?? item.since,
    at: now,
    times: (item.told?.times ?? 0) + 1,
    channels,
  };
  return owing({ ...item, told }, { notice: { notification: ringing(item, told, detail), channels } });
}

function endOf(item: AlertItem, told: Told, now: number, reason: EndReason): Notice {
  return { notification: ended(item, told, now, reason), channels: told.channels };
}

function whyEnded({ rule, sample }: Look): EndReason {
  return namesOf(rule.condition).some((name) => sample[name] === undefined) ? 'no_data' : 'ceased';
}

/** Whether what is stored says the same, and is not old. */
function isStored(before: AlertItem, next: AlertItem): boolean {
  const plain = (item: AlertItem) => JSON.stringify({ ...item, at: 0, values: {} });
  return next.at - before.at < STORED_MS && plain(before) === plain(next);
}
