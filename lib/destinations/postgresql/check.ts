import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { CheckReport, CheckStep } from '../../core/check';
import type { DestinationContext } from '../../core/destination';
import { Fault, toFault } from '../../core/fault';
import { classify, errorCode } from './classify';
import { addressOf, type PostgresqlConfig } from './config';
import { quoted } from './names';
import type { Session, Sessions } from './session';

/** The steps in their order. The first failure skips the rest. */
const STEPS = ['resolve', 'connect', 'tls', 'authenticate', 'database', 'permissions', 'read'] as const;
type StepName = (typeof STEPS)[number];

/** See `Destination.check`. */
export async function checkDestination(
  config: PostgresqlConfig,
  context: DestinationContext,
  sessions: Sessions,
  signal: AbortSignal,
): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  const passed = (name: StepName, detail: string, since: number) =>
    void steps.push({ name, state: 'passed', detail, milliseconds: Date.now() - since });
  let step: StepName = 'resolve';
  let start = Date.now();
  const next = (name: StepName) => {
    step = name;
    start = Date.now();
  };
  const { host, port, database, user } = addressOf(config);
  try {
    const { address } = await lookup(host);
    passed('resolve', `${host} is ${address}`, start);
    next('connect');
    await reach(address, port, config.connect_timeout * 1000, signal);
    passed('connect', `port ${port} answers`, start);
    next('tls');
    await sessions.use(signal, async (session) => {
      passed('tls', await tlsDetail(session, config), start);
      passed('authenticate', `logged in as ${user}`, start);
      passed('database', `database ${database}`, start);
      next('permissions');
      passed('permissions', await permissions(session, context), start);
      next('read');
      const [row] = await session.query(`SELECT current_setting('server_version') AS version`);
      passed('read', `PostgreSQL ${row?.version}`, start);
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const fault = toFault(error, 'checking the destination', classify);
    const failed = fault.code === 'permission_missing' ? step : failedStep(step, error, fault);
    for (const name of STEPS.slice(steps.length, STEPS.indexOf(failed))) passed(name, 'done', start);
    steps.push(failure(failed, fault, Date.now() - start));
  }
  const skipped = STEPS.slice(steps.length).map(
    (name): CheckStep => ({ name, state: 'skipped', detail: 'an earlier step failed', milliseconds: 0 }),
  );
  return { passed: steps.every(({ state }) => state !== 'failed'), steps: [...steps, ...skipped] };
}

function failure(name: StepName, fault: Fault, milliseconds: number): CheckStep {
  const { message, hint } = fault;
  return { name, state: 'failed', detail: message, ...(hint !== undefined && { hint }), milliseconds };
}

/** Connecting is one call of the driver; the code of its error tells how far it came. */
function failedStep(step: StepName, error: unknown, fault: Fault): StepName {
  if (step !== 'tls') return step;
  const code = errorCode(error) ?? '';
  if (code === '3D000' || code === '42501') return 'database';
  if (code.startsWith('28') || code.startsWith('53') || code.startsWith('57')) return 'authenticate';
  return ['certificate_not_trusted', 'tls_failed'].includes(fault.code) ? 'tls' : 'authenticate';
}

async function tlsDetail(session: Session, { ssl }: PostgresqlConfig): Promise<string> {
  const [row] = await session.query('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl');
  if (row === undefined) return 'not encrypted, as configured';
  const verified = ssl === true || (ssl !== false && ssl.verification === 'full');
  return `${row.version}, server ${verified ? 'verified' : 'not verified, as configured'}`;
}

async function permissions(session: Session, { namespace }: DestinationContext): Promise<string> {
  const [row] = await session.query(
    `SELECT current_user AS role, n.oid IS NOT NULL AS found, has_database_privilege(current_database(), 'CREATE') AS may_create,
       n.oid IS NOT NULL AND has_schema_privilege(n.oid, 'CREATE, USAGE') AS may_use, pg_is_in_recovery() AS standby
     FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = $1`,
    [namespace],
  );

  if (row?.standby === 't') {
    throw new Fault('config', 'permission_missing', 'the server is a standby and takes no writes', {
      hint: 'Name the primary server.',
    });
  }
  if (row?.found === 't' ? row?.may_use === 't' : row?.may_create === 't') {
    return row?.found === 't' ? `schema ${namespace} can be written` : `schema ${namespace} can be created`;
  }
  const grant = `CREATE SCHEMA IF NOT EXISTS ${quoted(namespace)} AUTHORIZATION ${quoted(row?.role ?? '')}`;
  throw new Fault('config', 'permission_missing', `the role may not create tables in schema ${namespace}`, {
    hint: `Run as an administrator: ${grant}`,
  });
}

function reach(host: string, port: number, timeout: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () =>
      socket.destroy(Object.assign(new Error(`no answer within ${timeout} ms`), { code: 'ETIMEDOUT' })),
    );
    socket.once('error', reject);
  });
}
