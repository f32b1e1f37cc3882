import { spawn } from 'node:child_process';
import type { Json } from '../../lib/core/json';

/** One type of system with a table of `rows` rows, to be read by us and by the fastest bare client there is. */
export interface ConnectorCase {
  readonly name: string;
  /** What the bare client is. */
  readonly client: string;
  /** More would take too long to fill in. */
  readonly mostRows?: number;
  start(rows: number, folder: string): Promise<RunningCase>;
}

/** A started system. */
export interface RunningCase {
  /** The integration document, without its name. */
  readonly document: { readonly [key: string]: Json };
  readonly stream: string;
  /** Reads the stream with the bare client into a file. */
  readWithClient(file: string): Promise<void>;
  stop(): Promise<void>;
}

/** Runs a client to its end. */
export function runClient(command: string, args: readonly string[], output: number | 'ignore'): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', output, 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: exit code ${code}`))));
  });
}
