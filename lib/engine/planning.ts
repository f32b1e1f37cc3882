import type { Cursor, StreamInfo } from '../core/connector';
import { durationMs } from '../core/duration';
import { Fault, type FaultRecord } from '../core/fault';
import type { IntegrationFields } from '../core/integration';
import type { StreamSchema } from '../core/schema';
import type { Plan, PlannedStream } from '../core/service';
import { wantedMode } from '../core/sync-mode';
import { type CursorChoice, chooseCursor } from './cursor';

/** What is decided for one stream before it is read. */
export interface StreamDecision {
  readonly schema: StreamSchema;
  readonly mode: 'full' | 'incremental' | 'changes';
  readonly cursor?: Cursor;
  readonly reason: string;
  readonly warnings: readonly string[];
  /** How the source's shape differs from the one that was accepted, in words. */
  readonly changes?: readonly string[];
  readonly estimate?: { readonly rows: number; readonly bytes: number };
  readonly fault?: FaultRecord;
}

/** Decides mode and cursor of every stream that is not left out. `requested` overrides the document for one run. */
export function decide(
  infos: readonly StreamInfo[],
  fields: IntegrationFields,
  requested?: 'full' | 'incremental',
): StreamDecision[] {
  return infos
    .filter((info) => fields.streams?.[info.schema.stream]?.enabled !== false)
    .map((info) => decideStream(info, fields, requested));
}

/** Names under `streams` that the source does not have. */
export function unknownStreams(infos: readonly StreamInfo[], fields: IntegrationFields): string[] {
  const known = new Set(infos.map((info) => info.schema.stream));
  return Object.keys(fields.streams ?? {}).filter((name) => !known.has(name));
}

function decideStream(
  info: StreamInfo,
  fields: IntegrationFields,
  requested: 'full' | 'incremental' | undefined,
): StreamDecision {
  const wanted = requested ?? fields.streams?.[info.schema.stream]?.mode ?? wantedMode(fields);
  const base = { schema: info.schema, ...(info.estimate && { estimate: info.estimate }) };
  if (info.unreadable) {
    const { message } = info.unreadable;
    return { ...base, mode: wanted, reason: message, warnings: [], fault: info.unreadable.record() };
  }
  if (wanted === 'changes' && info.modes.includes('changes')) {
    return { ...base, mode: 'changes', reason: 'by the log of changes', warnings: info.notes };
  }
  const choice = info.modes.includes('incremental') ? chooseCursor(info, fields) : FULL_ONLY;
  const warnings = [...info.notes, ...choice.warnings];
  if (choice.problem !== undefined) {
    const fault = new Fault(
      'config',
      'invalid_cursor',
      `choosing the cursor of ${info.schema.stream}: ${choice.problem}`,
      {
        hint: 'Name a column of a number, date or time type that grows with every change, or set the mode of the stream to "full".',
      },
    );
    const mode = wanted === 'changes' ? 'incremental' : wanted;
    return { ...base, mode, reason: choice.problem, warnings, fault: fault.record() };
  }
  if (wanted === 'full') return decideFull(base, info, choice.column, fields);
  const cursor = cursorOf(choice.column, fields);
  const reason = wanted === 'changes' ? `its changes cannot be followed; ${choice.reason}` : choice.reason;
  return cursor
    ? { ...base, mode: 'incremental', cursor, reason, warnings }
    : { ...base, mode: 'full', reason, warnings };
}

const FULL_ONLY: CursorChoice = { reason: 'read fully each time: this stream offers nothing else', warnings: [] };

/** A full read keeps the place for increments, so that switching between the two reads nothing twice. */
function decideFull(
  base: Pick<StreamDecision, 'schema' | 'estimate'>,
  info: StreamInfo,
  column: string | undefined,
  fields: IntegrationFields,
): StreamDecision {
  const cursor = info.schema.key.length > 0 ? cursorOf(column, fields) : undefined;
  return {
    ...base,
    mode: 'full',
    reason: 'read fully, as asked',
    warnings: info.notes,
    ...(cursor && { cursor }),
  };
}

function cursorOf(column: string | undefined, fields: IntegrationFields): Cursor | undefined {
  if (column === undefined) return undefined;
  const lookback = fields.sync_strategy?.lookback;
  return { column, lookbackMs: lookback === undefined ? 0 : durationMs(lookback) };
}

/** The decisions as they are shown to the owner. */
export function describePlan(
  fields: IntegrationFields,
  decisions: readonly StreamDecision[],
  warnings: readonly string[],
): Plan {
  return {
    integration: fields.name,
    warnings,
    streams: decisions.map((decision) => describeStream(decision, namespaceOf(fields))),
  };
}

function describeStream(decision: StreamDecision, schema: string): PlannedStream {
  const { estimate, cursor, fault } = decision;
  return {
    stream: decision.schema.stream,
    mode: decision.mode,
    reason: decision.reason,
    key: decision.schema.key,
    schema,
    warnings: decision.warnings,
    ...(cursor && { cursor: cursor.column }),
    ...(estimate && { estimatedRows: estimate.rows, estimatedBytes: estimate.bytes }),
    ...(fault && { fault }),
  };
}

/** The integration's schema in the destination. */
export function namespaceOf(fields: IntegrationFields): string {
  return fields.destination?.schema ?? fields.name;
}
