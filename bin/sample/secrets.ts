import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secrets } from '../../lib/core/ports';
import { Secret } from '../../lib/core/secret';
import type { EmbeddedServer } from '../embedded';
import { randomPassword, SAMPLE_DATABASE, SAMPLE_ROLE } from './source';

/** The name under which the sample's document refers to its source. The server's port may change, so it is a secret. */
export const SAMPLE_URL = 'EXPLORERIO_SAMPLE_URL';

/** The password of the demo role, made at the first call and kept in the data folder. */
export async function samplePassword(dataFolder: string): Promise<string> {
  const file = join(dataFolder, 'sample-password');
  try {
    await writeFile(file, randomPassword(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(file, 'utf8');
}

/** Answers only for {@link SAMPLE_URL}; then starts the embedded server, which the sample's source is in. */
export function sampleSecrets(dataFolder: string): (server: () => Promise<EmbeddedServer>) => Secrets {
  return (server) => ({
    async get(name) {
      if (name !== SAMPLE_URL) return undefined;
      const { host, port } = await server();
      const password = await samplePassword(dataFolder);
      return new Secret(`postgresql://${SAMPLE_ROLE}:${password}@${host}:${port}/${SAMPLE_DATABASE}`);
    },
  });
}
