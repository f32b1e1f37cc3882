import { PassThrough } from 'node:stream';
import type { Connection } from 'pg';
import { CopyIn } from '../../../../lib/destinations/postgresql/copy-in';

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A copy on a connection that only records, and what came of it. */
function begin(chunks: Chunks) {
  const stream = new PassThrough({ highWaterMark: 16 * 1024 });
  const calls: string[] = [];
  const connection = {
    stream,
    query: (text: string) => calls.push(text),
    endCopyFrom: () => calls.push('done'),
    sendCopyFail: () => calls.push('fail'),
  } as unknown as Connection & { endCopyFrom(): void; sendCopyFail(reason: string): void };
  let copy: CopyIn | undefined;
  const outcome = new Promise<number>((resolve, reject) => {
    copy = new CopyIn('COPY t FROM STDIN', chunks, resolve, reject);
  });
  if (copy === undefined) throw new Error('no copy');
  copy.submit(connection);
  copy.handleCopyInResponse(connection);
  return { copy, stream, calls, outcome };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('sends each chunk as a message and gives the rows that the server counted', async () => {
  const { copy, stream, calls, outcome } = begin([Buffer.from('1\n'), Buffer.from('22\n')]);
  await settled();
  expect(stream.read()).toEqual(Buffer.from('d\0\0\0\x061\nd\0\0\0\x0722\n', 'latin1'));
  expect(calls).toEqual(['COPY t FROM STDIN', 'done']);
  copy.handleCommandComplete({ text: 'COPY 2' });
  copy.handleReadyForQuery();
  await expect(outcome).resolves.toBe(2);
});

it('ends the copy when the data cannot be read, and throws that error instead of the answer of the server', async () => {
  async function* broken() {
    yield Buffer.from('1\n');
    throw new Error('the source went away');
  }
  const { copy, calls, outcome } = begin(broken());
  await settled();
  expect(calls).toEqual(['COPY t FROM STDIN', 'fail']);
  copy.handleError(new Error('COPY from stdin failed'));
  await expect(outcome).rejects.toThrow('the source went away');
});

it('waits while the socket is full, and closes the source when the server ends the copy meanwhile', async () => {
  let made = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        made++;
        yield Buffer.alloc(64 * 1024);
      }
    } finally {
      closed = true;
    }
  }
  const { copy, calls, outcome } = begin(endless());
  await settled();
  await settled();
  expect(made).toBeLessThan(10);
  copy.handleError(new Error('invalid input'));
  await expect(outcome).rejects.toThrow('invalid input');
  await settled();
  expect(closed).toBe(true);
  expect(calls).toEqual(['COPY t FROM STDIN']);
});
