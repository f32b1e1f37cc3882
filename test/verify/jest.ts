import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { GivenServer } from '../contracts/given-server';
import { type CheckResult, type JestResult, resultOf } from './report';

/** One run of the suite against a server. */
export interface SuiteRun {
  /** The project's folder. */
  readonly root: string;
  readonly given: GivenServer;
  readonly waivers: { readonly [check: string]: string };
  /** Only the checks whose title holds this. */
  readonly only?: string;
  readonly signal: AbortSignal;
  /** Told of each check that has ended. */
  done(result: CheckResult): void;
  /** Told what else is printed. */
  say(text: string): void;
}

type Message =
  | { readonly kind: 'done'; readonly result: JestResult }
  | { readonly kind: 'all'; readonly results: readonly JestResult[]; readonly error?: string };

const KILL_AFTER_MS = 5000;
// Somebody's server may be far away.
const PATIENCE = '4';

/** Runs the suite in a process of its own; gives what is known of each check when it has ended. */
export async function runSuite(run: SuiteRun): Promise<readonly CheckResult[]> {
  const { root, given, waivers, signal } = run;
  const child = spawn(process.execPath, jestArguments(run), {
    cwd: root,
    env: { ...process.env, EXPLORERIO_VERIFY: JSON.stringify({ given, waivers }), TEST_PATIENCE: PATIENCE },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const stop = () => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  };
  for (const stream of [child.stdout, child.stderr]) stream && sayLines(stream, run);
  let results: readonly CheckResult[] = [];
  child.on('message', (message: Message) => {
    if (message.kind === 'done') {
      results = [...results, resultOf(message.result)];
      run.done(resultOf(message.result));
    } else {
      results = message.results.filter(isWanted(run)).map(resultOf);
      if (message.error !== undefined) run.say(`the suite could not be run: ${message.error}`);
      // All is known; what a driver has left open must not keep anybody waiting.
      setTimeout(stop, KILL_AFTER_MS).unref();
    }
  });
  signal.addEventListener('abort', stop, { once: true });
  await new Promise((resolve) => child.once('close', resolve));
  return results;
}

function jestArguments({ only }: SuiteRun): string[] {
  return [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join('node_modules', 'jest', 'bin', 'jest.js'),
    '--runInBand',
    '--testMatch=<rootDir>/test/verify/suite.ts',
    '--reporters=<rootDir>/scripts/verify-reporter.mjs',
    ...(only === undefined ? [] : [`--testNamePattern=${only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`]),
  ];
}

function isWanted({ only = '' }: SuiteRun): (result: JestResult) => boolean {
  return ({ title }) => title.toLowerCase().includes(only.toLowerCase());
}

function sayLines(stream: Readable, { say }: SuiteRun): void {
  let left = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (left + text).split('\n');
    left = lines.pop() ?? '';
    for (const line of lines) say(line);
  });
  stream.once('end', () => left !== '' && say(left));
}
