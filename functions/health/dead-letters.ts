import type { CloudHome } from '../home';

const MOST_LETTERS = 10;

/** Ends the runs of a connector whose messages were received too often. The messages stay, for somebody to look at. */
export async function failDead({ engine, log, queue }: CloudHome, type: string): Promise<void> {
  for (const { body } of await queue(type).deadLetters(MOST_LETTERS)) {
    const { run } = body as { readonly run?: string };
    if (run !== undefined && (await engine.abandon(run))) log.error('a run was given up', { run, connector: type });
  }
}
