import type { Row, RowBatch } from '../../core/batch';
import type { Reason, Rejection } from '../../core/destination';
import type { ReplayItem, ReplayOutcome, ReplayRequest, ReplayState } from '../../core/quarantine';
import { quoted, SYNCED_AT } from './names';
import type { Session } from './session';
import type { Shape } from './shape';
import { ensureStaging } from './staging';
import type { StoredColumns } from './table';
import { arrayLiteral } from './types';
import { type Writing, writeToTable } from './write';
import { writeRows } from './write-rows';

const SAME_TIME = 'another version of it was written in the same transaction, and it is not known which is newer';

/** See `QuarantineStore.replay`. */
export async function replayRecords(
  session: Session,
  writing: Writing,
  integration: string,
  request: ReplayRequest,
): Promise<readonly ReplayOutcome[]> {
  const { schema, items, failed, leftOut, dryRun } = request;
  const { stream } = schema;
  const shape = await writing.bind(session, schema);
  const staging = shape.key.length > 0 ? await ensureStaging(session, shape) : undefined;
  const slice = { integration, stream, partition: '' };
  return writeToTable(session, writing, shape, slice, async (table, stored) => {
    await session.query('SAVEPOINT replay');
    const outcomes = new Map<string, ReplayOutcome>();
    const say = (id: string, state: ReplayState, reasons: readonly Reason[] = []) =>
      void outcomes.set(id, { id, stream, state, reasons });
    const ids = [...items, ...failed].map(({ id }) => id).concat(leftOut);
    const locked = await lockEntries(session, writing, integration, stream, ids);
    for (const id of ids) say(id, locked.get(id) ?? 'superseded');
    const isOpen = ({ id }: { readonly id: string }) => outcomes.get(id)?.state === 'loaded';
    for (const id of leftOut.filter((one) => isOpen({ id: one }))) say(id, 'left_out');
    for (const { id, reasons } of failed.filter(isOpen)) say(id, 'failed', reasons);
    const candidates = items.filter(isOpen);
    for (const [id, state] of await overtaken(session, writing, shape, table, stored, candidates)) {
      say(id, state, state === 'failed' ? [{ message: SAME_TIME }] : []);
    }
    const rest = candidates.filter(isOpen);
    const batch: RowBatch = {
      kind: 'rows',
      schema,
      after: { format: 0, value: null },
      rows: rest.map(({ row }) => row),
      ops: Uint8Array.from(rest, ({ op }) => op),
    };
    const move = { shape, stored, table, staging, softDeletes: writing.target.softDeletes };
    const { rejected } = await writeRows(session, batch, { move, load: false, careful: true });
    for (const { id, reasons } of refusedItems(rest, rejected)) say(id, 'failed', reasons);
    const all = [...outcomes.values()];
    await settle(session, writing, integration, all);
    if (dryRun) await session.query('ROLLBACK TO SAVEPOINT replay');
    return all;
  });
}

function refusedItems(items: readonly ReplayItem[], rejected: readonly Rejection[]) {
  const byRow = new Map<Row, ReplayItem>(items.map((item) => [item.row, item]));
  return rejected.flatMap(({ row, reasons }) => {
    const item = byRow.get(row);
    return item ? [{ id: item.id, reasons }] : [];
  });
}

/** Takes the entries for this transaction; those that are not there any more are not in the answer. */
async function lockEntries(
  session: Session,
  { books }: Writing,
  integration: string,
  stream: string,
  ids: readonly string[],
): Promise<Map<string, ReplayState>> {
  // Publishing marks the load first: from here on it waits for us, or we see what it did.
  await session.query(
    `SELECT FROM ${books.loads} WHERE integration = $1 AND stream = $2 AND state = 'loading' FOR SHARE`,
    [integration, stream],
  );
  const rows = await session.query(
    `SELECT id, EXISTS (SELECT FROM ${books.loads} l WHERE l.integration = q.integration AND l.stream = q.stream
         AND l.load = q.load AND l.state = 'loading') AS loading,
       EXISTS (SELECT FROM ${books.loads} l WHERE l.integration = q.integration AND l.stream = q.stream
         AND l.state = 'published' AND l.started_at > q.at) AS read_anew
     FROM ${books.quarantine} q WHERE integration = $1 AND stream = $2 AND id = ANY($3::bigint[])
     ORDER BY id FOR UPDATE OF q`,
    [integration, stream, arrayLiteral(ids)],
  );
  return new Map(
    rows.map((row) => [
      row.id ?? '',
      row.loading === 't' ? 'postponed' : row.read_anew === 't' ? 'superseded' : 'loaded',
    ]),
  );
}

/** Which of the records the table holds in a version that is newer than the entry. */
async function overtaken(
  session: Session,
  { books }: Writing,
  shape: Shape,
  table: string,
  stored: StoredColumns,
  items: readonly ReplayItem[],
): Promise<readonly [string, ReplayState][]> {
  if (shape.key.length === 0 || items.length === 0 || !stored.has(SYNCED_AT)) return [];
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
     JOIN ${books.quarantine} q ON q.id = e.id JOIN ${table} t ON ${match} WHERE t.${SYNCED_AT} >= q.at`,
    [arrayLiteral(items.map(({ id }) => id)), ...keys.map(({ texts }) => arrayLiteral(texts))],
  );
  return rows.map((row) => [row.id ?? '', row.newer === 't' ? 'superseded' : 'failed']);
}

/** Removes what is done with; what failed stays with its new reasons. */
async function settle(
  session: Session,
  { books }: Writing,
  integration: string,
  outcomes: readonly ReplayOutcome[],
): Promise<void> {
  const done = outcomes.filter(({ state }) => state === 'loaded' || state === 'superseded' || state === 'left_out');
  await session.execute(`DELETE FROM ${books.quarantine} WHERE integration = $1 AND id = ANY($2::bigint[])`, [
    integration,
    arrayLiteral(done.map(({ id }) => id)),
  ]);
  for (const { id, reasons } of outcomes.filter(({ state }) => state === 'failed')) {
    const text = reasons.map(({ message }) => message).join('; ');
    await session.execute(
      `UPDATE ${books.quarantine} SET reason = $3, field = $4, rule = $5, reasons = $6 WHERE integration = $1 AND id = $2`,
      [integration, id, text, reasons[0]?.field ?? null, reasons[0]?.rule ?? null, JSON.stringify(reasons)],
    );
  }
}
