import type { Row, RowBatch } from '../../core/batch';
import type { Reason, Rejection } from '../../core/destination';
import type { EntryState, ReplayItem, ReplayOutcome, ReplayRequest, ReplayState } from '../../core/quarantine';
import { isDataError } from './classify';
import { quoted, SYNCED_AT } from './names';
import { reasonsJson, reasonText } from './quarantine';
import { voidedBy } from './quarantine-prune';
import { withTableLock } from './retry-lock';
import type { Session } from './session';
import type { Shape } from './shape';
import { ensureStaging } from './staging';
import { checkFits, holdTable, qualified, type StoredColumns } from './table';
import { arrayLiteral } from './types';
import type { Writing } from './write';
import { writeRows } from './write-rows';

const SAME_TIME = 'another version of it was written in the same transaction, and it is not known which is newer';
const NOT_PUBLISHED = 'the full load that it came from is not published yet';
const BAD_KEY = 'its key is none of the type that the table has';
const EDITED = 'it was edited in the meantime: replay it again';

/** See `QuarantineStore.replay`. */
export async function replayRecords(
  session: Session,
  writing: Writing,
  integration: string,
  request: ReplayRequest,
): Promise<readonly ReplayOutcome[]> {
  const shape = await writing.bind(session, request.schema);
  const staging = shape.key.length > 0 ? await ensureStaging(session, shape) : undefined;
  const { namespace } = writing.target;
  const replaying = new Replaying({ session, writing, integration, request, shape, staging });
  const doing = `replaying quarantined records of ${request.schema.stream}`;
  const work = async () => {
    // Nobody writes to the table between the look for what is newer and the write.
    const stored = await holdTable(session, namespace, shape.table);
    checkFits(shape, stored);
    return replaying.run(qualified(namespace, shape.table), stored);
  };
  return withTableLock(session, doing, work, request.signal);
}

interface Parts {
  readonly session: Session;
  readonly writing: Writing;
  readonly integration: string;
  readonly request: ReplayRequest;
  readonly shape: Shape;
  readonly staging: string | undefined;
}

/** One request; {@link run} is one attempt at it, inside the caller's transaction. */
class Replaying {
  readonly #parts: Parts;
  #outcomes = new Map<string, ReplayOutcome>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(table: string, stored: StoredColumns): Promise<readonly ReplayOutcome[]> {
    const { session, request } = this.#parts;
    this.#outcomes = new Map();
    await session.query('SAVEPOINT replay');
    const found = await this.#lock();
    for (const { id } of request.leftOut.filter(this.#isOpen)) this.#say(id, 'left_out');
    for (const { id, reasons } of request.failed.filter(this.#isOpen)) this.#say(id, 'failed', reasons);
    await this.#sortOut(table, stored, request.items.filter(this.#isOpen));
    await this.#write(table, stored, request.items.filter(this.#isOpen));
    await this.#settle(found);
    if (request.dryRun) await session.query('ROLLBACK TO SAVEPOINT replay');
    return [...this.#outcomes.values()];
  }

  readonly #isOpen = ({ id }: EntryState): boolean => this.#outcomes.get(id)?.state === 'loaded';

  #say(id: string, state: ReplayState, reasons: readonly Reason[] = []): void {
    this.#outcomes.set(id, { id, stream: this.#parts.request.schema.stream, state, reasons });
  }

  /** Takes the entries for this transaction, and says what they are open to; gives those that are there. */
  async #lock(): Promise<ReadonlySet<string>> {
    const { session, integration, request } = this.#parts;
    const { books } = this.#parts.writing;
    const { schema, items, failed, leftOut } = request;
    const asked = [...items, ...failed, ...leftOut];
    // Publishing marks the load first: from here on it waits for us, or we see what it did.
    await session.query(
      `SELECT FROM ${books.loads} WHERE integration = $1 AND stream = $2 AND state = 'loading' FOR SHARE`,
      [integration, schema.stream],
    );
    const rows = await session.query(
      `SELECT q.id, q.revision, ${voidedBy(books.loads)} AS void, EXISTS (SELECT FROM ${books.loads} l
         WHERE l.integration = q.integration AND l.stream = q.stream AND l.load = q.load AND l.state = 'loading') AS loading
       FROM ${books.quarantine} q WHERE integration = $1 AND stream = $2 AND id = ANY($3::bigint[])
       ORDER BY record_key COLLATE "C" FOR UPDATE OF q`,
      [integration, schema.stream, arrayLiteral(asked.map(({ id }) => id))],
    );
    const found = new Map(rows.map((row) => [row.id ?? '', row]));
    for (const { id, revision } of asked) {
      const row = found.get(id);
      if (row === undefined || row.void === 't') this.#say(id, 'superseded');
      else if (row.loading === 't') this.#say(id, 'postponed', [{ message: NOT_PUBLISHED }]);
      else if (Number(row.revision) !== revision) this.#say(id, 'postponed', [{ message: EDITED }]);
      else this.#say(id, 'loaded');
    }
    return new Set(found.keys());
  }

  /** Says of which records the table holds a version that is newer than the entry. A key that is none stands alone. */
  async #sortOut(table: string, stored: StoredColumns, items: readonly ReplayItem[]): Promise<void> {
    const { session, shape } = this.#parts;
    if (shape.key.length === 0 || items.length === 0 || !stored.has(SYNCED_AT)) return;
    await session.query('SAVEPOINT newer');
    try {
      for (const [id, newer] of await this.#overtaken(table, stored, items)) {
        if (newer) this.#say(id, 'superseded');
        else this.#say(id, 'failed', [{ message: SAME_TIME }]);
      }
      await session.query('RELEASE SAVEPOINT newer');
    } catch (error) {
      if (!isDataError(error)) throw error;
      await session.query('ROLLBACK TO SAVEPOINT newer');
      await session.query('RELEASE SAVEPOINT newer');
      const [only, ...more] = items;
      if (only && more.length === 0) return this.#say(only.id, 'failed', [{ message: BAD_KEY }]);
      const middle = items.length >>> 1;
      await this.#sortOut(table, stored, items.slice(0, middle));
      await this.#sortOut(table, stored, items.slice(middle));
    }
  }

  /** The records of which the table holds a newer version, or (`false`) one that may be newer. */
  async #overtaken(
    table: string,
    stored: StoredColumns,
    items: readonly ReplayItem[],
  ): Promise<readonly [string, boolean][]> {
    const { session, shape, writing } = this.#parts;
    const keys = shape.key.map((place, index) => {
      const name = shape.columns[place]?.name ?? '';
      const texts = items.map(({ row }) => String(row[place] ?? ''));
      return { name, parameter: `$${index + 2}`, texts };
    });
    const list = keys.map(({ parameter }) => `${parameter}::text[]`).join(', ');
    const match = keys
      .map(({ name }, index) => `t.${quoted(name)} = e.k${index}::${stored.get(name)?.type ?? 'text'}`)
      .join(' AND ');
    const rows = await session.query(
      `SELECT q.id, t.${SYNCED_AT} > q.at AS newer
       FROM unnest($1::bigint[], ${list}) AS e(id, ${keys.map((_, index) => `k${index}`).join(', ')})
       JOIN ${writing.books.quarantine} q ON q.id = e.id JOIN ${table} t ON ${match}
       WHERE t.${SYNCED_AT} > q.at OR t.${SYNCED_AT} = coalesce(q.began_at, q.at)`,
      [arrayLiteral(items.map(({ id }) => id)), ...keys.map(({ texts }) => arrayLiteral(texts))],
    );
    return rows.map((row) => [row.id ?? '', row.newer === 't']);
  }

  async #write(table: string, stored: StoredColumns, items: readonly ReplayItem[]): Promise<void> {
    const { session, writing, request, shape, staging } = this.#parts;
    const batch: RowBatch = {
      kind: 'rows',
      schema: request.schema,
      after: { format: 0, value: null },
      rows: items.map(({ row }) => row),
      ops: Uint8Array.from(items, ({ op }) => op),
    };
    const move = { shape, stored, table, staging, softDeletes: writing.target.softDeletes };
    const { rejected } = await writeRows(session, batch, { move, load: false, careful: true });
    for (const { id, reasons } of refusedItems(items, rejected)) this.#say(id, 'failed', reasons);
  }

  /** Removes what is done with; what failed stays with its new reasons. */
  async #settle(found: ReadonlySet<string>): Promise<void> {
    const { session, integration, request, writing } = this.#parts;
    const { quarantine } = writing.books;
    const outcomes = [...this.#outcomes.values()].filter(({ id }) => found.has(id));
    const done = outcomes.filter(({ state }) => state === 'loaded' || state === 'superseded' || state === 'left_out');
    await session.execute(`DELETE FROM ${quarantine} WHERE integration = $1 AND id = ANY($2::bigint[])`, [
      integration,
      arrayLiteral(done.map(({ id }) => id)),
    ]);
    const failed = outcomes.filter(({ state }) => state === 'failed');
    if (failed.length === 0) return;
    const texts = (pick: (reasons: readonly Reason[]) => string | undefined) =>
      arrayLiteral(failed.map(({ reasons }) => pick(reasons) ?? ''));
    await session.execute(
      `UPDATE ${quarantine} q SET reason = n.reason, field = nullif(n.field, ''), rule = nullif(n.rule, ''),
         reasons = n.reasons::json, configuration = coalesce($2, configuration)
       FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS n(id, reason, field, rule, reasons)
       WHERE q.integration = $1 AND q.id = n.id`,
      [
        integration,
        request.configuration ?? null,
        arrayLiteral(failed.map(({ id }) => id)),
        texts(reasonText),
        texts(([first]) => first?.field),
        texts(([first]) => first?.rule),
        texts(reasonsJson),
      ],
    );
  }
}

function refusedItems(items: readonly ReplayItem[], rejected: readonly Rejection[]) {
  const byRow = new Map<Row, ReplayItem>(items.map((item) => [item.row, item]));
  return rejected.flatMap(({ row, reasons }) => {
    const item = byRow.get(row);
    return item ? [{ id: item.id, reasons }] : [];
  });
}
