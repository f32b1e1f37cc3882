import { CopyText } from '../../lib/connectors/postgresql/copy-text';
import { textOf } from '../../lib/connectors/postgresql/values';
import { type Row, type RowBatch, UNCHANGED } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';

const LETTERS: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The rows as a batch that is still the text of PostgreSQL's COPY; `undefined` when they have no such form. */
export function textBatch(schema: StreamSchema, rows: readonly Row[]): RowBatch | undefined {
  const width = schema.columns.length;
  const cells = rows.flat();
  const hasText =
    rows.every((row) => row.length === width) && !cells.some((cell) => cell === UNCHANGED || isHalf(cell));
  if (!hasText || rows.length === 0) return undefined;
  const line = (row: Row) => row.map((cell) => (cell === null ? '\\N' : escaped(textOf(cell)))).join('\t');
  const text = new CopyText(schema.columns, 0, true);
  text.push(Buffer.from(rows.map((row) => `${line(row)}\n`).join('')));
  text.fill({ rows: rows.length, bytes: Number.MAX_SAFE_INTEGER });
  const { lines } = text.rest();
  return { kind: 'rows', schema, after: { format: 1, value: 0 }, text: lines, rows: lines.rows };
}

function escaped(text: string): string {
  return text.replace(/[\\\n\r\t]/g, (character) => LETTERS[character] ?? character);
}

function isHalf(cell: unknown): boolean {
  return typeof cell === 'string' && Buffer.from(cell).toString() !== cell;
}
