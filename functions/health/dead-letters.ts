import type { CloudHome } from '../home';

// They stay until somebody redrives them, and must not hide new ones meanwhile.
const MOST_LETTERS = 100;

/** Ends the runs of a connector whose messages were received too often. The messages stay, to be redriven once their cause is mended. */
export async function failDead({ engine, log, queue }: CloudHome, type: string): Promise<void> {
  for (const { body } of await queue(type).deadLetters(MOST_LETTERS)) {
    const { run } = body as { readonly run?: string };
    if (run !== undefined && (await engine.abandon(run))) log.error('a run was given up', { run, connector: type });
  }
}
