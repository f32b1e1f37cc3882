import type { AlertValues } from '../../core/alert/alert';
import { type IdentifierName, identifier, isIdentifier } from '../../core/alert/identifiers';
import { printLengthOfTime } from '../../core/alert/length-of-time';
import type { Notification } from '../../core/notification';
import { isoTime } from '../views';
import type { AlertItem, Told } from './item';

/** Why an alert has ended. */
export type EndReason = 'ceased' | 'no_data' | 'changed' | 'removed' | 'paused';

/** Of those reasons that are not in the condition. */
export const END_REASONS: { readonly [reason in Exclude<EndReason, 'ceased'>]: string } = {
  no_data: 'there is no data for it any more',
  changed: 'the alert was changed in the document; the new one is looked at from its beginning',
  removed: 'the alert is not in the document any more',
  paused: 'the integration is paused, and its alerts are not looked at',
};

/** Tells that an alert rings; `told.times` above 1: that it still does. `detail`: what is known of the cause. */
export function ringing(item: AlertItem, told: Told, detail: string | undefined): Notification {
  const { integration, slug, name, severity } = item;
  const isFirst = told.times === 1;
  const seen = valuesText(item.values);
  return {
    ...about(item, told.at),
    id: `${episode(item, told)}${isFirst ? '' : `/${told.times}`}`,
    kind: 'alert',
    severity,
    title: `${integration}: ${name}${isFirst ? '' : ', still'}`,
    text: [
      `${conditionText(item)}: ${seen === '' ? 'there is no data' : seen}`,
      ...(detail === undefined ? [] : [detail]),
      ...(isFirst ? [] : [`It has been ringing since ${isoTime(told.firedAt)}.`]),
      `When you look after it: explorerio alerts ack ${integration} ${slug}`,
    ].join('\n'),
    facts: { ...factsOf(item), since: isoTime(told.firedAt) },
  };
}

/** Tells those who were told that an alert rings that it does not any more. */
export function ended(item: AlertItem, told: Told, now: number, reason: EndReason): Notification {
  const { integration, name } = item;
  const seen = valuesText(item.values);
  const why = reason === 'ceased' ? (seen === '' ? 'it does not hold any more' : seen) : END_REASONS[reason];
  return {
    ...about(item, now),
    id: `resolved/${episode(item, told)}`,
    kind: 'resolved',
    severity: 'info',
    title: `${integration}: ${name} is over`,
    text: `${conditionText(item)}: ${why}\nIt rang since ${isoTime(told.firedAt)}.`,
    facts: { ...factsOf(item), since: isoTime(told.firedAt), reason },
  };
}

function episode({ integration, slug }: AlertItem, { firedAt }: Told): string {
  return `alert/${integration}/${slug}/${firedAt}`;
}

function about({ integration }: AlertItem, at: number): Pick<Notification, 'integration' | 'at'> {
  return { integration, at: isoTime(at) };
}

function factsOf({ name, condition, values }: AlertItem): Notification['facts'] {
  return { alert: name, condition, ...values };
}

function conditionText({ condition, duration }: AlertItem): string {
  return duration === 0 ? condition : `${condition} (${printLengthOfTime(duration)})`;
}

/** Values as a part of a sentence: `error_rate is 0.08`. */
export function valuesText(values: AlertValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} is ${valueText(name, value)}`)
    .join(', ');
}

function valueText(name: string, value: number | string): string {
  if (typeof value === 'string') return `'${value}'`;
  if (isIdentifier(name) && identifier(name satisfies IdentifierName).type === 'duration') {
    return printLengthOfTime(Math.round(value));
  }
  return String(Number(value.toPrecision(3)));
}
