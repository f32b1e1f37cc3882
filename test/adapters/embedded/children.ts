import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A process of its own that runs child.ts. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it printed so far, one JSON value a line. */
  readonly lines: unknown[];
  /** Waits for that many lines. */
  until(lines: number): Promise<void>;
  /** Ends it without a chance to clean up. */
  kill(): Promise<void>;
}

/** Starts child.ts on a path. */
export function startChild(work: 'lock' | 'write' | 'server', path: string): Child {
  const child = spawn(process.execPath, ['scripts/run.mjs', 'test/adapters/embedded/child.ts', work, path], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: unknown[] = [];
  const reader = createInterface({ input: child.stdout });
  let wake = (): void => undefined;
  reader.on('line', (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  child.once('exit', () => wake());
  return {
    process: child,
    pid: child.pid ?? 0,
    lines,
    async until(count) {
      while (lines.length < count) {
        if (child.exitCode !== null) throw new Error(`child.ts ended with ${child.exitCode}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
      child.kill('SIGKILL');
      await ended;
    },
  };
}
