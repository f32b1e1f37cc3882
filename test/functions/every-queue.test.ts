import { everyQueue } from '../../functions/every-queue';
import { ManualClock } from '../memory/clock';
import { MemoryQueue } from '../memory/queue';

const NEVER = new AbortController().signal;

describe('the queue of a function that serves all connectors', () => {
  const queues = new Map<string, MemoryQueue>();
  const ofType = (type: string) => queues.get(type) ?? fail(type);
  const fail = (type: string): never => {
    throw new Error(`there is no queue of type ${type}`);
  };
  const clock = new ManualClock();
  const sending = new MemoryQueue(clock);
  const every = everyQueue(sending, ['postgresql', 'rest_api'], ofType);

  async function bury(type: string, count: number): Promise<void> {
    const queue = new MemoryQueue(clock, { maxReceives: 1 });
    queues.set(type, queue);
    await queue.send(Array.from({ length: count }, (_, index) => ({ body: `${type} ${index}`, group: 'g' })));
    const request = { max: 10, visibilityMs: 1, waitMs: 0, signal: NEVER };
    for (const { receipt } of await queue.receive(request)) await queue.release(receipt, 0);
    await queue.receive(request);
  }
  const bodies = async (limit: number) => (await every.deadLetters(limit)).map(({ body }) => body);

  beforeEach(async () => {
    await bury('postgresql', 2);
    await bury('rest_api', 1);
  });

  it('finds the dead letters of every connector, and no more than asked for', async () => {
    expect(await bodies(10)).toEqual(['postgresql 0', 'postgresql 1', 'rest_api 0']);
    expect(await bodies(2)).toHaveLength(2);
  });

  it('removes a letter from the queue it is in', async () => {
    const letters = await every.deadLetters(10);
    // The queues count their receipts alike: only the right one may take it.
    await every.acknowledge(letters.find(({ body }) => body === 'rest_api 0')?.receipt ?? '');
    expect(await bodies(10)).toEqual(['postgresql 0', 'postgresql 1']);
  });

  it('sends by the queue that knows the integrations', async () => {
    await every.send([{ body: 'work', group: 'shop' }]);
    expect(await every.receive({ max: 1, visibilityMs: 1, waitMs: 0, signal: NEVER })).toMatchObject([
      { body: 'work' },
    ]);
  });
});
