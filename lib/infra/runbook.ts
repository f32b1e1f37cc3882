import { RUNBOOK_ANCHOR } from '../adapters/aws/alarm-spec';

/** An alarm's entry in docs/runbook.md. */
export interface RunbookEntry {
  /** Of the heading, as GitHub makes it. */
  readonly anchor: string;
  /** What has happened, in a sentence. */
  readonly says: string;
}

/** One entry for every kind of alarm. */
export const RUNBOOK = {
  deadLetters: {
    anchor: 'messages-in-the-dead-letter-queue',
    says: 'A message was received five times and not handled: a run stands still.',
  },
  syncErrors: {
    anchor: 'a-sync-function-fails',
    says: 'A sync function crashed, ran out of memory or out of time.',
  },
  syncThrottled: {
    anchor: 'a-sync-function-is-throttled',
    says: 'The account has no concurrency left for a sync function.',
  },
  slowSlice: {
    anchor: 'slices-end-too-late',
    says: 'Slices of a sync function come close to its time-out, at which it is killed in the middle.',
  },
  waitingMessages: {
    anchor: 'messages-wait-too-long',
    says: 'A message waits for an hour: runs do not go on.',
  },
  lostSchedules: {
    anchor: 'a-schedule-could-not-be-delivered',
    says: 'EventBridge Scheduler could not send a message to a connector queue: a scheduled run was left out.',
  },
  healthSilent: {
    anchor: 'the-health-function-does-not-run',
    says: 'The health function has not run for 15 minutes: interrupted runs are not taken up.',
  },
  healthErrors: {
    anchor: 'the-health-function-fails',
    says: 'The health function fails: interrupted runs may not be taken up.',
  },
  apiErrors: {
    anchor: 'the-api-answers-with-errors',
    says: 'The API answers with 5xx.',
  },
  tableThrottled: {
    anchor: 'the-table-is-throttled',
    says: 'DynamoDB refuses requests to the state table.',
  },
  integrationAlert: {
    anchor: RUNBOOK_ANCHOR,
    says: 'A condition that a document names under alerts holds.',
  },
} satisfies { readonly [kind: string]: RunbookEntry };
