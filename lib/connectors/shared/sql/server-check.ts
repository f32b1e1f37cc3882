import type { Socket } from 'node:net';
import type { CheckReport } from '../../../core/check';
import type { Classify } from '../../../core/fault';
import type { Network } from '../../../core/network';
import { firstOutcome, Login, readableOutcome, selectedOf, type Wording } from '../check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../check-steps';
import type { Fragment } from './fragment';
import type { SqlColumn, SqlRelation } from './relation';
import type { SqlSession } from './session';

/** What a relational connector brings to its connection test. `S` is its session, `R` a relation as it is read. */
export interface ServerCheck<C extends SqlColumn, S extends SqlSession<C>, R extends SqlRelation<C>> {
  readonly classify: Classify;
  readonly network: Network | undefined;
  /** A name, an address or the path of a socket; absent where only the login tells where it goes. */
  readonly host: string | undefined;
  /** Connects; `hold` is given the socket as soon as it is there. */
  connect(host: string, hold: (socket: Socket) => void): Promise<string>;
  /** Logs in, after the handshake for TLS where there is one. */
  open(): Promise<S>;
  /** How the connection is encrypted, and what to do where it is not, or nobody is verified. */
  readonly tls: {
    readonly options: { readonly rejectUnauthorized?: boolean | undefined } | undefined;
    readonly absent: string;
    readonly unverified: string;
  };
  readonly loggedIn: string;
  /** What was found at the other end. */
  database(session: S): Promise<Outcome>;
  select(session: S): Promise<readonly R[]>;
  wording(session: S): Wording;
  /** What else there is to say where all that is selected can be read. */
  further?(session: S, readable: string): Promise<Outcome>;
  /** Reads at most one row. */
  first(relation: R): Fragment;
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function checkServer<C extends SqlColumn, S extends SqlSession<C>, R extends SqlRelation<C>>(
  server: ServerCheck<C, S, R>,
  signal: AbortSignal,
): Promise<CheckReport> {
  const login = new Login<S>();
  let socket: Socket | undefined;
  const hold = (connected: Socket) => {
    socket = connected;
  };
  const tls = async (): Promise<Outcome> => {
    const address = socket?.remoteAddress;
    socket?.destroy();
    const tried = await login.attempt(server.open);
    const failed = tried.status === 'rejected' ? server.classify(tried.reason) : undefined;
    if (failed?.code.startsWith('tls_')) throw failed;
    return encryption(server, address);
  };
  return runSteps([...wayTo(server, hold), { name: 'tls', run: tls }, ...stepsWithin(server, login)], {
    signal,
    classify: server.classify,
    stop() {
      socket?.destroy();
      login.opened?.destroy();
    },
    async close() {
      socket?.destroy();
      await login.opened?.close();
    },
  });
}

type Way = Pick<ServerCheck<SqlColumn, SqlSession<SqlColumn>, SqlRelation<SqlColumn>>, 'host' | 'network' | 'connect'>;

function wayTo({ host, network, connect }: Way, hold: (socket: Socket) => void): Step[] {
  if (host === undefined) return [];
  return [resolveStep(host, network), { name: 'connect', run: () => connect(host, hold) }];
}

type Encrypted = Pick<ServerCheck<SqlColumn, SqlSession<SqlColumn>, SqlRelation<SqlColumn>>, 'host' | 'tls'>;

function encryption({ host, tls }: Encrypted, address: string | undefined): Outcome {
  if (tls.options === undefined) {
    if (host?.startsWith('/') || isLoopback(address)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: tls.absent };
  }
  if (tls.options.rejectUnauthorized !== false) return 'encrypted, certificate verified';
  return { warning: 'encrypted; the server is not verified', hint: tls.unverified };
}

function stepsWithin<C extends SqlColumn, S extends SqlSession<C>, R extends SqlRelation<C>>(
  server: ServerCheck<C, S, R>,
  login: Login<S>,
): Step[] {
  let relations: readonly R[] = [];
  const within = (name: string, run: (session: S) => Promise<Outcome>): Step => ({
    name,
    run: async () => run(login.session),
  });
  return [
    within('authenticate', async () => server.loggedIn),
    within('database', server.database),
    within('permissions', async (session) => {
      const all = await server.select(session);
      relations = all.filter(({ info }) => info.unreadable === undefined);
      const readable = readableOutcome(
        all.map(({ info }) => selectedOf(info)),
        server.wording(session),
      );
      return typeof readable === 'string' && server.further ? server.further(session, readable) : readable;
    }),
    within('read', async (session) => {
      const [relation] = relations;
      if (relation === undefined) return 'nothing to read';
      const rows = await session.query(server.first(relation));
      return firstOutcome(relation.info.schema.stream, rows.length > 0);
    }),
  ];
}
