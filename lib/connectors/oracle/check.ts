import type { CheckReport } from '../../core/check';
import type { Outcome } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { checkServer } from '../shared/sql/server-check';
import { classify } from './classify';
import type { OracleConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import { openTransactions } from './open-transactions';
import type { OracleRelation } from './relation';
import { type OracleSession, openSession } from './session';
import { currentScn } from './snapshot';
import type { OracleColumn } from './types';

/** Tests the connection step by step. */
export function check(endpoint: Endpoint, config: OracleConfig, signal: AbortSignal): Promise<CheckReport> {
  const { port, network, username, tls } = endpoint;
  return checkServer<OracleColumn, OracleSession, OracleRelation>(
    {
      // A descriptor may name many; the login says which answers.
      ...{ classify, network, host: endpoint.host },
      async connect(host, hold) {
        hold(await connectedSocket(endpoint, host));
        return `${host}:${port} answers`;
      },
      open: () => openSession(endpoint),
      tls: {
        options: tls,
        absent: 'Set connection.ssl to true, or write TCPS.',
        unverified:
          'Set connection.ssl.verification to "full", and connection.ssl.ca or connection.wallet to the authority.',
      },
      loggedIn: `logged in as ${username}`,
      database: (session) => database(endpoint, session),
      select: (session) => selectedRelations(session, config),
      wording: ({ home }) => ({
        things: `tables and views of ${home}`,
        may: 'be seen',
        nothing: 'Check "schemas" (by default that of the user) and "tables", and that the user may see them.',
        grant: 'GRANT SELECT on them to the user.',
      }),
      further: transactions,
      first: ({ source }) => sql`select 1 from ${source} fetch first 1 rows only`,
    },
    signal,
  );
}

async function database({ service }: Endpoint, session: OracleSession): Promise<Outcome> {
  const detail = `${service} on Oracle ${session.version}`;
  const scn = await currentScn(session);
  if (scn !== undefined) return `${detail}, at SCN ${scn}`;
  return {
    warning: `${detail}; the user may not ask for the SCN, so tables are not read as of one moment`,
    hint: 'GRANT EXECUTE ON SYS.DBMS_FLASHBACK to the user, or SELECT ON SYS.V_$DATABASE.',
  };
}

async function transactions(session: OracleSession, shown: string): Promise<Outcome> {
  if ((await openTransactions(session)) !== undefined) return shown;
  return {
    warning: `${shown}; which transactions are open is not shown`,
    hint: 'GRANT SELECT ON SYS.GV_$TRANSACTION and SYS.GV_$SESSION, so that increments know of late commits; else the last minute is read again by each (late_commit_margin).',
  };
}
