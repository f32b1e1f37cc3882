import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type GivenServer, VERIFY_PREFIX } from '../contracts/given-server';
import type { Config } from '../contracts/source-reading';
import { type VerifiedType, verifiedTypes } from './types';

/** What was asked for on the command line. */
export interface VerifyOptions {
  readonly url?: string;
  readonly config?: string;
  readonly schema?: string;
}

/** What `npm run verify` cannot do: one line for the user. */
export class Refusal extends Error {}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LETTERS_OF_A_RUN = 6;

/** The type by its name. @throws Refusal */
export function typeOf(type: string): VerifiedType {
  const known = Object.hasOwn(verifiedTypes, type) ? verifiedTypes[type] : undefined;
  if (known === undefined) {
    throw new Refusal(
      `there is no way to verify "${type}"; there is one for: ${Object.keys(verifiedTypes).join(', ')}`,
    );
  }
  return known;
}

/** The server that is meant, without its password. @throws Refusal */
export function givenServer(type: string, { url, config: file, schema }: VerifyOptions): GivenServer {
  const known = typeOf(type);
  const config = file === undefined ? {} : readConfig(file);
  if (url === undefined && config.connection === undefined) {
    throw new Refusal(`say which server by --url, as in --url ${known.example}, or by a "connection" in --config`);
  }
  const connection = { ...(config.connection as Config), ...(url !== undefined && connectionOf(known, url)) };
  const { [known.password]: secret } = connection;
  if (secret !== undefined) throw new Refusal(`leave "${known.password}" out of the file; name it by --password-env`);
  return {
    type,
    config: { ...config, connection },
    prefix: `${VERIFY_PREFIX}${nameOfRun()}_`,
    ...(schema !== undefined && { schema }),
  };
}

/** The same with its password. */
export function withPassword(given: GivenServer, password: string | undefined): GivenServer {
  if (password === undefined) return given;
  const { config, type } = given;
  const connection = { ...(config.connection as Config), [typeOf(type).password]: password };
  return { ...given, config: { ...config, connection } };
}

function connectionOf({ schemes, example, place, connection }: VerifiedType, text: string): Config {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.includes(url.protocol.slice(0, -1))) {
    throw new Refusal(`--url must be of the form ${example}`);
  }
  if (url.password !== '') {
    throw new Refusal(
      'there is a password in --url, where others can see it: leave it out, and name the environment variable that holds it by --password-env',
    );
  }
  const isNamed = url.pathname.length > 1 || url.protocol === 'dynamodb:';
  if (place !== undefined && !isNamed) {
    throw new Refusal(`--url must name the ${place} that may be written to, as in ${example}`);
  }
  if (url.search !== '' && !schemes.includes('mongodb')) {
    throw new Refusal(
      `--url must not have parameters: put what they say into the "connection" of a file, and name it by --config`,
    );
  }
  return connection(url);
}

function readConfig(file: string): Config {
  try {
    const config: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Config;
  } catch (error) {
    throw new Refusal(`reading ${file}: ${(error as Error).message}`);
  }
  throw new Refusal(`${file} must hold an object such as {"connection": {"ssl": true}}`);
}

function nameOfRun(): string {
  return Array.from({ length: LETTERS_OF_A_RUN }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
