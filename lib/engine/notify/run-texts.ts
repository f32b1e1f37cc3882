import type { FaultRecord } from '../../core/fault';
import type { SchemaPolicy } from '../../core/integration';
import type { Notification } from '../../core/notification';
import type { RunState } from '../../core/run';
import type { RunItem } from '../state';
import { hashOf } from './outbox';

/** How the runs of an integration went up to the last one that was looked at. */
export interface Row {
  readonly lastRun: string;
  /** Failures without a success in between, and of how many of them somebody was told. */
  readonly failures: number;
  readonly told: number;
  /** When the first of them ended, and when somebody was told last. */
  readonly since?: number;
  readonly toldAt?: number;
}

/** What of one stream of a run may be told. */
export interface StreamNews {
  readonly stream: string;
  readonly state: RunState;
  readonly changes: readonly string[];
  /** What the document says about changes of its shape. */
  readonly policy: SchemaPolicy;
  readonly quarantined: number;
  readonly skipped: number;
  readonly fault?: FaultRecord;
}

/** What of a document decides who is told. */
export interface Wishes {
  /** Of records that could not be loaded. */
  readonly tellsQuarantine: boolean;
  readonly dayMs: number;
}

interface News {
  readonly notifications: readonly Notification[];
  readonly row: Row;
}

const LISTED = 20;

/** What is told of a run that has ended, and the row with it. */
export function newsOf(row: Row, run: RunItem, streams: readonly StreamNews[], wishes: Wishes): News {
  const next = { ...row, lastRun: run.id };
  const schema = schemaNews(run, streams);
  const also = [...schema, ...(wishes.tellsQuarantine ? quarantineNews(run, streams) : [])];
  if (run.state === 'cancelled') return { notifications: also, row: next };
  if (run.state === 'succeeded') {
    const { since: _since, toldAt: _toldAt, ...calm } = next;
    const resolved = row.told > 0 ? [resolvedNews(row, run)] : [];
    return { notifications: [...also, ...resolved], row: { ...calm, failures: 0, told: 0 } };
  }
  const failing = { ...next, failures: row.failures + 1, since: row.since ?? endOf(run) };
  if (!isToBeTold(failing, run, wishes)) return { notifications: also, row: failing };
  const told = { ...failing, told: failing.failures, toldAt: endOf(run) };
  // That a stream stopped as its shape changed is told as that.
  const faults = streams.filter(({ state }) => state === 'failed').map(({ fault }) => fault?.code);
  const isSchemaOnly = failing.failures === 1 && faults.length > 0 && faults.every((code) => code === 'schema_changed');
  return { notifications: isSchemaOnly ? also : [...also, failedNews(row, failing, run, streams)], row: told };
}

/** The first of a row, and then by growing distance; but a day is not let pass. */
function isToBeTold({ failures, toldAt }: Row, run: RunItem, { dayMs }: Wishes): boolean {
  return Number.isInteger(Math.log2(failures)) || (toldAt !== undefined && endOf(run) - toldAt >= dayMs);
}

function failedNews(before: Row, row: Row, run: RunItem, streams: readonly StreamNews[]): Notification {
  const failed = streams.filter((stream) => stream.fault !== undefined && stream.state === 'failed');
  const isPartial = run.state === 'partial';
  const what = isPartial ? `${failed.length} of ${streams.length} streams were not synced` : 'the sync failed';
  const often = row.failures === 1 ? '' : `, for the ${ordinal(row.failures)} time in a row`;
  const faults = failed.length === 0 && run.fault ? [faultLines(run.fault)] : failed.slice(0, LISTED).map(streamLines);
  const hidden = failed.length - LISTED;
  return {
    ...about(run, 'run_failed'),
    id: `run_failed/${run.id}`,
    severity: isPartial ? 'warning' : 'critical',
    title: `${run.integration}: ${what}${often}`,
    text: [
      ...new Set(faults),
      ...(hidden > 0 ? [`and ${hidden} more streams`] : []),
      ...(row.failures > 1 && row.since !== undefined ? [`No sync has succeeded since ${iso(row.since)}.`] : []),
      `See the run with: explorerio run ${run.id}`,
    ].join('\n'),
    facts: { failures_in_a_row: row.failures, runs: row.failures - before.told, trigger: run.trigger },
  };
}

function streamLines({ stream, fault }: StreamNews): string {
  return fault === undefined ? stream : `${stream}: ${faultLines(fault)}`;
}

function faultLines({ message, hint }: FaultRecord): string {
  return hint === undefined ? message : `${message}\n  ${hint}`;
}

function resolvedNews({ failures, told, since }: Row, run: RunItem): Notification {
  const times = failures === 1 ? 'one failed sync' : `${failures} failed syncs`;
  return {
    ...about(run, 'resolved'),
    id: `resolved/run_failed/${run.id}`,
    severity: 'info',
    title: `${run.integration}: syncs succeed again`,
    text: `After ${times}${since === undefined ? '' : ` since ${iso(since)}`} the last one has succeeded: ${run.rows} rows.\nNothing is to be done.`,
    facts: { failures_in_a_row: failures, runs: failures - told },
  };
}

function quarantineNews(run: RunItem, streams: readonly StreamNews[]): Notification[] {
  const bad = streams.filter(({ quarantined, skipped }) => quarantined + skipped > 0);
  if (bad.length === 0) return [];
  const total = bad.reduce((sum, { quarantined, skipped }) => sum + quarantined + skipped, 0);
  const lines = bad.slice(0, LISTED).map(({ stream, quarantined, skipped }) => {
    const parts = [quarantined > 0 ? `${quarantined} in quarantine` : '', skipped > 0 ? `${skipped} left out` : ''];
    return `${stream}: ${parts.filter((part) => part !== '').join(', ')}`;
  });
  return [
    {
      ...about(run, 'quarantine'),
      id: `quarantine/${run.id}`,
      severity: 'warning',
      title: `${run.integration}: ${total} record${total === 1 ? '' : 's'} could not be loaded`,
      text: [
        ...lines,
        ...(bad.length > LISTED ? [`and ${bad.length - LISTED} more streams`] : []),
        `${run.rows} rows were loaded. See the records and why with: explorerio quarantine ${run.integration}`,
      ].join('\n'),
      facts: { quarantined: run.quarantined, skipped: run.skipped ?? 0, rows: run.rows },
    },
  ];
}

function schemaNews(run: RunItem, streams: readonly StreamNews[]): Notification[] {
  return streams.flatMap((news): Notification[] => {
    const { stream, changes, fault } = news;
    if (fault?.code === 'schema_changed') return [pausedNews(run, news, fault)];
    if (changes.length === 0) return [];
    if (news.policy === 'quarantine') return [keptNews(run, news)];
    return [
      {
        ...about(run, 'schema_change'),
        id: `schema_change/${run.id}/${stream}`,
        severity: 'info',
        stream,
        title: `${run.integration}: the shape of ${stream} has changed`,
        text: `${listed(changes)}\nIt was followed as schema_changes says. Look whether what reads the table minds.`,
        facts: { changes: changes.length },
      },
    ];
  });
}

/** Told once for a change, however often it stops a run. */
function pausedNews(run: RunItem, { stream, changes }: StreamNews, fault: FaultRecord): Notification {
  const what = changes.length > 0 ? listed(changes) : fault.message;
  return {
    ...about(run, 'schema_change'),
    id: `schema_change/${run.integration}/${stream}/${hashOf(what)}`,
    severity: 'warning',
    stream,
    title: `${run.integration}: ${stream} waits, as its shape has changed`,
    text: fault.hint === undefined ? what : `${what}\n${fault.hint}`,
    facts: { changes: changes.length },
  };
}

/** Told once for a change: each run finds it again until it is accepted. */
function keptNews(run: RunItem, { stream, changes }: StreamNews): Notification {
  const what = listed(changes);
  return {
    ...about(run, 'schema_change'),
    id: `schema_change/${run.integration}/${stream}/${hashOf(what)}`,
    severity: 'warning',
    stream,
    title: `${run.integration}: the shape of ${stream} has changed, and is kept as it was`,
    text: `${what}\nRecords that do not fit the accepted shape go to quarantine. Accept the new one with: explorerio schema accept ${run.integration} ${stream}`,
    facts: { changes: changes.length },
  };
}

function listed(changes: readonly string[]): string {
  const hidden = changes.length - LISTED;
  return [...changes.slice(0, LISTED), ...(hidden > 0 ? [`and ${hidden} more changes`] : [])].join('\n');
}

function about(run: RunItem, kind: Notification['kind']): Pick<Notification, 'kind' | 'integration' | 'run' | 'at'> {
  return { kind, integration: run.integration, run: run.id, at: iso(endOf(run)) };
}

function endOf(run: RunItem): number {
  return run.finishedAt ?? run.createdAt;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function ordinal(count: number): string {
  const tens = count % 100;
  const suffix = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${suffix}`;
}
