import type { Source } from '../core/connector';
import type { Destination } from '../core/destination';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { Pipeline } from '../core/pipeline';
import { wantedMode } from '../core/sync-mode';
import { readByRuns, secretsOf } from './credential-store';
import { checkDocument, split } from './document';
import { configurationOf } from './fingerprint';
import { followerOf } from './follower';
import { secretValues } from './masking';
import { openPipeline } from './open-pipeline';
import { namespaceOf } from './planning';
import type { EnginePorts } from './ports';
import { renewedSource } from './renewed-source';
import { Renewing } from './renewing';
import { insertValues, referencedNames } from './resolve';
import { searchableStreams } from './searchable';
import { SecretAttempts, type SecretValues } from './secret-values';
import { stayInVpn } from './vpn';

/** What this process holds open for one run: the source (and its snapshot) and the destination. */
export interface Session {
  readonly fields: IntegrationFields;
  readonly source: Source;
  readonly destination: Destination;
  /** The steps and rules between them, where the document has any. */
  readonly pipeline?: Pipeline;
  /** Digest of what judges its records. */
  readonly configuration: string;
}

interface Entry {
  readonly opening: Promise<Session>;
  users: number;
  stale: boolean;
}

/** Opens sessions and shares them between the slices of a run, so that they read under one snapshot. */
export class Sessions {
  readonly #ports: EnginePorts;
  readonly #entries = new Map<string, Entry>();

  constructor(ports: EnginePorts) {
    this.#ports = ports;
  }

  /** Runs `work` with the run's session; the session stays open for the next until {@link end}. */
  async use<T>(run: string, document: IntegrationDocument, work: (session: Session) => Promise<T>): Promise<T> {
    const entry = this.#entry(run, document);
    entry.users++;
    try {
      return await work(await entry.opening);
    } finally {
      entry.users--;
      await this.#closeIfUnused(entry);
    }
  }

  /** The session is not used for new work any more, and closed once nobody works with it. */
  async end(run: string): Promise<void> {
    const entry = this.#entries.get(run);
    if (entry === undefined) return;
    this.#entries.delete(run);
    entry.stale = true;
    await this.#closeIfUnused(entry);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((run) => this.end(run)));
  }

  #entry(run: string, document: IntegrationDocument): Entry {
    const known = this.#entries.get(run);
    if (known) return known;
    const entry: Entry = { opening: openSession(this.#ports, document), users: 0, stale: false };
    this.#entries.set(run, entry);
    entry.opening.catch(() => {
      if (this.#entries.get(run) === entry) this.#entries.delete(run);
    });
    return entry;
  }

  async #closeIfUnused(entry: Entry): Promise<void> {
    if (!entry.stale || entry.users > 0) return;
    const session = await entry.opening.catch(() => undefined);
    if (session) await closeSession(this.#ports, session);
  }
}

/** Opens the source alone: for checking, discovering and planning. A login that is refused is made again with newer secrets. */
export async function openSource(ports: EnginePorts, document: IntegrationDocument): Promise<Source> {
  const { connector, fields } = await checkDocument(document, ports.loadConnector);
  stayInVpn(ports, fields);
  const network = ports.network?.(fields);
  const follower = wantedMode(fields) === 'changes' ? await followerOf(ports.state, fields.name) : undefined;
  const log = ports.log.with({ integration: fields.name });
  const host = { log, ...(network && { network }), ...(follower !== undefined && { follower }) };
  const referring = readByRuns(document);
  const open = async (values: SecretValues) => {
    const resolved = insertValues(referring, values) as IntegrationDocument;
    for (const value of secretValues(resolved, connector)) ports.redactor.add(value);
    const [own] = split(resolved, connector);
    return connector.open(own, host);
  };
  const attempts = new SecretAttempts(referencedNames(referring), secretsOf(ports, document), ports.redactor);
  return renewedSource(new Renewing(attempts, open, host.log));
}

async function openSession(ports: EnginePorts, document: IntegrationDocument): Promise<Session> {
  const { fields } = await checkDocument(document, ports.loadConnector);
  const source = await openSource(ports, document);
  try {
    const destination = await openDestination(ports, fields);
    try {
      const pipeline = await openPipeline(ports, document, fields, destination);
      const configuration = configurationOf(fields, pipeline);
      return { fields, source, destination, configuration, ...(pipeline && { pipeline }) };
    } catch (error) {
      await destination.close();
      throw error;
    }
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Opens an integration's place in the destination. */
export function openDestination(ports: EnginePorts, fields: IntegrationFields): Promise<Destination> {
  return ports.openDestination(
    {
      integration: fields.name,
      namespace: namespaceOf(fields),
      deletes: fields.destination?.deletes ?? 'hard',
      search: searchableStreams(fields),
    },
    { log: ports.log.with({ integration: fields.name }) },
  );
}

async function closeSession(ports: EnginePorts, session: Session): Promise<void> {
  const results = await Promise.allSettled([session.source.close(), session.destination.close()]);
  for (const result of results) {
    if (result.status === 'rejected') ports.log.warn('closing a connection failed', { error: String(result.reason) });
  }
}
