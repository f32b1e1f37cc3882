import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentSecrets } from '../../../lib/adapters/embedded/secrets';
import { describeSecrets } from '../../contracts/secrets';
import { temporaryFolder } from './temporary';

describeSecrets('environment', async (values) => {
  const environment: NodeJS.ProcessEnv = { ...values };
  return {
    secrets: new EnvironmentSecrets([], environment),
    change: async (name, value) => {
      environment[name] = value;
    },
    close: async () => undefined,
  };
});

describeSecrets('.env', async (values) => {
  const folder = temporaryFolder();
  const current = new Map(Object.entries(values));
  const write = () => {
    const lines = [...current].map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(join(folder.path, '.env'), `# comment\n${lines.join('')}`);
  };
  write();
  return {
    secrets: new EnvironmentSecrets([folder.path], {}),
    change: async (name, value) => {
      current.set(name, value);
      write();
    },
    close: async () => folder.remove(),
  };
});

describe('secrets of several places', () => {
  const folder = temporaryFolder();
  const first = join(folder.path, 'first');
  const second = join(folder.path, 'second');
  beforeAll(() => {
    for (const path of [first, second]) mkdirSync(path);
    writeFileSync(join(first, '.env'), 'A=first\nB=first\n');
    writeFileSync(join(second, '.env'), 'A=second\nB=second\nC="second\\nline"\nexport D=exported\n');
  });
  afterAll(() => folder.remove());

  it.each([
    ['A', 'environment'],
    ['B', 'first'],
    ['C', 'second\nline'],
    ['D', 'exported'],
  ])('%s is taken from the first that has it', async (name, value) => {
    const secrets = new EnvironmentSecrets([first, join(folder.path, 'missing'), second], { A: 'environment' });
    expect((await secrets.get(name))?.reveal()).toBe(value);
  });

  it('says which file cannot be read', async () => {
    mkdirSync(join(folder.path, 'odd', '.env'), { recursive: true });
    await expect(new EnvironmentSecrets([join(folder.path, 'odd')], {}).get('A')).rejects.toMatchObject({
      kind: 'config',
      code: 'env_file_unreadable',
      message: expect.stringContaining('odd/.env'),
    });
  });
});
