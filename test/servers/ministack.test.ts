import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Ministack, ministack, startMinistack } from './ministack';
import { describeWithServer } from './require';

const root = fileURLToPath(new URL('../..', import.meta.url));
// An idle function ends by itself when the emulator does; a child of it does not.
const HANDLER = `const { spawn } = require('node:child_process');
exports.handler = async () => ({
  pid: spawn('sleep', ['60'], { stdio: 'ignore' }).pid,
  node: process.version,
  seen: process.env.SEEN ?? null,
});`;

interface Answer {
  /** Of a process that the function has started. */
  readonly pid: number;
  readonly node: string;
  readonly seen: string | null;
}

/** Makes and calls a function; its processes stay. */
async function callFunction(url: string): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-function-'));
  writeFileSync(join(folder, 'index.js'), HANDLER);
  execFileSync('python3', ['-m', 'zipfile', '-c', 'code.zip', 'index.js'], { cwd: folder });
  const code = readFileSync(join(folder, 'code.zip')).toString('base64');
  rmSync(folder, { recursive: true });
  const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request' };
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${url}/2015-03-31/functions${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  await post('', {
    FunctionName: 'f',
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: 'arn:aws:iam::000000000000:role/r',
    Code: { ZipFile: code },
  });
  return (await post('/f/invocations', {})) as Answer;
}

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody waits for is gone for our purposes.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // ENOENT
  }
}

async function becomesDead(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (!isAlive(pid)) return true;
    await sleep(50);
  }
  return false;
}

async function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // ECONNREFUSED
  } finally {
    socket.destroy();
  }
}

describeWithServer('MiniStack', ministack({ environment: { SEEN: 'given' } }), (server) => {
  it('listens on 127.0.0.1 only, on a port that no outgoing connection can hold', async () => {
    const port = Number(new URL(server().url).port);
    expect(port).toBeLessThan(32768);
    expect(await canConnect('127.0.0.1', port)).toBe(true);
    expect(await canConnect('127.0.0.2', port)).toBe(false);
  });

  it('runs functions on the node of PATH, with what they are given and nothing else of ours', async () => {
    const { node, seen } = await callFunction(server().url);
    expect(node).toBe(execFileSync('node', ['--version']).toString().trim());
    expect(seen).toBe('given');
  });

  it('leaves no function behind when it is stopped', async () => {
    const own: Ministack = await startMinistack();
    const { pid } = await callFunction(own.url);
    expect(isAlive(pid)).toBe(true);
    await own.stop();
    expect(await becomesDead(pid)).toBe(true);
    expect(isAlive(own.pid)).toBe(false);
  });

  it('leaves nothing behind when its process is killed', async () => {
    const owner = spawn(process.execPath, ['scripts/run.mjs', 'test/servers/start-ministack-and-wait.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const { pid, url } = JSON.parse(line.toString()) as { readonly pid: number; readonly url: string };
    const called = await callFunction(url);
    expect([isAlive(pid), isAlive(called.pid)]).toEqual([true, true]);
    owner.kill('SIGKILL');
    expect([await becomesDead(pid), await becomesDead(called.pid)]).toEqual([true, true]);
  });
});
