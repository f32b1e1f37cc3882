import { toFault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';

/** What has to be undone at the end, last opened first closed. */
export class Cleanup {
  readonly #steps: { readonly doing: string; readonly undo: () => Promise<void> | void }[] = [];
  #done: Promise<void> | undefined;

  add(doing: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ doing, undo });
  }

  /** Runs every step, also when one before it fails; what failed is logged. Later calls wait for the first. */
  run(log: Logger): Promise<void> {
    this.#done ??= this.#runAll(log);
    return this.#done;
  }

  async #runAll(log: Logger): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        log.error('something could not be closed', { fault: { ...toFault(error, step.doing).record() } });
      }
    }
  }
}
