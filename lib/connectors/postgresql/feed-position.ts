import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import { type Lsn, lsnText, parseLsn } from './lsn';

/** Where a feed stands: all transactions that were committed before `lsn` are read, and a part of the next. */
export interface FeedPosition {
  readonly lsn: Lsn;
  readonly within?: {
    /** Where that transaction is committed, which names it. */
    readonly commit: Lsn;
    /** The place of the last change that was read. */
    readonly change: Lsn;
    /** How many changes of this very place were read. */
    readonly seen: number;
  };
}

const FORMAT = 1;

/** The position as it is stored. */
export function feedPosition({ lsn, within }: FeedPosition): Position {
  const part = within && { commit: lsnText(within.commit), change: lsnText(within.change), seen: within.seen };
  return { format: FORMAT, value: { lsn: lsnText(lsn), ...(part && { within: part }) } };
}

interface Stored {
  readonly lsn: string;
  readonly within?: { readonly commit: string; readonly change: string; readonly seen: number };
}

/** A stored position. @throws Fault `lost` for one of another version */
export function parseFeedPosition({ format, value }: Position): FeedPosition {
  if (format !== FORMAT) {
    throw new Fault(
      'lost',
      'position_format',
      `the stored position has format ${format}, which this version cannot read`,
    );
  }
  const { lsn, within } = value as unknown as Stored;
  return {
    lsn: parseLsn(lsn),
    ...(within && {
      within: { commit: parseLsn(within.commit), change: parseLsn(within.change), seen: within.seen },
    }),
  };
}
