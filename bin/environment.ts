import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Fault } from '../lib/core/fault';
import type { Environment } from './cli';

/**
 * The environment, and below it the variables of a `.env` file. They are not put into `process.env`: the processes that
 * we start would inherit every secret in it. What is from the file is no own member of the result: who reads the file again
 * tells by that what may have changed since.
 */
export function readEnvironment(file: string, environment: NodeJS.ProcessEnv): Environment {
  try {
    const fromFile = Object.assign(Object.create(null), parseEnv(readFileSync(file, 'utf8')));
    return Object.assign(Object.create(fromFile), environment) as Environment;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return environment;
    throw new Fault('config', 'env_file_unreadable', `reading ${file}: ${code ?? String(error)}`, {
      hint: 'Let this user read that file, or move it away.',
      cause: error,
    });
  }
}
