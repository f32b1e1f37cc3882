import { Fault } from '../lib/core/fault';

/** What the process's exit code says; `explorerio --help` explains them. */
export const ExitCode = { Ok: 0, Failed: 1, Usage: 2, Partial: 3, Busy: 4, Interrupted: 130 } as const;

/** One line a code, for the help. */
export const EXIT_CODE_HELP = `Exit codes:
  0    done
  1    the sync or the check failed
  2    wrong usage or configuration
  3    some streams were loaded and some failed
  4    busy: another process works on the data folder, or a run is going on
  130  interrupted`;

const BUSY_CODES: readonly string[] = ['run_active', 'data_folder_in_use', 'port_in_use'];

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Fault)) return ExitCode.Failed;
  if (BUSY_CODES.includes(error.code)) return ExitCode.Busy;
  return error.kind === 'config' ? ExitCode.Usage : ExitCode.Failed;
}
