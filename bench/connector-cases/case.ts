import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** Runs a client to its end; what it prints goes into a file. */
export async function runClient(command: string, args: readonly string[], file: string): Promise<void> {
  const output = await open(file, 'w');
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command, args, { stdio: ['ignore', output.fd, 'inherit'] });
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: exit code ${code}`))));
    });
  } finally {
    await output.close();
  }
}

/** Writes what a client gives into a file, a line each. */
export async function writeLines(file: string, lines: AsyncIterable<string>): Promise<void> {
  const output = createWriteStream(file);
  for await (const line of lines) if (!output.write(`${line}\n`)) await once(output, 'drain');
  output.end();
  await once(output, 'close');
}
