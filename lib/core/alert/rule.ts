import { createHash } from 'node:crypto';
import { Fault, type FieldIssue } from '../fault';
import type { IntegrationDocument } from '../integration';
import { type Condition, isWindow, parseCondition } from './condition';
import { parseLengthOfTime } from './length-of-time';

/** An alert as it stands in a document. */
export interface AlertFields {
  readonly name: string;
  readonly condition: string;
  readonly duration?: string | undefined;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly notification_channels?: readonly string[] | undefined;
}

/** An alert that was checked. */
export interface AlertRule {
  readonly name: string;
  /** Unique within its integration: the letters and digits of the name, joined by `-`. */
  readonly slug: string;
  readonly text: string;
  readonly condition: Condition;
  /** Seconds; 0 where the document does not say. */
  readonly duration: number;
  readonly severity: AlertFields['severity'];
  readonly channels: readonly string[];
}

/** How often the state of integrations is looked at, in seconds. */
export const CHECK_SECONDS = 300;
/** The longest `duration`, in seconds: CloudWatch looks back no further. */
export const LONGEST_DURATION = 86_400;
const DURATION_STEP = 60;
const LONGEST_SLUG = 64;

/** Everything that is wrong in the alerts of a document. */
export function alertIssues(alerts: readonly AlertFields[] | undefined): readonly FieldIssue[] {
  const seen = new Map<string, number>();
  return (alerts ?? []).flatMap((alert, index) => {
    const path = `alerts[${index}]`;
    const slug = slugOf(alert.name);
    const before = seen.get(slug);
    seen.set(slug, index);
    const issues = [...conditionIssues(alert, path), ...durationIssues(alert, path)];
    if (slug === '') issues.push({ path: `${path}.name`, message: 'needs a letter from a to z or a digit' });
    else if (before !== undefined) {
      issues.push({
        path: `${path}.name`,
        message: `is the same as that of alerts[${before}], but for signs and case`,
      });
    }
    return issues;
  });
}

function conditionIssues({ condition }: AlertFields, path: string): FieldIssue[] {
  try {
    parseCondition(condition);
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.issues === undefined) throw error;
    return error.issues.map(({ message }) => ({ path: `${path}.condition`, message }));
  }
}

function durationIssues({ duration }: AlertFields, path: string): FieldIssue[] {
  if (duration === undefined) return [];
  const wrong = (message: string) => [{ path: `${path}.duration`, message }];
  const seconds = parseLengthOfTime(duration);
  if (seconds === undefined) return wrong(`"${duration}" is no length of time; write "5m", "2h" or "1h30m"`);
  if (seconds === 0 || seconds % DURATION_STEP !== 0) return wrong('must be a multiple of 60 s, such as "5m"');
  return seconds > LONGEST_DURATION ? wrong('must be at most one day ("1d")') : [];
}

/** The alerts of a document that was checked. Those of one that was stored by another version and is wrong now are left out. */
export function alertRules(document: IntegrationDocument): readonly AlertRule[] {
  const alerts = (document.alerts ?? []) as unknown as readonly AlertFields[];
  const wrong = new Set(alertIssues(alerts).map(({ path }) => path.slice(0, path.indexOf('.'))));
  return alerts.filter((_, index) => !wrong.has(`alerts[${index}]`)).map(ruleOf);
}

function ruleOf({ name, condition, duration, severity, notification_channels: channels = [] }: AlertFields): AlertRule {
  return {
    name,
    slug: slugOf(name),
    text: condition,
    condition: parseCondition(condition),
    duration: duration === undefined ? 0 : (parseLengthOfTime(duration) ?? 0),
    severity,
    channels,
  };
}

function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_SLUG)
    .replace(/^-|-$/g, '');
  return plain === '' ? `alert-${createHash('sha256').update(name).digest('hex').slice(0, 8)}` : plain;
}

/** The length of time that a rule of the scope `window` looks at, in seconds. */
export function windowOf({ duration }: AlertRule): number {
  return Math.max(CHECK_SECONDS, duration);
}

/** Whether a rule is about what runs did within its length of time, not about how things stand. */
export function isWindowRule({ condition }: AlertRule): boolean {
  return isWindow(condition);
}
