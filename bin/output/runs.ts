import type { Run, RunDetails, StreamRun } from '../wire';
import { bytes, count, duration, plain, plural, time } from './format';
import { table } from './table';

/** One line that says how a run ended or stands. */
export function runLine(run: Run): string {
  const parts = [plural(run.rows, 'row'), bytes(run.bytes), duration(run.seconds)];
  if (run.quarantined > 0) parts.push(`${count(run.quarantined)} in quarantine`);
  if (run.retries > 0) parts.push(plural(run.retries, 'retry').replace('retrys', 'retries'));
  return `${run.integration}: ${run.state}, ${parts.join(', ')} (run ${run.id})`;
}

/** A run with its streams, notes and faults. */
export function runText(run: RunDetails): string {
  const parts = [runLine(run)];
  if (run.streams.length > 0) parts.push(streamTable(run.streams));
  const remarks = [
    ...faultLines(run.fault),
    ...run.streams.flatMap((stream) => streamRemarks(stream, run.fault?.message)),
    ...quarantineLines(run),
  ];
  if (remarks.length > 0) parts.push(remarks.join('\n'));
  return parts.join('\n\n');
}

function streamTable(streams: readonly StreamRun[]): string {
  const rows = streams.map((stream) => [
    stream.stream,
    stream.state,
    stream.mode,
    count(stream.rows),
    bytes(stream.bytes),
    count(stream.quarantined),
    plain(stream.reason),
  ]);
  return table(
    [
      { title: 'stream' },
      { title: 'state' },
      { title: 'mode' },
      { title: 'rows', numeric: true },
      { title: 'bytes', numeric: true },
      { title: 'quarantined', numeric: true },
      { title: 'why this mode' },
    ],
    rows,
  );
}

function quarantineLines({ integration, quarantined }: RunDetails): string[] {
  if (quarantined === 0) return [];
  return [`${plural(quarantined, 'record')} could not be loaded; see: explorerio quarantine ${integration}`];
}

function streamRemarks(stream: StreamRun, known: string | undefined): string[] {
  const texts = new Set([...stream.changes, ...stream.notes]);
  const remarks = [...texts].map((text) => `${plain(stream.stream)}: ${plain(text)}`);
  return stream.fault === undefined || stream.fault.message === known
    ? remarks
    : [...remarks, ...faultLines(stream.fault, `${plain(stream.stream)}: `)];
}

/** A fault and what to do about it. */
export function faultLines(fault: Run['fault'], prefix = ''): string[] {
  if (fault === undefined) return [];
  const hint = fault.hint === undefined ? [] : [`  hint: ${plain(fault.hint)}`];
  return [`${prefix}${plain(fault.message)} (${fault.code})`, ...hint];
}

/** Runs as a table. */
export function runsTable(runs: readonly Run[]): string {
  return table(
    [
      { title: 'run' },
      { title: 'state' },
      { title: 'trigger' },
      { title: 'created' },
      { title: 'took', numeric: true },
      { title: 'rows', numeric: true },
      { title: 'bytes', numeric: true },
      { title: 'fault' },
    ],
    runs.map((run) => [
      run.id,
      run.state,
      run.requested === undefined ? run.trigger : `${run.trigger} (${run.requested})`,
      time(run.created_at),
      duration(run.seconds),
      count(run.rows),
      bytes(run.bytes),
      run.fault?.code ?? '',
    ]),
  );
}
