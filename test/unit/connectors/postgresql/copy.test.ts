import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import type pg from 'pg';
import { CopyOut } from '../../../../lib/connectors/postgresql/copy-out';
import { CopyText } from '../../../../lib/connectors/postgresql/copy-text';
import type { TextRows } from '../../../../lib/core/batch';
import type { Column, ColumnType } from '../../../../lib/core/schema';

const column = (type: ColumnType): Column => ({ name: type, type, nullable: true, native: type });
const TEXTS = [column('text'), column('text')];

/** A field as PostgreSQL's COPY writes it. */
function escaped(value: string | null): string {
  if (value === null) return '\\N';
  const letters: { readonly [character: string]: string } = {
    '\b': 'b',
    '\f': 'f',
    '\n': 'n',
    '\r': 'r',
    '\t': 't',
    '\v': 'v',
    '\\': '\\',
  };
  return value.replace(/[\b\f\n\r\t\v\\]/g, (character) => `\\${letters[character]}`);
}

/** Cuts bytes at the given places, in order. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right);
  return [0, ...places].map((from, index) => bytes.subarray(from, [...places, bytes.length][index]));
}

/** The cells of a row as they stand in the text. */
function cellsOf({ bytes, starts }: TextRows, row: number, width: number): string[] {
  const [first = 0, ...others] = starts.subarray(row * (width + 1), (row + 1) * (width + 1));
  let from = first;
  return others.map((next) => {
    const text = Buffer.from(bytes.subarray(from, next - 1)).toString();
    from = next;
    return text;
  });
}

const cell = fc.option(
  fc.string({ unit: fc.constantFrom('a', '\\', '\t', '\n', 'N', '.', 'é', '🙂', '\r', '\v', 'x', ' ') }),
);
const table = fc.array(fc.tuple(cell, cell));
const cuts = fc.array(fc.nat());

describe('CopyText', () => {
  it('gives back what was written, wherever the socket cuts it and a batch ends', () => {
    fc.assert(
      fc.property(
        table,
        cuts,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (rows, at, most, bytes) => {
          const text = new CopyText(TEXTS, 0, true);
          const wire = Buffer.from(rows.map((row) => `${row.map(escaped).join('\t')}\n`).join(''));
          const batches = [];
          for (const chunk of chunks(wire, at)) {
            text.push(chunk);
            for (
              let next = text.fill({ rows: most, bytes });
              next !== undefined;
              next = text.fill({ rows: most, bytes })
            ) {
              batches.push(next.lines);
            }
          }
          batches.push(text.rest().lines);
          expect(batches.flatMap((batch) => batch.rows)).toEqual(rows);
          for (const batch of batches) {
            expect(batch.length).toBeLessThanOrEqual(most);
            expect(batch.length === 1 || batch.bytes.length <= bytes).toBe(true);
            for (let row = 0; row < batch.length; row++) {
              expect(batch.row(row)).toEqual(batch.rows[row]);
              expect([0, 1].map((column) => batch.cell(row, column))).toEqual(batch.rows[row]);
              expect(cellsOf(batch, row, 2)).toEqual(batch.rows[row]?.map((value) => escaped(value as string | null)));
            }
          }
        },
      ),
    );
  });

  it('keeps what follows the columns apart', () => {
    const text = new CopyText([column('int32')], 1, false);
    text.push(Buffer.from('1\t(0,1)\n\\N\t(0,2)\n'));
    expect(text.fill({ rows: 10, bytes: 100 })).toBeUndefined();
    const { lines, extra } = text.rest();
    expect(lines.rows).toEqual([[1], [null]]);
    expect([cellsOf(lines, 0, 1), cellsOf(lines, 1, 1)]).toEqual([['1'], ['\\N']]);
    expect(extra).toEqual(['(0,2)']);
  });

  it('refuses rows of another width, and bytes that are no UTF-8', () => {
    const text = new CopyText(TEXTS, 0, true);
    for (const line of ['one\n', 'one\ttwo\tthree\n']) {
      text.push(Buffer.from(line));
      expect(() => text.fill({ rows: 1, bytes: 1 })).toThrow('fields');
    }
    expect(() => text.push(Buffer.from([0xff, 0x0a]))).toThrow('UTF-8');
  });
});

function message(code: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(5);
  header.write(code);
  header.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([header, bytes]);
}

/** A connection whose socket gives the chunks, and whose driver ends the query when it is given its messages. */
async function copied(wire: readonly Buffer[], end: Buffer) {
  const socket = new PassThrough();
  const given: Buffer[] = [];
  const copy = new CopyOut('COPY');
  socket.on('data', (chunk: Buffer) => {
    given.push(chunk);
    if (Buffer.concat(given).equals(end)) copy.handleReadyForQuery();
  });
  copy.submit({ stream: socket, query: () => undefined } as unknown as pg.Connection);
  for (const chunk of wire) socket.write(chunk);
  const read: Buffer[] = [];
  for await (const chunk of copy) read.push(Buffer.from(chunk));
  return { data: Buffer.concat(read), given: Buffer.concat(given) };
}

describe('CopyOut', () => {
  it('gives the data and leaves the rest to the driver, wherever the socket cuts it', async () => {
    const end = Buffer.concat([message('C', 'COPY 2\0'), message('Z', 'I')]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 })), cuts, async (bodies, at) => {
        const data = bodies.flatMap((body, index) => [
          ...(index % 2 ? [message('N', 'a notice')] : []),
          message('d', Buffer.from(body)),
        ]);
        const wire = Buffer.concat([message('H', '\0\0\0'), ...data, message('c', ''), end]);
        const { data: found, given } = await copied(
          chunks(wire, at).map((chunk) => Buffer.from(chunk)),
          end,
        );
        expect(found).toEqual(Buffer.concat(bodies));
        expect(given).toEqual(end);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves an error to the driver, and throws what that makes of it', async () => {
    const socket = new PassThrough();
    const copy = new CopyOut('COPY');
    socket.on('data', () => copy.handleError(new Error('permission denied')));
    copy.submit({ stream: socket, query: () => undefined } as unknown as pg.Connection);
    socket.write(message('E', 'what the server said'));
    await expect(copy.next()).rejects.toThrow('permission denied');
  });

  it('holds the socket back while nobody reads', async () => {
    const socket = new PassThrough();
    socket.on('data', () => undefined);
    const copy = new CopyOut('COPY');
    copy.submit({ stream: socket, query: () => undefined } as unknown as pg.Connection);
    const part = message('d', Buffer.alloc(100_000));
    for (let count = 0; count < 100 && !socket.isPaused(); count++) {
      socket.write(Buffer.from(part));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.isPaused()).toBe(true);
    for (let read = 0; read < 300_000; ) read += (await copy.next()).value?.length ?? 0;
    void copy.next();
    expect(socket.isPaused()).toBe(false);
  });
});
