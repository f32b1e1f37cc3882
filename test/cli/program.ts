import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a process did from start to end. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** A running command line. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when one of its outputs holds `text`; fails when the process ends first. */
  until(text: string): Promise<void>;
}

/** The bundled program, built once for the tests of one file, beside `dist` that somebody else may be building. */
export class Program {
  readonly #folder: string;
  readonly #script: string;
  /** A folder that every user may enter, as the embedded server's user has to. */
  readonly scratch: string;

  constructor() {
    const name = `.build/cli-${process.pid}`;
    this.#folder = join(root, name);
    const build = `import('./scripts/bundle.mjs').then(({ bundle }) => bundle('bin/explorerio.ts', '${name}', 'explorerio'))`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', build], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`the program could not be built: ${stderr}`);
    this.#script = join(this.#folder, 'explorerio.js');
    this.scratch = mkdtempSync(join(tmpdir(), 'explorerio-cli-'));
    chmodSync(this.scratch, 0o755);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const child = spawn(process.execPath, [this.#script, ...args], {
      cwd: this.scratch,
      env: { PATH: process.env.PATH, HOME: this.scratch, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    const text = new EventEmitter();
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      out += more;
      text.emit('more');
    });
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      err += more;
      text.emit('more');
    });
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out, err }));
    const until = async (wanted: string): Promise<void> => {
      const found = () => out.includes(wanted) || err.includes(wanted);
      while (!found()) {
        const last = await Promise.race([ended, once(text, 'more').then(() => undefined)]);
        if (last && !found()) throw new Error(`it ended with ${last.code} before "${wanted}": ${err}`);
      }
    };
    return { process: child, ended, until };
  }

  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
    return this.start(args, env).ended;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(this.scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}
