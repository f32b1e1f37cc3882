import { StringDecoder } from 'node:string_decoder';
import { Fault } from '../lib/core/fault';
import { Secret } from '../lib/core/secret';
import type { Cli, SecretStream } from './cli';

/** Where a secret is to be read from; neither: it is asked for. */
export interface SecretInput {
  readonly fromEnv?: string;
  readonly stdin?: true;
}

const LARGEST = 256 * 1024;

/** Reads a secret, which is never an argument: others could see it in the list of processes and in the shell's history. */
export async function readSecretInput(cli: Cli, { fromEnv, stdin }: SecretInput, what: string): Promise<Secret> {
  if (fromEnv !== undefined && stdin) throw usage(what, 'both --from-env and --stdin are given');
  const value = fromEnv === undefined ? await fromStream(cli, stdin === true, what) : cli.env[fromEnv];
  if (value === undefined) throw usage(what, `the environment variable ${fromEnv} is not set`);
  if (value === '') throw usage(what, 'it is empty');
  return new Secret(value);
}

async function fromStream(cli: Cli, piped: boolean, what: string): Promise<string> {
  const input = cli.stdin ?? process.stdin;
  if (piped) return withoutLineEnd(await readAll(input, what));
  if (!input.isTTY) throw usage(what, 'there is nobody to ask');
  const value = await askSecret(cli.stderr, input, `${what}: `);
  if (value !== (await askSecret(cli.stderr, input, 'The same again: '))) throw usage(what, 'the two are not the same');
  return value;
}

async function readAll(input: SecretStream, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const next = Buffer.from(chunk as string | Uint8Array);
    bytes += next.length;
    if (bytes > LARGEST) throw usage(what, `it is longer than ${LARGEST} bytes`);
    chunks.push(next);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A key in PEM keeps the line ends within it. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

// What a terminal sends, which does nothing itself with what is typed: Enter, Ctrl-C and Ctrl-D, and the key that erases.
const ENDS = new Set(['\r', '\n']);
const BREAKS = new Set(['\u0003', '\u0004']);
const ERASES = new Set(['\u007f', '\b']);

/** Asks without showing what is typed. */
export function askSecret(
  output: Pick<Cli['stderr'], 'write'>,
  input: SecretStream,
  question: string,
): Promise<string> {
  output.write(question);
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    let typed = '';
    const end = (finish: () => void): void => {
      input.off('data', take);
      input.off('end', closed);
      input.setRawMode?.(false);
      input.pause();
      output.write('\n');
      finish();
    };
    const closed = () => end(() => reject(usage('reading', 'the input has ended')));
    const take = (data: Buffer | string): void => {
      for (const character of typeof data === 'string' ? data : decoder.write(data)) {
        if (ENDS.has(character)) {
          end(() => resolve(typed));
          return;
        }
        if (BREAKS.has(character)) {
          end(() => reject(usage('reading', 'it was interrupted')));
          return;
        }
        typed = ERASES.has(character) ? [...typed].slice(0, -1).join('') : typed + character;
      }
    };
    input.setRawMode?.(true);
    input.on('data', take);
    input.on('end', closed);
    input.resume();
  });
}

function usage(what: string, reason: string): Fault {
  return new Fault('config', 'no_secret_given', `${what}: ${reason}`, {
    hint: 'Type it when asked, pipe it in with --stdin, or name an environment variable with --from-env.',
  });
}
