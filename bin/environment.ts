import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Fault } from '../lib/core/fault';
import type { Environment } from './cli';

/**
 * The environment, and below it the variables of a `.env` file. They are not put into `process.env`: the processes that
 * we start would inherit every secret in it.
 */
export function readEnvironment(file: string, environment: NodeJS.ProcessEnv): Environment {
  try {
    return { ...parseEnv(readFileSync(file, 'utf8')), ...environment };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return environment;
    throw new Fault('config', 'env_file_unreadable', `reading ${file}: ${code ?? String(error)}`, {
      hint: 'Let this user read that file, or move it away.',
      cause: error,
    });
  }
}
