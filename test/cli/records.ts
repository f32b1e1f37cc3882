import type { QuarantinedRecord } from '../../lib/core/destination';
import type { RunDetails, RunState } from '../../lib/core/run';
import type { Integration, IntegrationStatus } from '../../lib/core/service';

const AT = '2026-11-24T12:00:00.000Z';
const counts = { rows: 1234, bytes: 56_789, slices: 1, retries: 0, quarantined: 0, skipped: 0 };

/** A stored integration. */
export function integration(id: string): Integration {
  const document = { name: id, type: 'postgresql', connection: { host: 'db', database: 'd', username: 'u' } };
  return { id, document, revision: 1, createdAt: AT, updatedAt: AT, warnings: [] };
}

/** A run of one stream. */
export function run(id: string, state: RunState, more: Partial<RunDetails> = {}): RunDetails {
  return {
    ...counts,
    id,
    integration: 'shop',
    trigger: 'manual',
    state,
    createdAt: AT,
    seconds: 3.21,
    cost: { usd: 0.0001, basis: 'a test' },
    cancelRequested: false,
    streams: [
      {
        ...counts,
        stream: 'public.orders',
        state,
        mode: 'incremental',
        reason: 'cursor updated_at',
        slicesDone: 1,
        changes: [],
        notes: [],
      },
    ],
    ...more,
  };
}

/** How an integration stands. */
export function status(id: string, more: Partial<IntegrationStatus> = {}): IntegrationStatus {
  const idle = { state: 'idle', enabled: true, connectionStatus: 'unknown', queued: [], warnings: [] } as const;
  return { integration: id, ...idle, ...more };
}

/** A record in quarantine. */
export function quarantined(id: string, more: Partial<QuarantinedRecord> = {}): QuarantinedRecord {
  return {
    id,
    stream: 'public.orders',
    run: 'r1',
    reason: 'above 100',
    field: 'quantity',
    rule: 'range',
    reasons: [{ message: 'above 100', field: 'quantity', rule: 'range' }],
    op: 'insert',
    partition: 'increment',
    configuration: '0123456789abcdef',
    record: { id: '1', quantity: 101 },
    at: AT,
    ...more,
  };
}
