import type { CheckReport } from '../../core/check';
import type { Outcome } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { checkServer } from '../shared/sql/server-check';
import { classify } from './classify';
import type { MysqlConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import { mayProcess } from './open-transactions';
import type { MysqlRelation } from './relation';
import { type MysqlSession, openSession } from './session';
import { placeOf, SNAPSHOT_PLACE } from './snapshot';
import type { MysqlColumn } from './types';

/** Tests the connection step by step. */
export function check(endpoint: Endpoint, config: MysqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const { host, port, network, username, tls } = endpoint;
  return checkServer<MysqlColumn, MysqlSession, MysqlRelation>(
    {
      ...{ classify, network, host },
      async connect(_host, hold) {
        hold(await connectedSocket(endpoint));
        return host.startsWith('/') ? `${host} answers` : `${host}:${port} answers`;
      },
      open: () => openSession(endpoint),
      tls: {
        options: tls,
        absent: 'Set connection.ssl to true.',
        unverified: 'Set connection.ssl.verification to "full" and connection.ssl.ca to the authority of the server.',
      },
      loggedIn: `logged in as ${username}`,
      database: (session) => database(endpoint, session),
      select: (session) => selectedRelations(session, endpoint, config),
      wording: () => ({
        things: 'tables and views',
        nothing: 'Check "tables", and that the user may see them.',
        grant: 'GRANT SELECT on them to the user.',
      }),
      further: transactions,
      first: ({ source }) => sql`select 1 from ${source} limit 1`,
    },
    signal,
  );
}

async function database(endpoint: Endpoint, session: MysqlSession): Promise<Outcome> {
  const [row] = await session.query(sql`select default_character_set_name from information_schema.schemata
    where schema_name = database()`);
  const detail = `${endpoint.database} on ${session.version}, character set ${row?.[0]}`;
  const places = await session.query(SNAPSHOT_PLACE);
  if (placeOf(places) !== undefined) return detail;
  return `${detail}; a full read is by one connection, as the server does not tell the place of a snapshot in its binary log`;
}

async function transactions(session: MysqlSession, readable: string): Promise<Outcome> {
  if (await mayProcess(session)) return readable;
  return {
    warning: `${readable}; which transactions are open is not shown to the user`,
    hint: 'GRANT PROCESS ON *.* to the user, so that increments know of late commits; else the last minute is read again by each (late_commit_margin).',
  };
}
