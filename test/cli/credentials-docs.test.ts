import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { rawKey } from '../../lib/adapters/embedded/credential-cipher';
import { FileStores } from '../../lib/adapters/embedded/credential-stores';
import { loadConnector } from '../../lib/connectors';
import { Redactor } from '../../lib/core/secret';
import { checkDocument } from '../../lib/engine/document';
import { MemorySecrets } from '../memory/secrets';
import { commandLine, connectionTo } from './command-line';

const page = readFileSync(new URL('../../docs/credentials.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

describe('the examples of docs/credentials.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-docs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are documents that are right where the folder is allowed', async () => {
    const credentialStores = new FileStores({
      dataFolder: folder,
      folders: ['/secure'],
      environment: new MemorySecrets({}),
      redactor: new Redactor(),
      clock: { now: () => 0 },
      warn: () => undefined,
    });
    expect(blocks('json')).toHaveLength(1);
    for (const text of blocks('json')) {
      const checked = await checkDocument(JSON.parse(text), loadConnector, { credentialStores });
      expect(checked.fields.credential_store).toBeDefined();
    }
  });

  it('are an environment with keys that can be used', () => {
    const [values] = blocks('dotenv').map((text) => parseEnv(text));
    expect(rawKey(values?.EXPLORERIO_ENCRYPTION_KEY ?? '')).toHaveLength(32);
    expect(values?.EXPLORERIO_CREDENTIALS_FOLDERS).toBe('/secure');
    expect(values?.ENCRYPTION_KEY?.length).toBeGreaterThan(12);
  });

  it('are commands that work, one after the other', async () => {
    const secure = join(folder, 'secure');
    mkdirSync(secure);
    const commands = blocks('explorerio').join('').trim().split('\n');
    expect(commands.length).toBeGreaterThan(5);
    let key = 'the key before its change';
    for (const command of commands) {
      const [program, ...args] = command.replace('/secure/', `${secure}/`).split(' ');
      expect(program).toBe('explorerio');
      const env = {
        EXPLORERIO_ENCRYPTION_KEY: key,
        PGPASSWORD: 'canary',
        NEW_KEY: 'the key after its change',
        ENCRYPTION_KEY: 'the key of the other file',
      };
      const connection = connectionTo({ credentials: async () => [] });
      const { code, out, err } = await commandLine([...args, '--data', join(folder, 'data')], { env, connection });
      expect([command, code, err]).toEqual([command, 0, '']);
      expect(out).not.toContain('canary');
      if (args.includes('rotate-key')) key = env.NEW_KEY;
    }
  });
});
