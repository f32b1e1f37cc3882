import type { AlertEvaluator } from '../../core/alert/evaluation';
import { type AlertRule, alertRules, isWindowRule, windowOf } from '../../core/alert/rule';
import type { EngineContext } from '../context';
import { listIntegrations } from '../integrations';
import { type Observation, observeOne } from '../observe';
import { list, read, type Stored, update } from '../records';
import type { IntegrationItem } from '../state';
import { type AlertItem, alertKeys, type MuteItem } from './item';
import { listMutes, mutedUntil } from './mutes';
import { owes, settle } from './settle';
import { looked, retired } from './step';

/** How often alerts are looked at in process. */
export const LOOK_MS = 60_000;

const AT_ONCE = 10;

interface Watched {
  readonly id: string;
  readonly item: IntegrationItem;
  readonly rules: readonly AlertRule[];
}

/** Looks at the alerts of all integrations, notes what has changed, and has people told. Does nothing where something else rings them. */
export async function lookAtAlerts(context: EngineContext, stop?: AbortSignal): Promise<void> {
  const { evaluator, state } = context.ports;
  if (evaluator === undefined) return;
  const all = await listIntegrations(context);
  const mutes = await listMutes(state);
  const watched = all.map(({ key, value }) => ({ id: key.sort, item: value, rules: rulesOf(value) }));
  const failures: unknown[] = [];
  const note = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
    failures.push(...outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])));
  const busy = watched.filter(({ rules }) => rules.length > 0);
  for (let first = 0; first < busy.length && !stop?.aborted; first += AT_ONCE) {
    const some = busy.slice(first, first + AT_ONCE);
    note(await Promise.allSettled(some.map((one) => lookAtOne(context, evaluator, one, mutes))));
  }
  note(await Promise.allSettled([forgetOthers(context, watched, mutes)]));
  // One that fails must not keep the others from ringing.
  if (failures.length > 0) throw failures[0];
}

/** The alerts of an integration that is not paused. */
export function rulesOf({ document }: IntegrationItem): readonly AlertRule[] {
  return document.enabled === false ? [] : alertRules(document);
}

async function lookAtOne(
  context: EngineContext,
  evaluator: AlertEvaluator,
  { id, item, rules }: Watched,
  mutes: readonly Stored<MuteItem>[],
): Promise<void> {
  const { state } = context.ports;
  const observation = await observeOne(context, id, item);
  const now = context.ports.clock.now();
  for (const rule of rules) {
    const key = alertKeys.state(id, rule.slug);
    // What is owed comes first: what was decided before is not to be overtaken, nor to pile up.
    const before = await read<AlertItem>(state, key);
    if (before && owes(before.value)) await settle(context, before.value);
    const look = {
      ...{ integration: id, rule, now, detail: detailOf(observation) },
      sample: isWindowRule(rule)
        ? evaluator.windowSample(observation.ended, windowOf(rule) * 1000, now)
        : observation.sample,
      muted: mutedUntil(mutes, { integration: id, slug: rule.slug, now }) !== undefined,
    };
    const { value, changed } = await update<AlertItem>(state, key, (current) => looked(current, look, evaluator));
    if (changed && value) await settle(context, value);
  }
}

/** What the last sync has shown, where that was no good. */
function detailOf({ health }: Observation): string | undefined {
  return health.status === 'degraded' || health.status === 'failed' ? health.detail : undefined;
}

/** Ends the alerts that are in no document any more, and those of paused integrations. */
async function forgetOthers(
  context: EngineContext,
  watched: readonly Watched[],
  mutes: readonly Stored<MuteItem>[],
): Promise<void> {
  const { state, clock } = context.ports;
  const documents = new Map(watched.map(({ id, item }) => [id, item.document]));
  const live = new Set(watched.flatMap(({ id, rules }) => rules.map(({ slug }) => alertKeys.state(id, slug).sort)));
  for (const { key, value } of await list<AlertItem>(state, alertKeys.states)) {
    if (live.has(key.sort)) continue;
    const { integration, slug } = value;
    const document = documents.get(integration);
    const now = clock.now();
    const muted = mutedUntil(mutes, { integration, slug, now }) !== undefined;
    const reason = document?.enabled === false ? 'paused' : 'removed';
    const { value: last } = await update<AlertItem>(
      state,
      key,
      (current) => current && retired(current, reason, { now, muted }),
    );
    if (last) await settle(context, last);
    await state.delete(key);
    if (document === undefined) await state.delete(alertKeys.history(integration));
  }
}
