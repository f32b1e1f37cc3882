import { setTimeout as sleep } from 'node:timers/promises';
import type { RowBatch } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { DynamodbClient, Item } from './client';
import { betweenPosition, insidePosition, progressOf, type Window } from './position';
import { type PartScan, replaced, scanPages } from './scan';
import { momentOf } from './times';

const SECOND_MS = 1000;

/** Reads what was written since the last increment: the whole table, of which the others are left out. */
export async function* scanIncrement(scan: PartScan, table: string, settleMs: number): AsyncGenerator<RowBatch> {
  const { client, request } = scan;
  const progress = progressOf(request.from);
  if (progress.table !== undefined && progress.table !== table) throw replaced(request.stream.stream);
  const window = progress.window ?? (await nextWindow(client, request, { table, settleMs, since: progress.since }));
  yield* scanPages(
    // What was written before a page is asked for has to be in it.
    { ...scan, consistent: true },
    {
      part: { segment: 0, of: 1, table },
      start: progress.key,
      wanted: (item) => isWanted(item, request.cursor?.column ?? '', window),
      behind: (key) => insidePosition(key, window),
      end: betweenPosition(window.until, table),
    },
  );
}

/** Where the first increment begins, asked for before a full read. */
export function sinceNow(client: DynamodbClient, table: string, settleMs: number) {
  return betweenPosition(serverSecond(client) - settleMs, table);
}

/** Takes all that was written before now, once it has been stored. */
async function nextWindow(
  client: DynamodbClient,
  { cursor, signal }: ScanRequest,
  { table, settleMs, since }: { readonly table: string; readonly settleMs: number; readonly since: number | null },
): Promise<Window> {
  // The server tells whole seconds: this one is over when another has gone by.
  const until = serverSecond(client) + SECOND_MS;
  await sleep(SECOND_MS + settleMs, undefined, { signal });
  return { since: since === null ? null : since - (cursor?.lookbackMs ?? 0), until, table };
}

/** Milliseconds since 1970 by the clock of the service, in whole seconds. */
function serverSecond({ serverTime }: DynamodbClient): number {
  if (serverTime !== undefined) return serverTime;
  throw new Fault('transient', 'no_server_time', 'the service does not say what time it is (no header "Date")', {
    hint: 'Look at what lies between: a proxy that removes the header keeps increments from working.',
  });
}

/** Items without a time are read each time. */
function isWanted(item: Item, column: string, { since, until }: Window): boolean {
  const value = item[column];
  const moment = value && momentOf(value);
  return moment === undefined || (moment.from < until && (since === null || moment.until > since));
}
