import { checkKey, checkKeyPart, encodeJson, LARGEST_ITEM } from '../../core/item-limits';
import type { Json } from '../../core/json';
import type { Clock, Expected, StateItem, StateKey, StateQuery, StateStore } from '../../core/ports';
import type { StateDatabase } from './database';

interface ItemRow {
  readonly sort: string;
  readonly revision: number;
  readonly value: string;
}

// Writes between two sweeps of expired items, and the most that one sweep removes, so that none is felt.
const SWEEP_EVERY = 500;
const SWEEP_ROWS = 1000;

const LIVE = '(expires_at IS NULL OR expires_at > ?)';
const SELECT = `SELECT revision, value FROM items WHERE partition = ? AND sort = ? AND ${LIVE}`;
const INSERT =
  'INSERT INTO items (partition, sort, revision, value, expires_at) VALUES (?, ?, (SELECT revision + 1 FROM removed), ?, ?) ' +
  'ON CONFLICT (partition, sort) DO UPDATE SET revision = revision + 1, value = excluded.value, expires_at = excluded.expires_at';
const WRITE = `${INSERT} RETURNING revision`;
const CREATE = `${INSERT} WHERE items.expires_at <= ? RETURNING revision`;
const UPDATE =
  'UPDATE items SET revision = revision + 1, value = ?, expires_at = ? ' +
  `WHERE partition = ? AND sort = ? AND revision = ? AND ${LIVE} RETURNING revision`;
const DELETE = 'DELETE FROM items WHERE partition = ? AND sort = ?';
const DELETE_EXPECTED = `${DELETE} AND revision = ? AND ${LIVE}`;
const SWEEP = 'DELETE FROM items WHERE rowid IN (SELECT rowid FROM items WHERE expires_at <= ? LIMIT ?)';

/** State on SQLite. */
export class SqliteStateStore implements StateStore {
  readonly #database: StateDatabase;
  readonly #clock: Clock;
  #writes = 0;

  constructor(database: StateDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async get(key: StateKey): Promise<StateItem | undefined> {
    const doing = `reading state ${name(key)}`;
    checkKey(key, doing);
    const [row] = this.#database.all<Omit<ItemRow, 'sort'>>(doing, SELECT, key.partition, key.sort, this.#clock.now());
    return row && item(key.partition, { ...row, sort: key.sort });
  }

  async put(
    key: StateKey,
    value: Json,
    expected: Expected | undefined,
    expiresAt?: number,
  ): Promise<number | undefined> {
    const doing = `writing state ${name(key)}`;
    checkKey(key, doing);
    const text = encodeJson(value, LARGEST_ITEM, doing);
    this.#sweepNowAndThen();
    const { partition, sort } = key;
    const expiry = expiresAt ?? null;
    const now = this.#clock.now();
    const written = (sql: string, ...values: (string | number | null)[]) =>
      this.#database.all<{ readonly revision: number }>(doing, sql, ...values)[0]?.revision;
    if (expected === undefined) return written(WRITE, partition, sort, text, expiry);
    if (expected === 'absent') return written(CREATE, partition, sort, text, expiry, now);
    return written(UPDATE, text, expiry, partition, sort, expected, now);
  }

  async query(partition: string, query: StateQuery = {}): Promise<readonly StateItem[]> {
    const doing = `listing state ${partition}`;
    checkKeyPart(partition, doing);
    const conditions = ['partition = ?', LIVE];
    const values: (string | number)[] = [partition, this.#clock.now()];
    const where = (condition: string, value: string | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    where('sort >= ?', query.prefix);
    where('sort < ?', query.prefix && afterPrefix(query.prefix));
    where(query.reverse ? 'sort < ?' : 'sort > ?', query.after);
    const order = query.reverse ? 'DESC' : 'ASC';
    const sql = `SELECT sort, revision, value FROM items WHERE ${conditions.join(' AND ')} ORDER BY sort ${order} LIMIT ?`;
    const rows = this.#database.all<ItemRow>(doing, sql, ...values, query.limit ?? -1);
    return rows.map((row) => item(partition, row));
  }

  async delete(key: StateKey, expected?: number): Promise<boolean> {
    const doing = `removing state ${name(key)}`;
    checkKey(key, doing);
    const { partition, sort } = key;
    if (expected !== undefined) {
      return this.#database.run(doing, DELETE_EXPECTED, partition, sort, expected, this.#clock.now()) === 1;
    }
    this.#database.run(doing, DELETE, partition, sort);
    return true;
  }

  #sweepNowAndThen(): void {
    if (this.#writes++ % SWEEP_EVERY === 0) {
      this.#database.run('removing expired state', SWEEP, this.#clock.now(), SWEEP_ROWS);
    }
  }
}

function name({ partition, sort }: StateKey): string {
  return `${partition}/${sort}`;
}

function item(partition: string, { sort, revision, value }: ItemRow): StateItem {
  return { partition, sort, revision, value: JSON.parse(value) as Json };
}

/** The least text after all that begin with `prefix`; `undefined` when there is none. */
function afterPrefix(prefix: string): string | undefined {
  const characters = [...prefix];
  while (characters.length > 0) {
    const code = characters.pop()?.codePointAt(0) ?? 0;
    if (code < 0x10ffff) return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}
