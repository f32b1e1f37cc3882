import fc from 'fast-check';
import {
  type CursorProgress,
  cursorState,
  type Mark,
  NOTHING_READ,
  nextProgress,
  progressPosition,
  startMark,
} from '../../../../../lib/connectors/shared/sql/cursor-progress';
import type { OpenTransactions } from '../../../../../lib/connectors/shared/sql/open-transactions';
import { MAX_POSITION_BYTES } from '../../../../../lib/core/position';

const mark = (value: number): Mark => ({ value: String(value), count: '1', hash: '0' });
const open = (...ids: string[]): OpenTransactions => ({ ids });

describe('progress of a cursor', () => {
  it('moves to the newest value when nothing is open', () => {
    const progress = nextProgress(NOTHING_READ, mark(5), open());
    expect(progress).toEqual({ low: mark(5), high: mark(5), open: open() });
    expect(startMark(progress, open('1'))).toEqual(mark(5));
  });

  it('starts at the newest while what was open stays open, and where that began when it ended', () => {
    const settled = nextProgress(NOTHING_READ, mark(5), open());
    const waiting = nextProgress(settled, mark(9), open('a', 'b'));
    expect(startMark(waiting, open('a', 'b', 'c'))).toEqual(mark(9));
    expect(startMark(waiting, open('b'))).toEqual(mark(5));
    const half = nextProgress(waiting, mark(12), open('b', 'c'));
    expect(startMark(half, open('b', 'c'))).toEqual(mark(12));
    const passed = nextProgress(half, mark(15), open('c'));
    expect(passed).toMatchObject({ low: mark(9), high: mark(15), anchor: { mark: mark(15), open: open('c') } });
  });

  it('keeps its place when too many are open to be listed, and fits into a position', () => {
    const many = open(...Array.from({ length: 150 }, (_, index) => `${index}/12345678901234`));
    const listed = nextProgress(nextProgress(NOTHING_READ, mark(1), open()), mark(9), many);
    expect(JSON.stringify(progressPosition(listed)).length).toBeLessThan(MAX_POSITION_BYTES);
    const tooMany = nextProgress(listed, mark(20), open(...many.ids, 'x'));
    expect(tooMany).toMatchObject({ low: mark(1), high: mark(1), open: open() });
    expect(nextProgress(tooMany, mark(30), open())).toEqual({ low: mark(30), high: mark(30), open: open() });
  });

  it('starts low on a standby until all that ran have ended', () => {
    const waiting = nextProgress(nextProgress(NOTHING_READ, mark(1), open()), mark(5), {
      ids: [],
      until: '110',
      oldest: '100',
    });
    expect(startMark(waiting, open())).toEqual(mark(1));
    const still = nextProgress(waiting, mark(7), { ids: [], until: '120', oldest: '105' });
    expect(still.low).toEqual(mark(1));
    const passed = nextProgress(still, mark(8), { ids: [], until: '130', oldest: '115' });
    expect(passed.low).toEqual(mark(5));
  });

  it('is read back from its position', () => {
    expect(cursorState(progressPosition(NOTHING_READ))).toEqual({ progress: NOTHING_READ });
    expect(cursorState(undefined)).toEqual({ progress: NOTHING_READ });
  });

  // A model of a server: transactions begin, take a value, and commit or not at any later time; a reader syncs between.
  it('never misses a row, whatever the order of begin, write, commit and sync', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('begin' as const) }),
      fc.record({ do: fc.constant('write' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('commit' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('sync' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new ModelServer();
        for (const one of steps) {
          if (one.do === 'begin') server.begin();
          else if (one.do === 'write') server.write(one.which);
          else if (one.do === 'commit') server.commit(one.which);
          else server.sync();
        }
        server.sync();
        expect([...server.read].sort()).toEqual(server.committed.map((row) => row.id).sort());
      }),
      { numRuns: 2000 },
    );
  });
});

interface ModelRow {
  readonly id: string;
  readonly value: number;
}

/** Rows carry the time at which their transaction began, as `now()` does. */
class ModelServer {
  readonly committed: ModelRow[] = [];
  readonly read = new Set<string>();
  #open = new Map<string, { readonly began: number; readonly rows: ModelRow[] }>();
  #clock = 0;
  #progress: CursorProgress = NOTHING_READ;

  begin(): void {
    this.#clock++;
    this.#open.set(`t${this.#clock}`, { began: this.#clock, rows: [] });
  }

  write(which: number): void {
    const [id, transaction] = this.#pick(which);
    transaction?.rows.push({ id: `${id}-${transaction.rows.length}`, value: transaction.began });
  }

  commit(which: number): void {
    const [id, transaction] = this.#pick(which);
    if (transaction) this.committed.push(...transaction.rows);
    this.#open.delete(id);
  }

  sync(): void {
    const newest = Math.max(...this.committed.map((row) => row.value));
    const left: OpenTransactions = { ids: [...this.#open.keys()] };
    const start = startMark(this.#progress, left);
    for (const row of this.committed) if (start === null || row.value >= Number(start.value)) this.read.add(row.id);
    const newestMark = this.committed.length === 0 ? null : mark(newest);
    this.#progress = JSON.parse(JSON.stringify(nextProgress(this.#progress, newestMark, left))) as CursorProgress;
  }

  #pick(which: number) {
    const entries = [...this.#open];
    return entries[which % Math.max(1, entries.length)] ?? (['', undefined] as const);
  }
}
