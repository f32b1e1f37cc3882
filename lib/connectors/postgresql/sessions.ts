import { Pool } from '../shared/pool';
import type { Endpoint } from './endpoint';
import { openSession, type Session } from './session';

/** A bounded set of connections, kept for the next user. */
export class Sessions extends Pool<Session> {
  constructor(endpoint: Endpoint) {
    super(endpoint.maxConnections, () => openSession(endpoint));
  }

  /** Server process ids of all open connections. */
  get pids(): number[] {
    return this.open.map((session) => session.pid);
  }
}
