import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Connector } from '../../lib/core/connector';
import { openSyncHome, type SyncHome } from './home';
import { handleMessage } from './message';

/** The handler of one connector's sync function. */
export function syncHandler(type: string, load: () => Promise<Connector>) {
  let home: SyncHome | undefined;
  let hop = 0;
  return middy(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    home ??= openSyncHome(type, load, () => hop);
    const failed: SQSRecord[] = [];
    for (const record of event.Records) {
      hop = (JSON.parse(record.body) as { readonly hop?: number }).hop ?? 0;
      if (!(await handleMessage(home, type, record, context))) failed.push(record);
    }
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });
}
