import { CommanderError } from 'commander';
import { Fault, toFault } from '../lib/core/fault';
import type { Cli } from './cli';
import { ExitCode, exitCodeOf } from './exit-codes';
import { faultText } from './output/printer';
import { createProgram } from './program';

/** Runs one command line; gives the exit code. Every error is shown, none is thrown. */
export async function runCommandLine(args: readonly string[], world: Omit<Cli, 'exit'>): Promise<number> {
  let code: number = ExitCode.Ok;
  const exit = (given: number): void => {
    code = given;
  };
  try {
    await createProgram({ ...world, exit }).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
    if (world.signal.aborted) return ExitCode.Interrupted;
    showError(error, args, world);
    return exitCodeOf(error);
  }
}

function showError(error: unknown, args: readonly string[], { stderr, env }: Omit<Cli, 'exit'>): void {
  const fault = toFault(error, 'running the command');
  stderr.write(`${faultText(fault, args.includes('--json'))}\n`);
  const cause = error instanceof Fault ? error.cause : error;
  const debug = env.INTEGRATION_DEBUG?.toLowerCase() === 'true';
  if (debug && cause instanceof Error) stderr.write(`${cause.stack}\n`);
}
