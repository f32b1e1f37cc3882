import type { Row } from '../../core/batch';
import { decodeText } from './decode';
import type { MysqlColumn } from './types';

/** A row as the driver has it: length-coded texts in a part of a buffer. */
export interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

const NULL = 251;
const TWO_BYTES = 252;
const LENGTH_BYTES = [2, 3, 8];

/**
 * Reads the cells of a row without a detour.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
 */
export function readRow({ buffer, offset }: RowPacket, columns: readonly MysqlColumn[]): Row {
  const row: Row = new Array(columns.length);
  let at = offset;
  for (let index = 0; index < columns.length; index++) {
    let length = buffer[at++] ?? NULL;
    if (length === NULL) {
      row[index] = null;
      continue;
    }
    if (length > NULL) {
      const size = LENGTH_BYTES[length - TWO_BYTES] ?? 0;
      length = size > 6 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUIntLE(at, size);
      at += size;
    }
    row[index] = (columns[index] as MysqlColumn).decode(buffer, at, at + length);
    at += length;
  }
  return row;
}

/** Which row it is that cannot be read: `id = 7`. */
export function rowName(packet: RowPacket, columns: readonly MysqlColumn[]): string {
  const texts = readRow(packet, columns.map(asText));
  const key = columns.flatMap(({ isKey, column }, index) =>
    isKey ? [`${column.name} = ${String(texts[index])}`] : [],
  );
  return key.length === 0 ? 'a row without a key' : key.join(', ');
}

function asText(column: MysqlColumn): MysqlColumn {
  return { ...column, decode: column.isKey ? decodeText : () => null };
}
