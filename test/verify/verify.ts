import { loadConnector } from '../../lib/connectors';
import type { Fault } from '../../lib/core/fault';
import { type GivenServer, type GivenSource, VERIFY_PREFIX } from '../contracts/given-server';
import { recordingLogger } from '../contracts/recording-logger';
import { TROUBLE } from '../contracts/trouble-titles';
import { runSuite } from './jest';
import { type CheckResult, redacted, report } from './report';
import { Refusal, typeOf } from './request';

/** What a run needs of the process that it is in. */
export interface VerifyHome {
  /** The project's folder. */
  readonly root: string;
  readonly only?: string;
  /** Ends the suite; what was made is removed all the same. */
  readonly signal: AbortSignal;
  print(line: string): void;
}

/** How a run ends. */
export const EXIT = { passed: 0, failed: 1, refused: 2, interrupted: 130 } as const;

const SECRETS = 'secrets are in no log line, fault, report or JSON';
const CHECK_MS = 60_000;

/** Runs the suite against a server of the user's, and takes away what it made. Gives the exit code. @throws Refusal */
export async function verify(given: GivenServer, home: VerifyHome): Promise<number> {
  const secrets = secretsOf(given);
  const print = (line: string) => home.print(redacted(line, secrets));
  try {
    await connects(given, home.signal);
    const source = await opened(given);
    try {
      await announce(given, source, print);
      return await run(given, source, { ...home, print });
    } finally {
      await source.stop();
    }
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(redacted(error.message, secrets));
    throw error;
  }
}

function secretsOf({ type, config }: GivenServer): (string | undefined)[] {
  const { [typeOf(type).password]: password } = config.connection as { readonly [name: string]: string | undefined };
  return [password];
}

/** The connection test first: it says in one line what is wrong. */
async function connects({ type, config }: GivenServer, signal: AbortSignal): Promise<void> {
  const connector = await loadConnector(type);
  const refusal = ({ message, hint = '' }: Fault) => new Refusal(`${message}. ${hint}`);
  const source = await connector.open(config, { log: recordingLogger().log }).catch((fault: Fault) => {
    throw refusal(fault);
  });
  try {
    const report = await source
      .check(AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)]))
      .catch((fault: Fault) => {
        throw refusal(fault);
      });
    const failed = report.steps.find(({ state }) => state === 'failed');
    // What may be read is another question: nothing is there yet.
    if (failed && !['permissions', 'read'].includes(failed.name)) {
      throw new Refusal(`${failed.detail}. ${failed.hint ?? ''}`);
    }
  } finally {
    await source.close();
  }
}

async function opened(given: GivenServer): Promise<GivenSource> {
  const { makes, open } = typeOf(given.type);
  const source = await open(given).catch((error: Error) => {
    throw new Refusal(`connecting to write: ${error.message}`);
  });
  try {
    await source.seed(1);
    await source.removeAll();
    return source;
  } catch (error) {
    await source.stop();
    throw new Refusal(
      `this user cannot make ${makes} and write to them: ${(error as Error).message}. The suite needs to; give it a user who may, on a database for tests.`,
    );
  }
}

async function announce(given: GivenServer, source: GivenSource, print: VerifyHome['print']): Promise<void> {
  const { makes } = typeOf(given.type);
  print(`Verifies ${given.type} on ${placeOf(given)}.`);
  print(
    `It makes ${makes} whose names begin with ${given.prefix}, with at most about 250 MB in them, and removes them in the end. Nothing else is read or changed.`,
  );
  print('It tries to log in as a user whom nobody knows, to see that this is refused.');
  const left = await source.made(VERIFY_PREFIX);
  if (left.length > 0) {
    print(`Of an earlier run that was ended by force, or of one that still runs, there are: ${left.join(', ')}.`);
  }
  print('');
}

function placeOf({ config, schema }: GivenServer): string {
  const shown = Object.entries(config.connection as object).filter(
    ([name, value]) => !/password|secret|token|key|cert/.test(name) && typeof value !== 'object',
  );
  const parts = shown.map(([name, value]) => `${name} ${value}`);
  return [...parts, ...(schema === undefined ? [] : [`schema ${schema}`])].join(', ');
}

async function run(given: GivenServer, source: GivenSource, home: VerifyHome): Promise<number> {
  const { root, only, signal, print } = home;
  const waivers = { ...missing(source), ...shownAnyway(given), ...source.notRun };
  const results = await runSuite({
    root,
    given,
    waivers,
    signal,
    ...(only !== undefined && { only }),
    done: ({ state, check, reason }) => print(`${state.padEnd(8)} ${check}${reason === '' ? '' : `\n${reason}`}`),
    say: print,
  });
  const isClean = await removed(given, source, print);
  print(`\n${report(results)}`);
  if (signal.aborted) {
    print('It was interrupted: checks that are not in the table were not run.');
    return EXIT.interrupted;
  }
  const passed = results.some(({ state }) => state === 'passed');
  return passed && isClean && !results.some(isFailed) ? EXIT.passed : EXIT.failed;
}

const isFailed = ({ state }: CheckResult) => state === 'FAILED';

/** What such a server cannot be asked for. */
function missing({ line }: GivenSource): { readonly [check: string]: string } {
  const between = 'nothing can be put between here and the server: it is encrypted, or of several machines';
  return {
    [TROUBLE.many]: 'it would make 10,000 of them on a server of yours',
    ...(line === undefined && { [TROUBLE.lost]: between, [TROUBLE.silent]: between }),
  };
}

/** A password that is a part of what may be shown cannot be looked for. */
function shownAnyway(given: GivenServer): { readonly [check: string]: string } {
  const [password] = secretsOf(given);
  const { [typeOf(given.type).password]: _password, ...others } = given.config.connection as object &
    Record<string, unknown>;
  if (password === undefined || !JSON.stringify(others).includes(password)) return {};
  return { [SECRETS]: 'the password is a part of what may be shown, such as the name of the user' };
}

async function removed(given: GivenServer, source: GivenSource, print: VerifyHome['print']): Promise<boolean> {
  try {
    await source.removeAll();
    const left = await source.made(given.prefix);
    if (left.length === 0) {
      print('\nWhat was made has been removed.');
      return true;
    }
    print(`\nThese are left, and are to be removed by hand: ${left.join(', ')}`);
  } catch (error) {
    print(`\nWhat begins with ${given.prefix} could not be removed: ${(error as Error).message}`);
  }
  return false;
}
