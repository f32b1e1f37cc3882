import type { CheckReport } from '../../core/check';
import type { Outcome } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { checkServer } from '../shared/sql/server-check';
import { classify } from './classify';
import type { MssqlConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import type { MssqlRelation } from './relation';
import { type MssqlSession, openSession } from './session';
import type { MssqlColumn } from './types';

/** Tests the connection step by step. */
export function check(endpoint: Endpoint, config: MssqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const { host, port, instance, network, username, accessToken, tls } = endpoint;
  return checkServer<MssqlColumn, MssqlSession, MssqlRelation>(
    {
      ...{ classify, network, host },
      async connect(_host, hold) {
        if (port === undefined) return `the port of ${instance} is asked for at the login`;
        hold(await connectedSocket(endpoint, { host, port }));
        return `${host}:${port} answers`;
      },
      open: () => openSession(endpoint),
      tls: {
        options: tls,
        absent: 'Leave connection.encrypt out.',
        unverified: 'Set connection.ssl.ca to the authority of the server in the place of trust_server_certificate.',
      },
      loggedIn: accessToken ? 'logged in with a token' : `logged in as ${username}`,
      database: async (session) => database(endpoint, session),
      select: (session) => selectedRelations(session, config),
      wording: () => ({
        things: 'tables and views',
        nothing: 'Check "tables", and that the user may see them.',
        grant: 'GRANT SELECT on them to the user.',
      }),
      first: ({ source }) => sql`select top (1) 1 from ${source}`,
    },
    signal,
  );
}

function database({ database: name }: Endpoint, { version, seesOneMoment }: MssqlSession): Outcome {
  const detail = `${name} on SQL Server ${version}`;
  if (seesOneMoment) return `${detail}; each part is read as of one moment`;
  return {
    warning: `${detail}; without snapshot isolation, so writers and readers wait for each other`,
    hint: 'ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON.',
  };
}
