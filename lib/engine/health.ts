import { FINAL_STATES } from '../core/run';
import type { IntegrationHealth } from '../core/service';
import { someAtOnce } from './at-once';
import type { EngineContext } from './context';
import { listIntegrations } from './integrations';
import { countedRuns, failuresInARow, freshest, type KeptRun, RECENT_RUNS, recentRuns } from './kept-runs';
import { lastProbe, type ProbeItem, viewHealthCheck } from './probe/item';
import { read } from './records';
import { roundedHealth } from './rounding';
import { type IntegrationItem, keys } from './state';
import { metricsFrom, runErrorRate, statsFrom } from './stats';

const FAILING_AFTER = 3;
const AT_ONCE = 10;
const WORSE: readonly IntegrationHealth['status'][] = ['unknown', 'healthy', 'degraded', 'failed'];

/** What is known of an integration when its health is told. */
export interface Evidence {
  readonly item: Pick<IntegrationItem, 'document' | 'updatedAt'>;
  /** Newest first. */
  readonly runs: readonly KeptRun[];
  readonly probe: ProbeItem | undefined;
}

/** The health of all integrations, in the order of their names. */
export async function healthOfAll(context: EngineContext): Promise<readonly IntegrationHealth[]> {
  const all = await listIntegrations(context);
  return someAtOnce(all, AT_ONCE, ({ key, value }) => healthOf(context, key.sort, value));
}

/** What the last runs and connection tests of an integration say about it. */
async function healthOf(context: EngineContext, id: string, item: IntegrationItem): Promise<IntegrationHealth> {
  const probe = await read<ProbeItem>(context.ports.state, keys.probe(id));
  const runs = await recentRuns(context, id, RECENT_RUNS);
  return roundedHealth(healthFrom(context, id, { item, runs, probe: probe?.value }));
}

/** The same, from what was read already. */
export function healthFrom({ ports }: EngineContext, id: string, { item, runs, probe }: Evidence): IntegrationHealth {
  const now = ports.clock.now();
  const recent = runs.slice(0, RECENT_RUNS);
  const ended = recent.filter((run) => FINAL_STATES.includes(run.state));
  const fresh = freshest(ended);
  const latest = latestEvidence({ item, runs: recent, probe });
  const healthCheck = viewHealthCheck(ports, item, probe);
  return {
    integration: id,
    ...latest,
    errorRate: runErrorRate(ended),
    ...(fresh !== undefined && { lastSyncAgeSeconds: (now - fresh) / 1000 }),
    ...(healthCheck && { healthCheck }),
    metrics: metricsFrom(item.document, latest.connectionStatus, statsFrom(id, recent, now)),
  };
}

/** What the newer of the last run and the last connection test shows. */
export function latestEvidence({
  item,
  runs,
  probe,
}: Evidence): Pick<IntegrationHealth, 'status' | 'connectionStatus' | 'detail'> {
  const counted = countedRuns(runs);
  const [last] = counted;
  const tested = newerProbe(last, lastProbe(item.document, probe));
  const status = statusOfRuns(last, failuresInARow(counted));
  if (tested === undefined) {
    if (last === undefined) return { status, connectionStatus: 'unknown', detail: NO_SYNC };
    const connectionStatus = last.state === 'failed' ? 'failed' : 'connected';
    return { status, connectionStatus, detail: detailOf(last) };
  }
  if (tested.recent[0]?.passed) {
    const detail = last === undefined ? `${NO_SYNC}; the connection test passed` : detailOf(last);
    return { status, connectionStatus: 'connected', detail };
  }
  const failing = tested.failures >= FAILING_AFTER ? 'failed' : 'degraded';
  return {
    status: WORSE.indexOf(status) > WORSE.indexOf(failing) ? status : failing,
    connectionStatus: 'failed',
    detail: tested.fault?.message ?? 'the connection test failed',
  };
}

const NO_SYNC = 'no sync has ended yet';

function newerProbe(last: KeptRun | undefined, probe: ProbeItem | undefined): ProbeItem | undefined {
  const at = probe?.recent[0]?.at;
  if (at === undefined) return undefined;
  return last === undefined || at >= (last.finishedAt ?? last.createdAt) ? probe : undefined;
}

function statusOfRuns(last: KeptRun | undefined, failures: number): IntegrationHealth['status'] {
  if (last === undefined) return 'unknown';
  if (last.state === 'succeeded') return 'healthy';
  return failures >= FAILING_AFTER ? 'failed' : 'degraded';
}

function detailOf(last: KeptRun): string {
  return last.fault ? last.fault.message : `the last sync ${last.state}`;
}
