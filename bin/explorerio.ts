import { join } from 'node:path';
import { keepHeapSmall } from '../lib/adapters/embedded/small-heap';
import { toFault } from '../lib/core/fault';
import type { Cli } from './cli';
import { readEnvironment } from './environment';
import { ExitCode, exitCodeOf } from './exit-codes';
import { runCommandLine } from './main';
import { faultText } from './output/printer';

keepHeapSmall();
const interrupt = new AbortController();

// The first signal asks for a clean stop, the second does not wait for it. A PostgreSQL server that is left behind is
// found and used again by the next start.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(ExitCode.Interrupted);
    interrupt.abort();
  });
}

// Whoever reads along may go away, as in "explorerio runs | head".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.Ok);
  throw error;
});

async function main(): Promise<number> {
  try {
    const env = readEnvironment(join(process.cwd(), '.env'), process.env);
    const { stdout, stderr } = process;
    const world: Omit<Cli, 'exit'> = {
      env,
      stdout,
      stderr,
      signal: interrupt.signal,
      connect: async (options, needs) => (await import('./connect')).connect(options, needs, env),
    };
    return await runCommandLine(process.argv.slice(2), world);
  } catch (error) {
    process.stderr.write(`${faultText(toFault(error, 'starting'), false)}\n`);
    return exitCodeOf(error);
  }
}

process.exit(await main());
