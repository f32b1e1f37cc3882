import { Op, type Row } from '../../lib/core/batch';
import { LogDatabase } from './log-database';
import type { RunningSource } from './source-reading';

const ITEMS = 'items';
const LARGE = 'large';
const PIECE = 4096;
const FILLING = 'x'.repeat(PIECE);

/** A {@link LogDatabase} as the suite wants it. */
export function logFixture(database = new LogDatabase()): RunningSource {
  database.create(ITEMS, []);
  let writes = 0;
  const rowOf = (id: number): Row => [id, `text ${id}, ${++writes}`.padEnd(50)];
  const put = (op: number, ids: readonly number[]) =>
    ids
      .filter((id) => op === Op.Insert || database.table(ITEMS).rows.has(id))
      .map((id) => database.write(ITEMS, op, rowOf(id)));
  return {
    config: {},
    required: [],
    secrets: [],
    expected: database.table(ITEMS).schema,
    cursor: '',
    wrongPassword: notNeeded,
    closedPort: notNeeded,
    async seed(count) {
      database.create(
        ITEMS,
        Array.from({ length: count }, (_, index) => rowOf(index + 1)),
      );
      return [...database.table(ITEMS).rows.values()];
    },
    insert: async (ids) => put(Op.Insert, ids),
    update: async (ids) => put(Op.Update, ids),
    remove: async (ids) => void put(Op.Delete, ids),
    addColumn: async (name) => database.addColumn(ITEMS, name),
    async seedLarge(bytes) {
      database.create(
        LARGE,
        Array.from({ length: Math.ceil(bytes / PIECE) }, (_, index) => [index, FILLING]),
      );
      return LARGE;
    },
    async insertLate(ids) {
      const began = database.log.length;
      return () => database.together(async () => put(Op.Insert, ids), began);
    },
    openConnections: async () => database.connections,
    changes: {
      async changeKey(from, to) {
        return database.together(async () => {
          put(Op.Delete, [from]);
          return database.write(ITEMS, Op.Insert, rowOf(to));
        });
      },
      truncate: async () => database.truncate(ITEMS),
      together: (work) => database.together(work),
      async rewriteLarge() {
        const ids = [...database.table(LARGE).rows.keys()];
        await database.together(async () => ids.map((id) => database.write(LARGE, Op.Update, [id, FILLING])));
      },
      loseLog: async () => database.followers.clear(),
      kept: async () => [...database.followers.keys()],
    },
    stop: async () => undefined,
  };
}

function notNeeded(): never {
  throw new Error('only what is said of feeds is asked of it');
}
