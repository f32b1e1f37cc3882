/** What the stacks tell the functions: one place, so that neither can name a variable that the other does not know. */
export interface FunctionEnvironment {
  /** Name of the stage, such as `dev`. */
  readonly EXPLORERIO_STAGE: string;
  /** Name of the DynamoDB table that holds all state. */
  readonly EXPLORERIO_TABLE: string;
  /** JSON: connector type to the URL of its queue; those after the first relative to it. The sync functions get only their own. */
  readonly EXPLORERIO_QUEUES: string;
  /** What the names of secrets begin with: `${NAME}` in a document is the secret `<prefix>NAME`. */
  readonly EXPLORERIO_SECRETS_PREFIX: string;
  /** Secret that holds the URL of the destination. */
  readonly EXPLORERIO_DESTINATION_SECRET: string;
  /** Secret that holds the key under which records in quarantine are encrypted. */
  readonly EXPLORERIO_QUARANTINE_SECRET: string;
  /** Seconds after which a sync function leaves its slice and sends itself the rest. */
  readonly EXPLORERIO_WORK_SECONDS?: string;
  /** Of the schedules that are made at run time; only the API and the health function have these three. */
  readonly EXPLORERIO_SCHEDULE_GROUP?: string;
  readonly EXPLORERIO_SCHEDULE_ROLE?: string;
  /** ARN of the queue for schedules that could not be delivered; those of the other queues differ in the name only. */
  readonly EXPLORERIO_SCHEDULE_DEAD_LETTERS?: string;
  /** ARN of the topic that alarms of integrations tell, and the runbook that they link to; for the API and the health function. */
  readonly EXPLORERIO_ALERT_TOPIC?: string;
  readonly EXPLORERIO_RUNBOOK?: string;
  /** Address of the API for people: notifications link to it. For the operator to set; without it they have no links. */
  readonly EXPLORERIO_PUBLIC_URL?: string;
  /** Path of an .mmdb file, for `ip_geolocation`, of a layer that the operator adds; without it countries of IPv4 addresses are known. */
  readonly EXPLORERIO_GEOIP_DATABASE?: string;
  /** JSON: types of connectors whose functions are behind the VPN gateway; absent where there is none. For the API and the health function. */
  readonly EXPLORERIO_VPN_TYPES?: string;
  /** `true` in a function that is behind it. */
  readonly EXPLORERIO_BEHIND_VPN?: string;
}

/** The file beside a function's code that holds the documents of declared integrations, as a JSON list. */
export const DECLARED_FILE = 'declared.json';

/** Connections to the destination of one function: one to write, and one to cancel or to look after locks. */
export const DESTINATION_CONNECTIONS = 2;

/** The tag, with the value `true`, that lets a connector read a secret that no declared integration names. */
export function connectorTag(type: string): string {
  return `explorerio:${type}`;
}

/** What the name of a stage looks like. */
export const STAGE_PATTERN = /^[a-z][a-z0-9-]{0,19}$/;

/** Name of one of the two stacks of a stage. */
export function stackName(stage: string, part: 'State' | 'Service'): string {
  return `ExplorerIO-${stage}-${part}`;
}

/** The outputs by which the command line finds a stage: of the service stack and of the state stack. */
export const STAGE_OUTPUTS = { apiUrl: 'ApiUrl', tableName: 'TableName' } as const;
