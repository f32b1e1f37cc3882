import type { StreamInfo } from '../core/connector';
import type { IntegrationFields } from '../core/integration';

/** Which column orders the increments of a stream, and why; without a column the stream is read fully each time. */
export interface CursorChoice {
  readonly column?: string;
  readonly reason: string;
  readonly warnings: readonly string[];
  /** The document names a column that cannot serve. */
  readonly problem?: string;
}

/**
 * Names that by custom hold the time of the last change, best first. A creation time or a serial key is never chosen by
 * itself: an update would not move it, and would be missed.
 */
const CUSTOMARY = [
  'updated_at',
  'modified_at',
  'last_modified_at',
  'last_updated_at',
  'changed_at',
  'last_modified',
  'last_updated',
  'last_update',
  'modified_on',
  'updated_on',
  'modified_date',
  'updated_date',
  'update_time',
  'modification_time',
  'date_modified',
  'date_updated',
  'modified',
  'updated',
  'mtime',
  'updatedat',
  'modifiedat',
  'systemmodstamp',
  'row_version',
  'rowversion',
];

/**
 * Chooses by these rules: the stream's own `cursor`, else the source's own order of changes, else
 * `sync_strategy.timestamp_field`, else the customary names.
 */
export function chooseCursor(info: StreamInfo, fields: IntegrationFields): CursorChoice {
  const own = fields.streams?.[info.schema.stream]?.cursor;
  if (own !== undefined) return named(info, own, `streams.${info.schema.stream}.cursor names it`);
  const sequence = info.cursors.find((candidate) => candidate.sequence);
  if (sequence) return described(info, sequence.column, "it is the source's own order of changes");
  const general = fields.sync_strategy?.timestamp_field;
  if (general !== undefined && info.schema.columns.some((column) => column.name === general)) {
    return named(info, general, 'sync_strategy.timestamp_field names it');
  }
  const customary = chooseCustomary(info);
  if (customary !== undefined)
    return described(info, customary, `"${customary}" is by its name the time of the last change`);
  const absent =
    general === undefined ? 'no column is by its name the time of the last change' : `it has no column "${general}"`;
  return {
    reason: `read fully each time: ${absent}`,
    warnings: ['no cursor: every sync reads the whole stream; name one in sync_strategy.timestamp_field or streams'],
  };
}

function chooseCustomary(info: StreamInfo): string | undefined {
  const ranked = info.cursors
    .map((candidate) => ({ candidate, rank: CUSTOMARY.indexOf(candidate.column.toLowerCase()) }))
    .filter(({ rank }) => rank >= 0);
  ranked.sort(
    (left, right) =>
      Number(left.candidate.nullable) - Number(right.candidate.nullable) ||
      Number(right.candidate.indexed) - Number(left.candidate.indexed) ||
      left.rank - right.rank,
  );
  return ranked[0]?.candidate.column;
}

function named(info: StreamInfo, column: string, why: string): CursorChoice {
  if (info.cursors.some((candidate) => candidate.column === column)) return described(info, column, why);
  const known = info.schema.columns.some((candidate) => candidate.name === column);
  const problem = known
    ? `column "${column}" of ${info.schema.stream} has a type that cannot order increments`
    : `${info.schema.stream} has no column "${column}"`;
  return { reason: problem, warnings: [], problem };
}

function described(info: StreamInfo, column: string, why: string): CursorChoice {
  const facts = info.cursors.find((candidate) => candidate.column === column);
  const warnings: string[] = [];
  if (facts?.nullable) warnings.push(`cursor "${column}" may be null: rows without it are read again each time`);
  if (facts && !facts.indexed) warnings.push(`cursor "${column}" has no index: every increment scans the whole table`);
  if (facts?.coarse)
    warnings.push(`cursor "${column}" is coarse: rows of the last value are compared, and read again when they differ`);
  if (info.schema.key.length === 0) {
    warnings.push(
      'no key: an updated row arrives as a new row beside its older version; add a primary key or read it fully',
    );
  }
  return { column, reason: `by "${column}": ${why}`, warnings };
}
