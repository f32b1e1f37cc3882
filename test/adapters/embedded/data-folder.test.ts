import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder, readOwner } from '../../../lib/adapters/embedded/data-folder';
import { type Child, startChild } from './children';
import { temporaryFolder } from './temporary';

interface Outcome {
  readonly won: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

describe('data folder', () => {
  const folder = temporaryFolder();
  const children: Child[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
  });
  afterAll(() => folder.remove());

  async function lockInChild(path: string): Promise<{ child: Child; outcome: Outcome }> {
    const child = startChild('lock', path);
    children.push(child);
    await child.until(1);
    return { child, outcome: child.lines[0] as Outcome };
  }

  it('is made for its owner alone and kept out of repositories', async () => {
    const path = join(folder.path, 'new', 'folder');
    const opened = await openDataFolder(path);
    expect(statSync(path).mode & 0o066).toBe(0);
    expect(statSync(join(path, 'owner.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n');
    expect(opened.statePath).toBe(join(path, 'state.db'));
    expect(readOwner(path)).toEqual({ pid: process.pid });
    opened.announce('http://127.0.0.1:9');
    expect(readOwner(path)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:9' });
    opened.close();
    expect(readOwner(path)).toBeUndefined();
    (await openDataFolder(path)).close();
  });

  it('is opened by exactly one of processes that race for it, and the others are told by whom', async () => {
    const path = join(folder.path, 'race');
    const all = await Promise.all(Array.from({ length: 4 }, () => lockInChild(path)));
    const winners = all.filter(({ outcome }) => outcome.won);
    expect(winners).toHaveLength(1);
    for (const { outcome } of all.filter(({ outcome: { won } }) => !won)) {
      expect(outcome).toMatchObject({ code: 'data_folder_in_use' });
      expect(outcome.message).toContain(`${winners[0]?.child.pid}`);
      expect(outcome.hint).toContain(`kill ${winners[0]?.child.pid}`);
    }
    await expect(openDataFolder(path)).rejects.toMatchObject({
      kind: 'config',
      code: 'data_folder_in_use',
      message: expect.stringContaining('http://127.0.0.1:8080'),
      hint: expect.stringContaining('http://127.0.0.1:8080'),
    });
    expect(readOwner(path)).toEqual({ pid: winners[0]?.child.pid, url: 'http://127.0.0.1:8080' });
  });

  it('is free at once after its process was killed', async () => {
    const path = join(folder.path, 'killed');
    const { child } = await lockInChild(path);
    await child.kill();
    expect(existsSync(join(path, 'owner.json'))).toBe(true);
    expect(readOwner(path)).toBeUndefined();
    (await openDataFolder(path)).close();
  });

  it('has one owner also within a process, and readers do not take it away', async () => {
    const path = join(folder.path, 'same-process');
    const opened = await openDataFolder(path);
    await expect(openDataFolder(path)).rejects.toMatchObject({ code: 'data_folder_in_use' });
    readOwner(path);
    expect((await lockInChild(path)).outcome).toMatchObject({ won: false, code: 'data_folder_in_use' });
    opened.close();
  });

  it('that cannot be used says so', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    await expect(openDataFolder(join(folder.path, 'file', 'below'))).rejects.toMatchObject({
      kind: 'config',
      code: 'data_folder_unusable',
    });
    mkdirSync(join(folder.path, 'broken', 'lock.db'), { recursive: true });
    await expect(openDataFolder(join(folder.path, 'broken'))).rejects.toMatchObject({ code: 'data_folder_unusable' });
    expect(readOwner(join(folder.path, 'not-there'))).toBeUndefined();
  });
});
