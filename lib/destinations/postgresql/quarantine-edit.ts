import type { QuarantinedRecord } from '../../core/destination';
import { editedRow } from '../../core/edited-record';
import { Fault } from '../../core/fault';
import type { EntryRecord, FieldValues } from '../../core/quarantine';
import { entryKey, sealContext, storedText } from './quarantine';
import { entryOf } from './quarantine-entries';
import { editedFields, noRecord, VIEWED, viewOf } from './quarantine-list';
import { hasIdentity, isWhole, recordText } from './quarantine-record';
import { type Session, type TextRow, transaction } from './session';
import type { Writing } from './write';

const DOING = 'editing a quarantined record';

/** See `QuarantineStore.edit`. */
export function editEntry(
  session: Session,
  writing: Writing,
  integration: string,
  id: string,
  fields: FieldValues,
): Promise<QuarantinedRecord> {
  return transaction(session, async () => {
    const stored = await readEntry(session, writing, integration, id, 'FOR UPDATE OF q');
    const context = sealContext(integration, stored.stream ?? '');
    const { record, problem } = entryOf(stored, (sealed) => writing.cipher.open(sealed, context));
    if (record === undefined) throw notEditable(id, problem ?? '');
    const { schema, op } = record;
    const next = { row: editedRow(record, fields), schema, op, reasons: [] };
    if (!isWhole(next)) throw notEditable(id, 'a field would be too large to be kept whole');
    const key = await newKey(session, writing, integration, record, next);
    const names = [...new Set([...editedFields(stored), ...Object.keys(fields)])].sort();
    await session.execute(
      `UPDATE ${writing.books.quarantine} SET record = $3, record_key = coalesce($4, record_key), revision = revision + 1,
         edited_at = now(), edited_fields = $5 WHERE integration = $1 AND id = $2`,
      [integration, id, storedText(writing, recordText(next), context), key ?? null, JSON.stringify(names)],
    );
    return viewOf(await readEntry(session, writing, integration, id), integration, writing.cipher);
  });
}

async function readEntry(
  session: Session,
  { books }: Writing,
  integration: string,
  id: string,
  lock = '',
): Promise<TextRow> {
  const known = /^\d{1,18}$/.test(id);
  const [row] = known
    ? await session.query(
        `SELECT ${VIEWED} FROM ${books.quarantine} q LEFT JOIN ${books.shapes} s ON s.digest = q.shape
         WHERE q.integration = $1 AND q.id = $2 ${lock}`,
        [integration, id],
      )
    : [];
  if (row === undefined) throw noRecord(DOING, id);
  return row;
}

/** A record that was given the key which it had not is found by it from now on. */
async function newKey(
  session: Session,
  writing: Writing,
  integration: string,
  before: EntryRecord,
  next: EntryRecord,
): Promise<string | undefined> {
  if (hasIdentity(before) || !hasIdentity(next)) return undefined;
  const { stream } = next.schema;
  const key = entryKey(writing, { integration, stream, partition: '' }, { ...next, reasons: [] });
  const [other] = await session.query(
    `SELECT id FROM ${writing.books.quarantine} WHERE integration = $1 AND stream = $2 AND record_key = $3`,
    [integration, stream, key],
  );
  if (other === undefined) return key;
  throw new Fault('config', 'not_editable', `${DOING}: record ${other.id} of ${stream} has that key already`, {
    hint: 'Edit that one, or drop one of the two.',
  });
}

function notEditable(id: string, problem: string): Fault {
  return new Fault('config', 'not_editable', `${DOING}: record ${id} cannot be changed: ${problem}`, {
    hint: 'Correct it in the source, and sync again.',
  });
}
