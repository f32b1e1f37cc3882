import type { Cursor } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Column, StreamSchema } from '../../core/schema';
import { bracketOf } from './id-order';

/** How the values of a cursor are ordered, and when they can be relied on. */
export interface CursorKind {
  /** Their bracket in BSON's order. */
  readonly bracket: number;
  /** They tell a time, so that the server's clock bounds them. */
  readonly isTime: boolean;
  /**
   * No document with this value or a smaller one can come any more, when all that was written up to `horizon`
   * (milliseconds) is there. Of values that do not tell a time nobody knows whether an equal one comes.
   */
  isSettled(cursor: string, horizon: number | null): boolean;
}

const GRANULES_MS = [86_400_000, 3_600_000, 60_000, 1000];

/** A date without time is that of the whole day, a full hour may be that of the hour, and so on. */
function endOf(milliseconds: number): number {
  return milliseconds + (GRANULES_MS.find((granule) => milliseconds % granule === 0) ?? 1);
}

const DATE: CursorKind = {
  bracket: bracketOf('{"$date":{"$numberLong":"0"}}'),
  isTime: true,
  isSettled: (cursor, horizon) => horizon !== null && endOf(Number(/-?\d+/.exec(cursor)?.[0])) <= horizon,
};
const OBJECT_ID: CursorKind = {
  bracket: bracketOf(`{"$oid":"${'0'.repeat(24)}"}`),
  isTime: true,
  // The first four bytes are seconds.
  isSettled: (cursor, horizon) => horizon !== null && Number(`0x${cursor.slice(9, 17)}`) * 1000 <= horizon - 1000,
};
const NUMBER: CursorKind = { bracket: bracketOf('{"$numberInt":"0"}'), isTime: false, isSettled: () => true };

const KINDS: { readonly [native: string]: CursorKind } = {
  'mongodb/date': DATE,
  'mongodb/objectId': OBJECT_ID,
  'mongodb/long': NUMBER,
  'mongodb/double': NUMBER,
  'mongodb/decimal': NUMBER,
};

/** The kind of a stream's cursor. @throws Fault `config`/`cursor_without_order` */
export function cursorKind(schema: StreamSchema, { column }: Cursor): CursorKind {
  const found: Column | undefined = schema.columns.find(({ name }) => name === column);
  const kind = found && KINDS[found.native];
  if (kind) return kind;
  const type = found ? `is ${found.native.replace('mongodb/', '')}` : 'is not there';
  throw new Fault('config', 'cursor_without_order', `reading ${schema.stream}: field ${column} ${type}`, {
    hint: 'Choose a field with dates or numbers by sync_strategy.timestamp_field or the stream\'s "cursor".',
  });
}
