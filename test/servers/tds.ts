/** The little of Microsoft's TDS that the fake of SQL Server speaks: [MS-TDS], version 7.4. */
export const PacketType = { Batch: 1, Rpc: 3, Response: 4, Attention: 6, Login: 16, Prelogin: 18 } as const;

/** A cell of an answer. */
export type TdsCell = string | Buffer | null;

const HEADER = 8;
const LARGEST_PACKET = 4096;
const MAX = 0xffff;
const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);
const NULL = Buffer.alloc(8, 0xff);

/** One packet of a message. */
export interface Packet {
  readonly type: number;
  readonly last: boolean;
  readonly data: Buffer;
}

/** Takes whole packets from the front of `bytes`. */
export function takePacket(bytes: Buffer): { readonly packet: Packet; readonly rest: Buffer } | undefined {
  if (bytes.length < HEADER) return undefined;
  const length = bytes.readUInt16BE(2);
  if (bytes.length < length) return undefined;
  const packet = {
    type: bytes.readUInt8(0),
    last: (bytes.readUInt8(1) & 1) === 1,
    data: bytes.subarray(HEADER, length),
  };
  return { packet, rest: bytes.subarray(length) };
}

/** Data as packets; the last of them ends the message where `last` says so. */
export function packets(type: number, data: Buffer, last: boolean): Buffer {
  const pieces: Buffer[] = [];
  const room = LARGEST_PACKET - HEADER;
  for (let at = 0; at === 0 || at < data.length; at += room) {
    const piece = data.subarray(at, at + room);
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(type, 0);
    header.writeUInt8(last && at + room >= data.length ? 1 : 0, 1);
    header.writeUInt16BE(HEADER + piece.length, 2);
    header.writeUInt8(1, 6);
    pieces.push(header, piece);
  }
  return Buffer.concat(pieces);
}

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const shortText = (text: string) => Buffer.concat([Buffer.from([text.length]), utf16(text)]);
const uint16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** The answer to a prelogin: whether the connection is encrypted. */
export function preloginAnswer(encrypted: boolean): Buffer {
  return Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 255, 16, 0, 0, 0, 0, 0, encrypted ? 1 : 2]);
}

/** Whether the client asks for encryption. */
export function asksForEncryption(prelogin: Buffer): boolean {
  for (let at = 0; prelogin[at] !== 255; at += 5) {
    if (prelogin[at] === 1) return prelogin[prelogin.readUInt16BE(at + 1)] === 1;
  }
  return false;
}

/** Who logs in, and where. */
export function readLogin(login: Buffer): {
  readonly user: string;
  readonly password: string;
  readonly database: string;
} {
  const field = (place: number) => {
    const start = login.readUInt16LE(place);
    return Buffer.from(login.subarray(start, start + login.readUInt16LE(place + 2) * 2));
  };
  const hidden = field(44).map((byte) => {
    const turned = byte ^ 0xa5;
    return ((turned & 0x0f) << 4) | (turned >> 4);
  });
  const password = Buffer.from(hidden).toString('utf16le');
  return { user: field(40).toString('utf16le'), password, database: field(68).toString('utf16le') };
}

/** Says that the login is accepted. */
export function loginAnswer(): Buffer {
  const body = Buffer.concat([Buffer.from([1, 0x74, 0, 0, 4]), shortText('Fake'), Buffer.from([16, 0, 0, 0])]);
  return Buffer.concat([Buffer.from([0xad]), uint16(body.length), body]);
}

/** The end of an answer. */
export function done(status = 0): Buffer {
  return Buffer.concat([Buffer.from([0xfd]), uint16(status), uint16(0), Buffer.alloc(8)]);
}

/** An error by its number. */
export function errorToken(number: number, message: string): Buffer {
  const text = Buffer.concat([uint16(message.length), utf16(message)]);
  const place = Buffer.concat([shortText('fake'), shortText(''), uint32(1)]);
  const body = Buffer.concat([uint32(number), Buffer.from([1, 14]), text, place]);
  return Buffer.concat([Buffer.from([0xaa]), uint16(body.length), body]);
}

/** What the columns of an answer are: text, or bytes. */
export function columnsToken(binary: readonly boolean[]): Buffer {
  const columns = binary.map((isBinary) => {
    const type = isBinary ? [Buffer.from([0xa5]), uint16(MAX)] : [Buffer.from([0xe7]), uint16(MAX), COLLATION];
    return Buffer.concat([uint32(0), uint16(9), ...type, shortText('')]);
  });
  return Buffer.concat([Buffer.from([0x81]), uint16(columns.length), ...columns]);
}

/** One row. */
export function rowToken(cells: readonly TdsCell[]): Buffer {
  return Buffer.concat([Buffer.from([0xd1]), ...cells.map(cellOf)]);
}

function cellOf(cell: TdsCell): Buffer {
  if (cell === null) return NULL;
  const bytes = typeof cell === 'string' ? utf16(cell) : cell;
  const length = Buffer.concat([uint32(bytes.length), uint32(0)]);
  return bytes.length === 0
    ? Buffer.concat([length, uint32(0)])
    : Buffer.concat([length, uint32(bytes.length), bytes, uint32(0)]);
}

/** The statement of a batch. */
export function readBatch(data: Buffer): string {
  return data.subarray(data.readUInt32LE(0)).toString('utf16le');
}

/** Statement and values of a call of `sp_executesql`, whose values are all texts. */
export function readCall(data: Buffer): {
  readonly statement: string;
  readonly values: { readonly [name: string]: string };
} {
  let at = data.readUInt32LE(0);
  if (data.readUInt16LE(at) !== MAX || data.readUInt16LE(at + 2) !== 10) throw new Error('only sp_executesql is known');
  at += 6;
  const values: { [name: string]: string } = {};
  let statement = '';
  for (let place = 0; at < data.length; place++) {
    const length = data.readUInt8(at) * 2;
    const name = data.subarray(at + 1, at + 1 + length).toString('utf16le');
    at += 2 + length;
    if (data.readUInt8(at) !== 0xe7) throw new Error('only texts are known');
    const isLong = data.readUInt16LE(at + 1) === MAX;
    at += 8;
    const [value, next] = isLong ? longText(data, at) : shortValue(data, at);
    at = next;
    if (place === 0) statement = value;
    else if (place > 1) values[name.slice(1)] = value;
  }
  return { statement, values };
}

function shortValue(data: Buffer, at: number): readonly [string, number] {
  const end = at + 2 + data.readUInt16LE(at);
  return [data.subarray(at + 2, end).toString('utf16le'), end];
}

function longText(data: Buffer, start: number): readonly [string, number] {
  const chunks: Buffer[] = [];
  let at = start + 8;
  for (let length = data.readUInt32LE(at); length > 0; length = data.readUInt32LE(at)) {
    chunks.push(data.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return [Buffer.concat(chunks).toString('utf16le'), at + 4];
}
