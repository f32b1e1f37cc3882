import { openDatabase } from '../lib/adapters/embedded/database';
import { SqliteQueue } from '../lib/adapters/embedded/queue';
import { EmbeddedScheduler } from '../lib/adapters/embedded/scheduler';
import { keepHeapSmall } from '../lib/adapters/embedded/small-heap';
import { SqliteStateStore } from '../lib/adapters/embedded/state';
import { connectorTypes, loadConnector } from '../lib/connectors';
import type { Json } from '../lib/core/json';
import type { Logger } from '../lib/core/log';
import { Redactor } from '../lib/core/secret';
import { every, systemClock } from '../lib/core/system-clock';
import { openDestination } from '../lib/destinations';
import { createEngine } from '../lib/engine/engine';
import { compilePipeline } from '../lib/pipeline/compile';
import { openPlaces } from '../lib/places/places';

/** What the child is told on its command line. */
export interface ChildTask {
  readonly state: string;
  readonly destination: string;
  readonly document: { readonly [key: string]: Json };
  readonly type: 'full' | 'incremental' | undefined;
}

/** What the child prints: seconds and CPU seconds from the request to the end of the run, and its peak resident memory. */
export interface ChildResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rows: number;
  readonly state: string;
  readonly rssMb: number;
  readonly fault?: Json;
}

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => console.error(message, JSON.stringify(fields)),
  error: (message, fields) => console.error(message, JSON.stringify(fields)),
  with: () => log,
};

async function main(task: ChildTask): Promise<ChildResult> {
  const database = openDatabase(task.state);
  const state = new SqliteStateStore(database, systemClock);
  const engine = createEngine(
    {
      state,
      queue: new SqliteQueue(database, systemClock),
      scheduler: new EmbeddedScheduler(state, systemClock, log),
      secrets: { get: async () => undefined },
      clock: systemClock,
      log,
      redactor: new Redactor(),
      random: Math.random,
      loadConnector,
      connectorTypes,
      openDestination: (context, host) => openDestination('postgresql', { url: task.destination }, context, host),
      openPipeline: (fields, lookup, kept) => compilePipeline(fields, { lookup, places: openPlaces(undefined) }, kept),
      every,
    },
    { owner: `bench-${process.pid}` },
  );
  const name = String(task.document.name);
  const known = await engine.service.list();
  if (!known.some((integration) => integration.id === name)) await engine.service.create(task.document);
  const stop = new AbortController();
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const working = engine.work(4, stop.signal);
  const { id } = await engine.service.sync(name, {
    ...(task.type && { type: task.type }),
    trigger: 'manual',
    whenRunning: 'refuse',
  });
  const run = await engine.service.wait(id, stop.signal);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  stop.abort();
  await working;
  const fault = run.fault ?? run.streams.find((stream) => stream.fault)?.fault;
  const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    rows: run.rows,
    state: run.state,
    rssMb,
    ...(fault && { fault: { ...fault } }),
  };
}

keepHeapSmall();
main(JSON.parse(process.argv[2] ?? '{}') as ChildTask).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
