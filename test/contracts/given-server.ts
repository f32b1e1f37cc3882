import type { Config, RunningSource } from './source-reading';
import { TROUBLE } from './trouble-titles';

/** A server that is not ours, and what of it may be used. */
export interface GivenServer {
  readonly type: string;
  /** The configuration of a source that reads it. */
  readonly config: Config;
  /** What all that is made there is called at its beginning. */
  readonly prefix: string;
  /** Where tables are made; absent: where the server makes them by itself. */
  readonly schema?: string;
}

/** A fixture on such a server. It takes away what it made, and can say what others of its kind have left. */
export interface GivenSource extends RunningSource {
  /** Checks that this server or this user does not allow, each with the reason. */
  readonly notRun?: { readonly [check: string]: string };
  /** What is there and begins so. */
  made(prefix: string): Promise<readonly string[]>;
  /** Removes what begins with the prefix that was given. */
  removeAll(): Promise<void>;
}

/** How everything begins that `npm run verify` makes. */
export const VERIFY_PREFIX = 'explorerio_verify_';

/** Whom nobody knows: trying passwords on a real user might lock it. */
export const NOBODY = { username: 'explorerio_verify_nobody', password: 'not-the-password' };

/** The members of the configuration's `connection`. */
export function connectionOf({ config }: Pick<GivenServer, 'config'>): Config {
  return config.connection as Config;
}

/** Checks whose outcome depends on knowing which transactions are open. */
export function onlyWith(what: string): { readonly [check: string]: string } {
  const checks = [
    'increments give what changed, once, and nothing when nothing did',
    'an increment resumes after every batch exactly',
    TROUBLE.clock,
  ];
  return Object.fromEntries(checks.map((check) => [check, `the user has not ${what}`]));
}

/** What depends on the server rather than on what is in it. */
export type OfServer =
  | 'config'
  | 'secrets'
  | 'wrongPassword'
  | 'noDatabase'
  | 'closedPort'
  | 'line'
  | 'openConnections'
  | 'stop';
