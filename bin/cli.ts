import type { Command } from 'commander';
import type { Client } from './client';
import type { Printer, TextStream } from './output/printer';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly data: string;
  readonly json?: true;
  readonly url?: string;
  /** A deployed stage, to be found by its stacks. */
  readonly stage?: string;
  readonly apiKeyEnv: string;
  /** Region of the API Gateway that requests are signed for. */
  readonly signRegion?: string;
  readonly destinationUrl?: string;
}

/** The environment variables, those of `.env` included. */
export type Environment = { readonly [name: string]: string | undefined };

/** An API that a command can talk to. */
export interface Connection {
  readonly client: Client;
  /** Address of the server; absent when the command does the work itself. */
  readonly server?: string;
  close(): Promise<void>;
}

/** Where secrets are typed or piped in. */
export type SecretStream = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** What the commands need of the world around them. */
export interface Cli {
  readonly env: Environment;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Standard input, where it is another one than that of the process. */
  readonly stdin?: SecretStream;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /**
   * Reaches the server that owns the data folder, or opens the folder in this process. `work`: runs are to be worked
   * on, and sources and the destination are needed.
   */
  connect(options: GlobalOptions, needs: 'state' | 'work'): Promise<Connection>;
  /** Sets the code that the process will exit with. */
  exit(code: number): void;
}

/** One call of a command. */
export interface Call<O> {
  readonly cli: Cli;
  readonly args: readonly string[];
  readonly options: O & GlobalOptions;
  readonly printer: Printer;
}
/** A command's work; gives the exit code. */
export type Work<O> = (call: Call<O>) => Promise<number>;

/** Adds one command to the program. */
export type AddCommand = (program: Command, cli: Cli) => void;
