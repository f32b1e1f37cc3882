/** What the stacks tell the functions: one place, so that neither can name a variable that the other does not know. */
export interface FunctionEnvironment {
  /** Name of the stage, such as `dev`. */
  readonly EXPLORERIO_STAGE: string;
  /** Name of the DynamoDB table that holds all state. */
  readonly EXPLORERIO_TABLE: string;
  /** JSON: connector type to the URL of its queue. The sync functions get only their own. */
  readonly EXPLORERIO_QUEUES: string;
  /** JSON: connector type to the URL of its dead-letter queue; only the health function has it. */
  readonly EXPLORERIO_DEAD_LETTERS?: string;
  /** What the names of secrets begin with: `${NAME}` in a document is the secret `<prefix>NAME`. */
  readonly EXPLORERIO_SECRETS_PREFIX: string;
  /** Secret that holds the URL of the destination. */
  readonly EXPLORERIO_DESTINATION_SECRET: string;
  /** Seconds after which a sync function leaves its slice and sends itself the rest. */
  readonly EXPLORERIO_WORK_SECONDS?: string;
  /** Of the schedules that are made at run time; only the API and the health function have these four. */
  readonly EXPLORERIO_SCHEDULE_GROUP?: string;
  readonly EXPLORERIO_SCHEDULE_ROLE?: string;
  /** JSON: connector type to the ARN of its queue. */
  readonly EXPLORERIO_QUEUE_ARNS?: string;
  /** ARN of the queue for schedules that could not be delivered. */
  readonly EXPLORERIO_SCHEDULE_DEAD_LETTERS?: string;
}

/** The file beside a function's code that holds the documents of declared integrations, as a JSON list. */
export const DECLARED_FILE = 'declared.json';

/** Connections to the destination of one function: one to write, and one to cancel or to look after locks. */
export const DESTINATION_CONNECTIONS = 2;
