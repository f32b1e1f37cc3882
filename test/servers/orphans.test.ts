import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { postgresqlUnavailable, startPostgresql } from './postgresql';
import { notRun } from './require';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Started {
  readonly pid: number;
  readonly dataDirectory: string;
}

async function startInAnotherProcess(version: number): Promise<{ owner: ChildProcess; server: Started }> {
  const owner = spawn(process.execPath, ['scripts/run.mjs', 'test/servers/start-and-wait.ts', String(version)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, server: JSON.parse(line.toString()) as Started };
}

async function isGone(check: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (check()) return true;
    await sleep(50);
  }
  return false;
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true; // ESRCH
  }
}

describe.each([
  [15, ['SIGKILL', 'SIGTERM', 'SIGINT']],
  [18, ['SIGKILL']],
] as const)('a test process with PostgreSQL %i', (version, signals) => {
  const tests = () => {
    it.each(signals)('leaves nothing behind after %s', async (signal) => {
      const { owner, server } = await startInAnotherProcess(version);
      expect(hasEnded(server.pid)).toBe(false);
      owner.kill(signal);
      expect(await isGone(() => hasEnded(server.pid))).toBe(true);
      expect(await isGone(() => !existsSync(server.dataDirectory))).toBe(true);
    });

    it('leaves nothing behind when it stops its server', async () => {
      const server = await startPostgresql({ version });
      expect(hasEnded(server.pid)).toBe(false);
      await server.stop();
      expect(hasEnded(server.pid)).toBe(true);
      expect(existsSync(server.dataDirectory)).toBe(false);
    });
  };
  const reason = postgresqlUnavailable({ version });
  if (reason === undefined) tests();
  else notRun(`PostgreSQL ${version}`, reason, tests);
});
