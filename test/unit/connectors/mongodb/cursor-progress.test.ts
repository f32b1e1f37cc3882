import { cursorKind } from '../../../../lib/connectors/mongodb/cursor-kind';
import {
  type CursorState,
  Follower,
  NOTHING_READ,
  type Progress,
} from '../../../../lib/connectors/mongodb/cursor-progress';
import type { StreamSchema } from '../../../../lib/core/schema';

const schema = (native: string): StreamSchema => ({
  stream: 's',
  key: ['_id'],
  columns: [{ name: 'at', type: 'timestamptz', nullable: true, native }],
});
const kind = (native: string) => cursorKind(schema(native), { column: 'at', lookbackMs: 0 });
const date = (milliseconds: number) => `{"$date":{"$numberLong":"${milliseconds}"}}`;
const NOON = Date.UTC(2024, 0, 1, 12);
const fine = (offset: number) => NOON + 1001 + offset;

/** Follows documents named by their numbers; gives the new ones and the progress. */
function follow(state: CursorState, documents: readonly (readonly [id: number, at: number])[], horizon: number) {
  const follower = new Follower(state, kind('mongodb/date'), horizon);
  const given = documents.filter(([id, at]) => follower.isNew(Buffer.from(`document ${id}`), date(at)));
  return { given: given.map(([id]) => id), next: follower.next };
}

const reading = (progress: Progress): CursorState => ({ progress });

describe('the progress of increments', () => {
  it('settles what is older than the horizon, and knows the rest by its content', () => {
    const first = follow(
      reading(NOTHING_READ),
      [
        [1, fine(0)],
        [2, fine(5)],
        [3, fine(50)],
      ],
      fine(10),
    );
    expect(first.given).toEqual([1, 2, 3]);
    expect(first.next.low).toBe(date(fine(5)));
    expect(first.next.seen).toHaveLength(1);
    const late = follow(
      reading(first.next),
      [
        [4, fine(20)],
        [3, fine(50)],
      ],
      fine(60),
    );
    expect(late.given).toEqual([4]);
    expect(late.next).toEqual({ low: date(fine(50)), seen: [] });
  });

  it('does not settle the hour, the minute or the day that is not over', () => {
    for (const at of [NOON, NOON + 60_000, NOON + 1000, Date.UTC(2024, 0, 1)]) {
      expect(follow(reading(NOTHING_READ), [[1, at]], at + 500).next.low).toBeNull();
      expect(follow(reading(NOTHING_READ), [[1, at]], at + 86_400_000).next.low).toBe(date(at));
    }
  });

  it('settles nothing behind a value that is open, also when it is resumed', () => {
    const documents = [
      [1, NOON],
      [2, fine(0)],
    ] as const;
    const horizon = fine(100);
    const whole = follow(reading(NOTHING_READ), documents, horizon);
    expect(whole.next.low).toBeNull();
    const half = follow(reading(NOTHING_READ), documents.slice(0, 1), horizon);
    const inside = { at: { cursor: date(NOON), id: '1' }, next: half.next, horizon };
    expect(follow({ progress: NOTHING_READ, inside }, documents.slice(1), 0).next).toEqual(whole.next);
  });

  it('gives up hashes above a number, and then gives all again', () => {
    const documents = Array.from({ length: 300 }, (_, index) => [index, fine(index)] as const);
    const { next } = follow(reading(NOTHING_READ), documents, 0);
    expect(next).toEqual({ low: null, seen: null });
    expect(follow(reading(next), documents, 0).given).toHaveLength(300);
  });

  it('keeps those with the last number, as another may get it', () => {
    const follower = new Follower(reading(NOTHING_READ), kind('mongodb/long'), null);
    for (const n of [1, 2, 2]) follower.isNew(Buffer.from(String(n)), `{"$numberLong":"${n}"}`);
    expect(follower.next.low).toBe('{"$numberLong":"2"}');
    expect(follower.next.seen).toHaveLength(2);
  });

  it('settles an ObjectId when its second is over', () => {
    const id = `{"$oid":"${(1000).toString(16).padStart(8, '0')}${'0'.repeat(16)}"}`;
    expect(kind('mongodb/objectId').isSettled(id, 1_000_999)).toBe(false);
    expect(kind('mongodb/objectId').isSettled(id, 1_001_000)).toBe(true);
  });

  it('refuses a field that has no order', () => {
    expect(() => kind('mongodb/json')).toThrow(expect.objectContaining({ code: 'cursor_without_order' }));
  });
});
