import type { QuarantinedRecord, QuarantineList, ReplayResult } from '../wire';
import { count, plain, plural, shorten, time } from './format';
import { table } from './table';

type Outcomes = ReplayResult['outcomes'];

const RECORD_WIDTH = 100;
const REASON_WIDTH = 200;
const MOST_SHOWN = 50;

/** Quarantined records, one a line. */
export function recordTable({ records }: QuarantineList): string {
  return table(
    ['id', 'at', 'stream', 'field', 'reason', 'record'].map((title) => ({ title })),
    records.map((one) => [
      one.id,
      time(one.at),
      one.stream,
      one.field ?? '-',
      one.reason,
      shorten(JSON.stringify(one.record), RECORD_WIDTH),
    ]),
  );
}

/** One quarantined record whole. */
export function recordText(one: QuarantinedRecord): string {
  const lines: [string, string][] = [
    ['record', one.id],
    ['stream', one.stream],
    ['put there', time(one.at)],
    ['operation', one.op],
    ['run', one.run],
    ['came from', one.load === undefined ? one.partition : `part ${one.partition} of the full load ${one.load}`],
    ['configuration', one.configuration ?? '-'],
    ...one.reasons.map((reason): [string, string] => ['reason', reasonText(reason)]),
    ...(one.edited ? [['edited', `${one.edited.fields.join(', ')} (${time(one.edited.at)})`] as [string, string]] : []),
    ...(one.problem === undefined ? [] : [['cannot be replayed', one.problem] as [string, string]]),
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  const head = lines.map(([title, value]) => `${title.padEnd(width)}  ${plain(value)}`);
  const names = Object.keys(one.record);
  const nameWidth = Math.max(0, ...names.map((name) => plain(name).length));
  const fields = names.map((name) => `  ${plain(name).padEnd(nameWidth)}  ${plain(JSON.stringify(one.record[name]))}`);
  return [...head, '', ...fields].join('\n');
}

function reasonText({ message, field, rule }: QuarantinedRecord['reasons'][number]): string {
  const where = [...(field === undefined ? [] : [field]), ...(rule === undefined ? [] : [rule])].join(', ');
  return where === '' ? message : `${message} (${where})`;
}

/** What an edit came to. */
export function editText(one: QuarantinedRecord): string {
  return `${recordText(one)}\n\nIt stays in quarantine until it is replayed.`;
}

const STATES: { readonly [state in Outcomes[number]['state']]: string } = {
  loaded: 'loaded',
  failed: 'failed again',
  superseded: 'superseded by newer versions',
  postponed: 'postponed',
  left_out: 'left out by a filter',
};

/** How many came to what. */
export function countsText(outcomes: Outcomes): string {
  const parts = Object.entries(STATES).flatMap(([state, text]) => {
    const found = outcomes.filter((one) => one.state === state).length;
    return found === 0 ? [] : [`${count(found)} ${text}`];
  });
  return `${plural(outcomes.length, 'record')}: ${parts.join(', ')}`;
}

/** What became of each record that was replayed; of many, those that were not loaded come first. */
export function replayText(outcomes: Outcomes, dryRun: boolean): string {
  if (outcomes.length === 0) return 'No such record is in quarantine.';
  const order = [...outcomes.filter(({ state }) => state !== 'loaded'), ...outcomes.filter(isLoaded)];
  const shown = order.slice(0, MOST_SHOWN);
  const rows = shown.map(({ id, stream, state, reasons }) => [
    id,
    stream,
    STATES[state],
    shorten(reasons.map(reasonText).join('; '), REASON_WIDTH) || '-',
  ]);
  const titles = ['id', 'stream', dryRun ? 'would be' : 'outcome', 'reason'].map((title) => ({ title }));
  const left = outcomes.length - shown.length;
  const rest = left > 0 ? [`and ${count(left)} more: see them with --json`] : [];
  const head = dryRun ? 'Nothing was changed. ' : '';
  return [table(titles, rows), ...rest, '', `${head}${countsText(outcomes)}`].join('\n');
}

function isLoaded({ state }: Outcomes[number]): boolean {
  return state === 'loaded';
}
