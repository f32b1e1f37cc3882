import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invokeOnce } from '../test/functions/runtime-interface';
import { median } from './harness';

// How long a cold function needs until it asks for its first event, above an empty handler in the same runtime
// interface client, alternating. The ratio is of the 300 ms that a sync function may take.
const GOAL_MS = 300;
const ROUNDS = Number(process.env.BENCH_REPEAT ?? 9);
const BARE = 'bare';

const folder = mkdtempSync(join(tmpdir(), 'explorerio-init-'));
try {
  execFileSync(process.execPath, ['build-functions.mjs', '.build/functions-init'], { stdio: 'inherit' });
  cpSync('.build/functions-init', folder, { recursive: true });
  mkdirSync(join(folder, BARE));
  writeFileSync(join(folder, BARE, 'index.cjs'), 'exports.handler = async () => null;');
  const names = readdirSync(folder).filter((name) => name !== 'maps');
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    // What a function answers without its environment does not matter: its first request has come before.
    for (const name of names) times.get(name)?.push((await invokeOnce(join(folder, name), {}, {})).initMs);
  }
  const bare = median(times.get(BARE) ?? []);
  for (const name of names) {
    const init = median(times.get(name) ?? []);
    const ratio = ((init - bare) / GOAL_MS).toFixed(2);
    console.log(`bench function-init ${name} ratio=${ratio} goal=1 rate=${(1000 / init).toFixed(1)}/s rss_mb=0`);
    console.error(`${name}: ${init.toFixed(0)} ms, ${(init - bare).toFixed(0)} ms above the empty handler`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
