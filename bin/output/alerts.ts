import { identifier, isIdentifier } from '../../lib/core/alert/identifiers';
import type { Alert, IntegrationAlerts, Mute } from '../wire';
import { duration, plain, time } from './format';
import { table } from './table';

/** Alerts, each in a line. */
export function alertTable(alerts: readonly Alert[]): string {
  return table(
    ['integration', 'alert', 'state', 'since', 'severity', 'seen', 'note'].map((title) => ({ title })),
    alerts.map((one) => [
      one.integration,
      one.slug,
      one.state,
      time(one.since),
      one.severity,
      valuesText(one.values),
      noteOf(one),
    ]),
  );
}

/** What happened to alerts, each change in a line. */
export function historyTable(history: IntegrationAlerts['history']): string {
  return table(
    ['at', 'alert', 'change', 'severity', 'seen', 'note'].map((title) => ({ title })),
    history.map((one) => [
      time(one.at),
      one.alert,
      one.change,
      one.severity,
      valuesText(one.values),
      [one.reason, spoken(one)].filter((part) => part).join(', '),
    ]),
  );
}

/** Mutes, each in a line. */
export function muteTable(mutes: readonly Mute[]): string {
  return table(
    ['id', 'integration', 'alert', 'from', 'until', 'note'].map((title) => ({ title })),
    mutes.map((one) => [
      one.id,
      one.integration ?? '(all)',
      one.alert ?? '(all)',
      time(one.from),
      time(one.until),
      spoken(one),
    ]),
  );
}

/** A mute in a sentence. */
export function muteText({ id, integration, alert, until }: Mute): string {
  const what =
    integration === undefined
      ? 'All alerts are'
      : alert === undefined
        ? `The alerts of ${integration} are`
        : `${alert} of ${integration} is`;
  return plain(`${what} muted until ${time(until)}. To end it: explorerio alerts unmute ${id}`);
}

/** An alert that rings, in a line. */
export function firingLine(alert: Alert): string {
  const note = noteOf(alert);
  const seen = valuesText(alert.values);
  const parts = [`[${alert.severity}] ${alert.name} since ${time(alert.since)}`, seen, note].filter(
    (part) => part !== '',
  );
  return plain(parts.join(', '));
}

function noteOf({ acknowledged, muted_until: until }: Alert): string {
  const parts = [
    ...(acknowledged === undefined
      ? []
      : [`acknowledged${spoken(acknowledged) === '' ? '' : ` by ${spoken(acknowledged)}`}`]),
    ...(until === undefined ? [] : [`muted until ${time(until)}`]),
  ];
  return parts.join(', ');
}

function spoken({ by, comment }: { readonly by?: string | undefined; readonly comment?: string | undefined }): string {
  return [by, comment].filter((part) => part !== undefined).join(': ');
}

function valuesText(values: Alert['values']): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${valueText(name, value)}`)
    .join(', ');
}

function valueText(name: string, value: number | string): string {
  if (typeof value === 'string') return value;
  if (isIdentifier(name) && identifier(name).type === 'duration') return duration(value);
  return String(Number(value.toPrecision(3)));
}
