import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, root } from './bundle.mjs';

// node scripts/run.mjs [--if-present] FILE.ts ARGUMENTS...
// node scripts/run.mjs FOLDER/ NAME ARGUMENTS...
const args = process.argv.slice(2);
const optional = args[0] === '--if-present' && args.shift() !== undefined;
const first = args.shift() ?? fail('which file? Usage: node scripts/run.mjs FILE.ts ARGUMENTS...');
const file = first.endsWith('/') ? join(first, `${args.shift() ?? fail(choices(first))}.ts`) : first;

if (existsSync(join(root, file))) {
  process.setSourceMapsEnabled(true);
  const name = basename(file, '.ts');
  removeLeftOvers('.build');
  // One folder a process, so that two runs at the same time do not replace each other's chunks.
  const folder = `.build/${name}-${process.pid}`;
  process.once('exit', () => rmSync(join(root, folder), { recursive: true, force: true }));
  process.argv.splice(1, process.argv.length, join(root, file), ...args);
  await import(pathToFileURL(await bundle(file, folder, name)).href);
} else if (!optional) {
  fail(first.endsWith('/') ? `there is no ${file}. ${choices(first)}` : `there is no ${file}`);
}

// A process that was killed could not remove its own.
function removeLeftOvers(parent) {
  if (!existsSync(join(root, parent))) return;
  for (const folder of readdirSync(join(root, parent))) {
    const pid = Number(/-(\d+)$/.exec(folder)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(root, parent, folder), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function choices(folder) {
  const path = join(root, folder);
  const names = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.ts')) : [];
  return `Choose one of: ${names.map((name) => basename(name, '.ts')).join(', ') || 'nothing is there yet'}`;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
