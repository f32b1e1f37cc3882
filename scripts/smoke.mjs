import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './bundle.mjs';

// The README's two commands in a fresh clone of the last commit: npm ci && npm start. SMOKE_PORT chooses another port.
const LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 10_000;
const deadline = Date.now() + LIMIT_MS;

const folder = mkdtempSync(join(tmpdir(), 'explorerio-smoke-'));
// The embedded PostgreSQL server does not run as root: its user must get in.
chmodSync(folder, 0o755);
const clone = join(folder, 'clone');
let app;
try {
  await smoke();
  console.log('smoke test: passed');
} catch (error) {
  console.error(`smoke test: FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const pid of [app?.pid, ...processesIn(clone)]) if (pid) kill(pid);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function smoke() {
  step(`cloning ${root}`);
  execFileSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' });
  step('npm ci');
  execFileSync('npm', ['ci'], { cwd: clone, stdio: 'inherit' });

  const port = await choosePort();
  const args = port === 8080 ? [] : ['--', '--port', String(port)];
  step(`npm start ${args.join(' ')}`);
  app = spawn('npm', ['start', ...args], { cwd: clone, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(app, 'exit').then(([code, signal]) => ({ code, signal }));

  const base = `http://127.0.0.1:${port}/api/integrations`;
  await until('the health endpoint answers', ended, async () => (await get(`${base}/health`)) !== undefined);
  await until('the sample integration has synced rows', ended, async () => {
    const list = await get(base);
    const integrations = Array.isArray(list) ? list : (Object.values(list ?? {}).find(Array.isArray) ?? []);
    for (const { id } of integrations) {
      const rows = syncedRows(await get(`${base}/${encodeURIComponent(id)}/status`));
      if (rows > 0) return step(`${id}: a run has succeeded with ${rows} rows`) ?? true;
    }
    return false;
  });

  const family = processesIn(clone);
  step(`SIGTERM to npm, with ${family.length} processes of the clone running`);
  process.kill(app.pid, 'SIGTERM');
  const start = Date.now();
  const outcome = await Promise.race([ended, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  if (!outcome) throw new Error(`it still runs ${STOP_LIMIT_MS / 1000} s after SIGTERM`);
  if (outcome.code !== 0) throw new Error(`after SIGTERM it ended with ${outcome.code ?? outcome.signal} instead of 0`);
  step(`ended with code 0 after ${Date.now() - start} ms`);
  await sleep(200);
  const left = processesIn(clone);
  if (left.length > 0) throw new Error(`it left processes behind: ${left.map(describeProcess).join('; ')}`);
}

/** Rows of the first succeeded run in a status document, wherever in it the run stands; 0 when there is none. */
function syncedRows(status) {
  if (typeof status !== 'object' || status === null) return 0;
  if (status.state === 'succeeded' && status.rows > 0) return status.rows;
  return Math.max(0, ...Object.values(status).map(syncedRows));
}

async function get(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined; // not there yet; the deadline ends the waiting
  }
}

async function until(what, ended, check) {
  let outcome;
  ended.then((value) => {
    outcome = value;
  });
  while (!(await check())) {
    if (outcome) throw new Error(`npm start ended with ${outcome.code ?? outcome.signal} before ${what}`);
    if (Date.now() > deadline) throw new Error(`${LIMIT_MS / 1000} s were not enough until ${what}`);
    await sleep(200);
  }
  step(what);
}

async function choosePort() {
  if (process.env.SMOKE_PORT) return Number(process.env.SMOKE_PORT);
  if (await isFree(8080)) return 8080;
  for (let port = 21_080; ; port++) if (await isFree(port)) return port;
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Processes whose program or working folder is inside `path`, zombies left out. */
function processesIn(path) {
  const inside = (link) => {
    try {
      return readlinkSync(link).startsWith(`${path}/`) || readlinkSync(link) === path;
    } catch {
      return false; // ended meanwhile
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => inside(`/proc/${pid}/exe`) || inside(`/proc/${pid}/cwd`)).map(Number);
}

function describeProcess(pid) {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`;
  } catch {
    return String(pid);
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function step(text) {
  console.log(`smoke test, ${((Date.now() - deadline + LIMIT_MS) / 1000).toFixed(1)} s: ${text}`);
}
