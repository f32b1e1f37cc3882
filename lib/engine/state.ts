import type { Cursor } from '../core/connector';
import type { FaultRecord } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import type { Json } from '../core/json';
import type { StateKey } from '../core/ports';
import { INCREMENT, type Position, type SliceKey } from '../core/position';
import type { RunState, RunTrigger } from '../core/run';
import type { StreamSchema } from '../core/schema';

/** How long runs are kept, in milliseconds. */
export const RUN_RETENTION_MS = 30 * 24 * 3600 * 1000;

/** Stands for a position where a stream was read once, and its changes come from the feed. */
export const LOADED: Position = { format: -1, value: 'loaded' };

/** Stands where a stream was read once, but not all changes since then came from the feed: it is read anew. */
export const UNLOADED: Position = { format: -2, value: 'unloaded' };

/** Stands in the place of an active run while an integration is removed. */
export const REMOVING = 'removing';

/** Stream under which an integration's feed of changes is positioned. */
export const FEED = '*';

/** A stored integration. */
export interface IntegrationItem {
  readonly document: IntegrationDocument;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A stored run. The document is kept with it, so that a change of the integration does not change a run that goes on. */
export interface RunItem {
  readonly id: string;
  readonly integration: string;
  readonly document: IntegrationDocument;
  readonly requested?: 'full' | 'incremental';
  readonly trigger: RunTrigger;
  readonly state: RunState;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly planned: boolean;
  /** Failed attempts to open the source in a row, and when to try again. */
  readonly attempts: number;
  readonly retryAt: number;
  readonly retries: number;
  readonly cancelRequested: boolean;
  readonly fault?: FaultRecord;
  /** Final sums; while it runs they are made from the slices. */
  readonly rows: number;
  readonly bytes: number;
  readonly slices: number;
  readonly quarantined: number;
  readonly skipped: number;
}

/** A lease on an item: whoever holds it works on the item. */
export interface Lease {
  readonly owner: string;
  readonly until: number;
}

/** One stream of a run. */
export interface StreamItem {
  readonly stream: string;
  readonly schema: StreamSchema;
  readonly mode: 'full' | 'incremental' | 'changes';
  readonly cursor?: Cursor;
  readonly reason: string;
  readonly estimatedRows?: number;
  readonly state: RunState;
  readonly lease?: Lease;
  /** Whose snapshot the parts stand on, where nobody else's will do: others leave the slices alone until then. */
  readonly reserved?: Lease;
  readonly attempts: number;
  readonly retryAt: number;
  readonly retries: number;
  /** How often the full read began anew because its snapshot or position was lost. */
  readonly restarts: number;
  /** Set once it was prepared: what the slices read. `null` alone is one slice over everything. */
  readonly parts?: readonly Json[];
  /** Set when the slices fill a shadow table. */
  readonly load?: string;
  /** Index of the slice that reads one increment after an interrupted load was published. */
  readonly catchUp?: number;
  /** Where increments begin once the load is published. */
  readonly after?: Position;
  readonly changes: readonly string[];
  readonly notes: readonly string[];
  readonly fault?: FaultRecord;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** One slice of a stream of a run. */
export interface SliceItem {
  readonly lease?: Lease;
  readonly fence: number;
  readonly position?: Position;
  readonly done: boolean;
  readonly rows: number;
  readonly bytes: number;
  readonly quarantined: number;
  readonly skipped: number;
  readonly retries: number;
  readonly attempts: number;
  readonly retryAt: number;
  /** It was claimed more than once: an earlier worker has left it or died. */
  readonly resumed?: boolean;
  /** Why it is tried again. */
  readonly fault?: FaultRecord;
  /** Bytes of this slice could not be loaded unparsed. */
  readonly rowsOnly: boolean;
  /** A record of this slice could not be stored; its batches are written each on its own, which finds it. */
  readonly singly?: boolean;
  readonly changes: readonly string[];
  /** The shape last written, where it differs from the one that was planned. */
  readonly schema?: StreamSchema;
  /** Milliseconds since 1970 of the newest change read. */
  readonly sourceTime?: number;
}

const encode = (text: string) => encodeURIComponent(text);
const padded = (index: number) => String(index).padStart(5, '0');

/** Where everything is stored. One place, so that no two records can meet under one key. */
export const keys = {
  integrations: 'integrations',
  integration: (id: string): StateKey => ({ partition: 'integrations', sort: id }),
  active: (integration: string): StateKey => ({ partition: 'active', sort: integration }),
  queuedRuns: (integration: string) => `queued/${integration}`,
  queuedRun: (integration: string, run: string): StateKey => ({ partition: `queued/${integration}`, sort: run }),
  idempotency: (integration: string, key: string): StateKey => ({
    partition: 'idempotency',
    sort: `${integration}/${encode(key)}`,
  }),
  runs: (integration: string) => `runs/${integration}`,
  run: (id: string): StateKey => ({ partition: `runs/${integrationOf(id)}`, sort: id }),
  parts: (run: string) => `run/${run}`,
  openPrefix: 'open/',
  open: (run: string, stream: string): StateKey => ({ partition: `run/${run}`, sort: `open/${encode(stream)}` }),
  streamPrefix: 'stream/',
  stream: (run: string, stream: string): StateKey => ({ partition: `run/${run}`, sort: `stream/${encode(stream)}` }),
  slicePrefix: (stream: string, restarts: number) => `slice/${encode(stream)}/${padded(restarts)}/`,
  slice: (run: string, stream: string, restarts: number, index: number): StateKey => ({
    partition: `run/${run}`,
    sort: `slice/${encode(stream)}/${padded(restarts)}/${padded(index)}`,
  }),
  fence: (integration: string, stream: string): StateKey => ({
    partition: `fences/${integration}`,
    sort: encode(stream),
  }),
  loads: (integration: string) => `loads/${integration}`,
  load: (integration: string, stream: string): StateKey => ({
    partition: `loads/${integration}`,
    sort: encode(stream),
  }),
  fences: (integration: string) => `fences/${integration}`,
  probes: 'probes',
  probe: (integration: string): StateKey => ({ partition: 'probes', sort: integration }),
  credentials: 'credentials',
  digestKey: { partition: 'credentials', sort: 'key' } as StateKey,
  credentialsChecked: { partition: 'credentials', sort: 'checked' } as StateKey,
  seenPrefix: 'seen/',
  seenCredential: (name: string): StateKey => ({ partition: 'credentials', sort: `seen/${name}` }),
  toldPrefix: 'told/',
  toldCredential: (id: string): StateKey => ({ partition: 'credentials', sort: `told/${id}` }),
  schemas: (integration: string) => `schemas/${integration}`,
  schema: (integration: string, stream: string): StateKey => ({
    partition: `schemas/${integration}`,
    sort: encode(stream),
  }),
};

const RUN_ID = /^(.+)-\d{8}-\d{9}-[a-z0-9]{6}$/;

/** A run's id: the integration's name, the time (UTC, to the millisecond) and six random characters. Sorts by time. */
export function runId(integration: string, now: number, random: number): string {
  const time = new Date(now)
    .toISOString()
    .replaceAll(/[-:.Z]/g, '')
    .replace('T', '-');
  const suffix = Math.floor(random * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return `${integration}-${time}-${suffix}`;
}

/** The integration that a run belongs to; empty when the text is no run id. */
export function integrationOf(run: string): string {
  return RUN_ID.exec(run)?.[1] ?? '';
}

/** The destination's name of a slice. */
export function sliceKey(integration: string, item: StreamItem, index: number): SliceKey {
  return item.load === undefined || index === item.catchUp
    ? { integration, stream: item.stream, partition: INCREMENT }
    : { integration, stream: item.stream, partition: String(index), load: item.load };
}

/** The encoded stream name at the end of a sort, decoded. */
export function streamOf(sort: string): string {
  return decodeURIComponent(sort.slice(sort.indexOf('/') + 1));
}
