import type { Delivery, Queue } from '../lib/core/ports';

/**
 * The queue of a function that serves all connectors: what it sends goes by `sending`, and its dead letters are those of
 * every connector's queue.
 */
export function everyQueue(sending: Queue, types: readonly string[], ofType: (type: string) => Queue): Queue {
  return {
    send: (messages) => sending.send(messages),
    receive: (request) => sending.receive(request),
    extend: (receipt, visibilityMs) => sending.extend(receipt, visibilityMs),
    release: (receipt, delayMs) => sending.release(receipt, delayMs),
    async acknowledge(receipt) {
      const end = receipt.indexOf('/');
      await ofType(receipt.slice(0, end)).acknowledge(receipt.slice(end + 1));
    },
    async deadLetters(limit) {
      const found = await Promise.all(types.map((type) => lettersOf(ofType(type), type, limit)));
      return found.flat().slice(0, limit);
    },
  };
}

/** A receipt is good for its own queue only, so it says which that is. */
async function lettersOf(queue: Queue, type: string, limit: number): Promise<readonly Delivery[]> {
  const letters = await queue.deadLetters(limit);
  return letters.map((letter) => ({ ...letter, receipt: `${type}/${letter.receipt}` }));
}
