import type { Alert, AlertChange, AlertMute, MuteRequest } from '../../core/alert/alert';
import { printLengthOfTime } from '../../core/alert/length-of-time';
import { type AlertRule, alertRules } from '../../core/alert/rule';
import { nearest } from '../../core/config';
import { Fault } from '../../core/fault';
import type { Service } from '../../core/service';
import type { EngineContext } from '../context';
import { listIntegrations, loadIntegration } from '../integrations';
import { list, read, type Stored, update } from '../records';
import type { IntegrationItem } from '../state';
import { isoTime } from '../views';
import { type AlertItem, alertKeys, type ChangeItem, HISTORY_MS, type HistoryItem, type MuteItem } from './item';
import { rulesOf } from './look';
import { addMute, listMutes, mutedUntil, removeMute, viewMute } from './mutes';
import { settle } from './settle';
import { changeOf, owing } from './step';

type AlertMethods = Pick<
  Service,
  'alerts' | 'alertHistory' | 'acknowledgeAlert' | 'alertMutes' | 'muteAlerts' | 'unmuteAlerts'
>;

/** What of the service is about alerts. Where something else rings them, that is asked and told there. */
export function alertService(context: EngineContext): AlertMethods {
  const here = <A extends readonly unknown[], R>(doing: string, work: (...given: A) => Promise<R>) => {
    return async (...given: A): Promise<R> => {
      if (context.ports.evaluator === undefined) throw elsewhere(doing);
      return work(...given);
    };
  };
  return {
    alerts: here('listing alerts', (id?: string) => listAlerts(context, id)),
    alertHistory: here('reading the history of alerts', (id: string, limit: number) => history(context, id, limit)),
    acknowledgeAlert: here('acknowledging an alert', (id: string, alert: string, by: Who) =>
      acknowledge(context, id, alert, by),
    ),
    alertMutes: here('listing mutes', async () =>
      (await listMutes(context.ports.state)).map(({ key, value }) => viewMute(key.sort, value)),
    ),
    muteAlerts: here('muting alerts', (request: MuteRequest) => mute(context, request)),
    unmuteAlerts: here('ending a mute', (id: string) => removeMute(context, id)),
  };
}

/** The alerts of an integration that ring, for its status; `undefined` where that is not known here. */
export async function firingAlerts(context: EngineContext, id: string): Promise<readonly Alert[] | undefined> {
  if (context.ports.evaluator === undefined) return undefined;
  return (await listAlerts(context, id)).filter(({ state }) => state === 'firing');
}

interface Who {
  readonly by?: string | undefined;
  readonly comment?: string | undefined;
}

function elsewhere(doing: string): Fault {
  return new Fault(
    'config',
    'alerts_elsewhere',
    `${doing}: in this home alerts are alarms of CloudWatch, which keeps their state`,
    {
      hint: 'Look at them in CloudWatch, or with "aws cloudwatch describe-alarms"; to mute one, use "aws cloudwatch disable-alarm-actions --alarm-names ...".',
    },
  );
}

async function listAlerts(context: EngineContext, id: string | undefined): Promise<readonly Alert[]> {
  const { state, clock } = context.ports;
  const all = id === undefined ? await listIntegrations(context) : [await loadIntegration(context, id)];
  const prefix = id === undefined ? {} : { prefix: alertKeys.statesOf(id) };
  const items = await list<AlertItem>(state, alertKeys.states, prefix);
  const bySort = new Map(items.map(({ key, value }) => [key.sort, value]));
  const known = { mutes: await listMutes(state), now: clock.now() };
  return all.flatMap(({ key, value }) => {
    const isPaused = rulesOf(value).length === 0;
    return alertRules(value.document).map((rule) => {
      const item = isPaused ? undefined : bySort.get(alertKeys.state(key.sort, rule.slug).sort);
      return viewAlert(key.sort, rule, item, known);
    });
  });
}

function viewAlert(
  integration: string,
  rule: AlertRule,
  stored: AlertItem | undefined,
  { mutes, now }: { readonly mutes: readonly Stored<MuteItem>[]; readonly now: number },
): Alert {
  const { name, slug, text, duration, severity, channels } = rule;
  // A rule that was changed is another one, of which nothing is known before it is looked at.
  const item = stored?.condition === text && stored.duration === duration ? stored : undefined;
  const muted = mutedUntil(mutes, { integration, slug, now });
  return {
    ...{ integration, name, slug, condition: text, severity, channels },
    ...(duration > 0 && { duration: printLengthOfTime(duration) }),
    state: item?.phase ?? 'unknown',
    values: item?.values ?? {},
    ...(item && { since: isoTime(item.since), lookedAt: isoTime(item.at) }),
    ...(item?.told && { toldAt: isoTime(item.told.at) }),
    ...(item?.acknowledged && { acknowledged: { ...item.acknowledged, at: isoTime(item.acknowledged.at) } }),
    ...(muted !== undefined && { mutedUntil: isoTime(muted) }),
  };
}

async function history(context: EngineContext, id: string, limit: number): Promise<readonly AlertChange[]> {
  const { state, clock } = context.ports;
  await loadIntegration(context, id);
  const changes = (await read<HistoryItem>(state, alertKeys.history(id)))?.value.changes ?? [];
  const kept = changes.filter(({ at }) => at > clock.now() - HISTORY_MS);
  return kept.reverse().slice(0, limit).map(viewChange);
}

function viewChange({ at, ...rest }: ChangeItem): AlertChange {
  return { ...rest, at: isoTime(at) };
}

async function acknowledge(context: EngineContext, id: string, wanted: string, { by, comment }: Who): Promise<Alert> {
  const { state, clock } = context.ports;
  const stored = await loadIntegration(context, id);
  const { slug, name } = ruleOf(stored, wanted);
  const at = clock.now();
  const said = { ...(by !== undefined && { by }), ...(comment !== undefined && { comment }) };
  const { value, changed } = await update<AlertItem>(state, alertKeys.state(id, slug), (current) => {
    if (current?.phase !== 'firing') return undefined;
    const change = { ...changeOf(current, 'acknowledged', at), ...said };
    return owing({ ...current, acknowledged: { at, ...said } }, { change });
  });
  if (!changed || value === undefined) {
    throw new Fault('config', 'alert_not_firing', `acknowledging ${name} of ${id}: it does not ring`, {
      hint: 'Only what rings is acknowledged. To hear nothing of it for some time, mute it.',
    });
  }
  await settle(context, value);
  const [alert] = (await listAlerts(context, id)).filter((one) => one.slug === slug);
  if (alert === undefined) throw notFound(id, wanted, []);
  return alert;
}

async function mute(context: EngineContext, request: MuteRequest): Promise<AlertMute> {
  const { integration, alert } = request;
  if (integration === undefined) {
    if (alert === undefined) return addMute(context, request, undefined);
    throw new Fault(
      'config',
      'invalid_config',
      'muting alerts: an alert is named, but not the integration that has it',
      {
        issues: [{ path: 'integration', message: 'is needed with "alert"' }],
      },
    );
  }
  const stored = await loadIntegration(context, integration);
  return addMute(context, request, alert === undefined ? undefined : ruleOf(stored, alert).slug);
}

/** The alert of this slug or name. */
function ruleOf({ key, value }: Stored<IntegrationItem>, wanted: string): AlertRule {
  const rules = alertRules(value.document);
  const found = rules.find(({ slug }) => slug === wanted) ?? rules.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw notFound(
    key.sort,
    wanted,
    rules.map(({ slug }) => slug),
  );
}

function notFound(integration: string, wanted: string, slugs: readonly string[]): Fault {
  const near = nearest(wanted, slugs);
  const all = slugs.length === 0 ? 'It has none.' : `Its alerts are ${slugs.join(', ')}.`;
  return new Fault('config', 'not_found', `reading the alerts of ${integration}: there is none called ${wanted}`, {
    hint: near === undefined ? all : `Did you mean "${near}"? ${all}`,
  });
}
