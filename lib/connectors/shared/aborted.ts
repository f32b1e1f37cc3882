import { Fault } from '../../core/fault';

/** The fault of work that was stopped from outside. */
export function aborted(): Fault {
  return new Fault('transient', 'aborted', 'stopped on request');
}

/** Does `work`; where it fails after the abort, it failed because of it. */
export async function stoppable<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? aborted() : error;
  }
}
