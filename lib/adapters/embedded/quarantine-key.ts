import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../core/secret';
import { writePrivate } from './private-files';

/** The key of the quarantine: `given`, or the one in the data folder, which is made once. */
export function quarantineKey(dataFolder: string, given: string | undefined): Secret {
  if (given !== undefined && given !== '') return new Secret(given);
  const path = join(dataFolder, 'quarantine.key');
  if (!existsSync(path)) writePrivate(path, `${randomBytes(32).toString('hex')}\n`);
  return new Secret(readFileSync(path, 'utf8').trim());
}
