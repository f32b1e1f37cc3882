import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresql } from '../test/servers/postgresql';
import { CASES } from './connector-cases';
import type { ConnectorCase, RunningCase } from './connector-cases/case';
import { median, REPEAT, ROWS, report, run, sync } from './harness';
import type { ScanResult, ScanTask } from './scan-child';

// Per connector: a full read into nothing by one part against the fastest bare client that writes a file, alternating, in
// one run on one machine; the same by four parts, and the sync into PostgreSQL, are printed beside it. Arguments choose cases.
const GOAL_RATIO = 1.5;
const PARTS = 4;

const folder = await mkdtemp(join(tmpdir(), 'explorerio-connectors-'));
const chosen = process.argv.slice(2);
try {
  for (const kase of CASES) if (chosen.length === 0 || chosen.includes(kase.name)) await measure(kase);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(kase: ConnectorCase): Promise<void> {
  const rows = Math.min(ROWS, kase.mostRows ?? ROWS);
  const running = await kase.start(rows, folder);
  const server = await startPostgresql({ version: 18, settings: { shared_buffers: '256MB', max_wal_size: '16GB' } });
  const destination = server.url.replace(/\/[^/]*$/, '/target');
  try {
    await run(server.url, 'create database target');
    const client: number[] = [];
    const one: ScanResult[] = [];
    const several: ScanResult[] = [];
    const synced: number[] = [];
    for (let round = 0; round < REPEAT; round++) {
      client.push(await seconds(() => running.readWithClient(join(folder, `${kase.name}.out`))));
      one.push(await scan(running, rows, 1));
      several.push(await scan(running, rows, PARTS));
      await run(destination, 'drop schema if exists bench cascade');
      const bench = { server, source: '', destination, folder, stop: async () => undefined };
      const document = { name: 'bench', ...running.document };
      const result = await sync(bench, { state: `${kase.name}-${round}.db`, document });
      if (result.rows !== rows) throw new Error(`${kase.name}: ${result.rows} of ${rows} rows were loaded`);
      synced.push(result.seconds);
      console.error(
        `round ${round}: ${kase.client} ${client.at(-1)?.toFixed(2)} s, scan ${one.at(-1)?.seconds.toFixed(2)} s, ${PARTS} parts ${several.at(-1)?.seconds.toFixed(2)} s, into PostgreSQL ${result.seconds.toFixed(2)} s with ${result.rssMb} MB`,
      );
    }
    const base = median(client);
    const rss = Math.max(...one.map(({ rssMb }) => rssMb));
    const scanned = median(one.map((result) => result.seconds));
    report('connectors', kase.name, scanned / base, GOAL_RATIO, scanned, rss, rows);
    const parts = median(several.map((result) => result.seconds));
    const into = median(synced);
    console.error(
      `${kase.name}: ${PARTS} parts ${(parts / base).toFixed(2)}, into PostgreSQL ${(into / base).toFixed(2)} of the time of ${kase.client}`,
    );
  } finally {
    await running.stop();
    await server.stop();
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function scan({ document, stream }: RunningCase, rows: number, want: number): Promise<ScanResult> {
  const { type, sync_strategy: _strategy, sync_settings: _settings, ...config } = document;
  const task: ScanTask = { type: String(type), config, stream, want };
  const result = await child(task);
  if (result.rows !== rows) throw new Error(`${type}: ${result.rows} of ${rows} rows were read`);
  return result;
}

function child(task: ScanTask): Promise<ScanResult> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, ['scripts/run.mjs', 'bench/scan-child.ts', JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    started.stdout.on('data', (chunk) => {
      output += chunk;
    });
    started.once('error', reject);
    started.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(output) as ScanResult) : reject(new Error(`the child ended with code ${code}`)),
    );
  });
}
