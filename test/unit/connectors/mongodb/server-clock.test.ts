import type { Db, Document } from 'mongodb';
import { readableUntil } from '../../../../lib/connectors/mongodb/server-clock';

const answering = (answer: (command: Document) => Document) =>
  ({ command: async (command: Document) => answer(command) }) as unknown as Db;
const localTime = new Date(5000);

describe('the time up to which MongoDB can be read', () => {
  it("is the server's clock", async () => {
    expect(await readableUntil(answering(() => ({ localTime })))).toBe(5000);
  });

  it('is that of the last write of a majority, where that is older', async () => {
    const lastWrite = { majorityWriteDate: new Date(3000), lastWriteDate: new Date(4000) };
    expect(await readableUntil(answering(() => ({ localTime, lastWrite })))).toBe(3000);
  });

  it('is asked of older servers too, and of no other after an error', async () => {
    const unknown = Object.assign(new Error('no such command'), { code: 59 });
    const old = (command: Document) => {
      if ('hello' in command) throw unknown;
      return { localTime };
    };
    expect(await readableUntil(answering(old))).toBe(5000);
    const lost = Object.assign(new Error('lost'), { code: 89 });
    const failing = answering(() => {
      throw lost;
    });
    await expect(readableUntil(failing)).rejects.toBe(lost);
  });
});
