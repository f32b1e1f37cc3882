import { durationMs } from '../core/duration';
import { type FaultRecord, toFault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import type { CredentialStore, SecretOrigin, Secrets } from '../core/ports';
import type { Credential } from '../core/service';
import type { EngineContext } from './context';
import { secretsOf, withoutStore } from './credential-store';
import { listIntegrations } from './integrations';
import { referencedNames } from './resolve';
import { seenSince } from './seen-secrets';
import { isoTime } from './views';

const DAY_MS = 86_400_000;
const DEFAULT_INTERVAL = '90d';
const SOON_MS = 14 * DAY_MS;

/** A credential with what is needed to tell about it. */
export interface WatchedCredential extends Credential {
  /** Names it among all: two files may have credentials of one name. */
  readonly id: string;
  readonly changedAtMs?: number;
  readonly dueAtMs?: number;
  readonly intervalMs?: number;
  /** The first integration by whose policy somebody is told. */
  readonly toldFor?: string;
}

/** One name in one document. */
interface Use {
  readonly name: string;
  readonly integration: string;
  readonly policy: RotationPolicy | undefined;
  readonly place: string;
  readonly secrets: () => Secrets;
}

interface RotationPolicy {
  readonly enabled: boolean;
  readonly interval?: string;
  readonly notification?: boolean;
}

type Found = { readonly origin?: SecretOrigin; readonly fault?: FaultRecord };

/** Every credential that the stored documents refer to, in the order of names. */
export async function watchCredentials(context: EngineContext): Promise<readonly WatchedCredential[]> {
  const documents = (await listIntegrations(context)).map(({ value }) => value.document);
  return watch(
    context,
    documents.flatMap((document) => usesOf(context, document)),
  );
}

/** What an owner of a document should know of its credentials: those that should be changed. */
export async function credentialWarnings(
  context: EngineContext,
  document: IntegrationDocument,
): Promise<readonly string[]> {
  if (policyOf(document) === undefined) return [];
  const watched = await watch(context, usesOf(context, document));
  return watched.filter(({ state }) => state === 'due_soon' || state === 'overdue').map(dueText);
}

/** In words, how old a credential is and when it should be changed. */
export function dueText({ name, ageSeconds = 0, dueAt = '', state, intervalMs = 0 }: WatchedCredential): string {
  const days = (ms: number) =>
    ms < DAY_MS ? `${Math.floor(ms / 3_600_000)} hours` : `${Math.floor(ms / DAY_MS)} days`;
  const since = `\${${name}} is ${days(ageSeconds * 1000)} old`;
  const policy = `rotation_policy wants it changed every ${days(intervalMs)}`;
  return `${since}; ${policy}: it ${state === 'overdue' ? 'was' : 'is'} due on ${dueAt.slice(0, 10)}`;
}

function usesOf({ ports }: EngineContext, document: IntegrationDocument): Use[] {
  const store = document.credential_store as CredentialStore | undefined;
  const common = { integration: String(document.name), policy: policyOf(document) };
  const own = [...referencedNames(withoutStore(document))].map((name) => ({
    ...common,
    name,
    place: store?.file_path ?? '',
    secrets: () => secretsOf(ports, document),
  }));
  const ofStore = [...referencedNames(store?.encryption_key ?? null)].map((name) => ({
    ...common,
    name,
    place: '',
    secrets: () => ports.secrets,
  }));
  return [...own, ...ofStore];
}

function policyOf(document: IntegrationDocument): RotationPolicy | undefined {
  const policy = document.rotation_policy as RotationPolicy | undefined;
  return policy?.enabled ? policy : undefined;
}

async function watch(context: EngineContext, uses: readonly Use[]): Promise<readonly WatchedCredential[]> {
  const known = new Map<string, Promise<Found>>();
  const found = await Promise.all(
    uses.map(async (use) => {
      const key = JSON.stringify([use.place, use.name]);
      const finding = known.get(key) ?? find(context, use);
      known.set(key, finding);
      return { use, found: await finding };
    }),
  );
  const groups = new Map<string, { readonly found: Found; readonly uses: Use[] }>();
  for (const one of found) {
    const id = idOf(one.use, one.found);
    const group = groups.get(id) ?? { found: one.found, uses: [] };
    group.uses.push(one.use);
    groups.set(id, group);
  }
  const now = context.ports.clock.now();
  return [...groups]
    .map(([id, group]) => describe(id, group.uses, group.found, now))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The environment is one place, whichever documents come to it past a file of their own. */
function idOf({ name, place }: Use, { origin }: Found): string {
  const store = origin?.store ?? 'none';
  return JSON.stringify([store, store === 'environment' ? '' : place, name]);
}

async function find({ ports }: EngineContext, { name, secrets }: Use): Promise<Found> {
  try {
    const kept = secrets();
    const value = kept.about === undefined ? await kept.get(name) : undefined;
    const origin = kept.about === undefined ? value && { store: 'environment' as const } : await kept.about(name);
    if (origin === undefined || origin.changedAt !== undefined) return origin === undefined ? {} : { origin };
    const current = value ?? (await kept.get(name));
    if (current === undefined) return {};
    ports.redactor.add(current.reveal());
    return { origin: { ...origin, changedAt: await seenSince(ports.state, name, current, ports.clock.now()) } };
  } catch (error) {
    return { fault: toFault(error, `looking at the credential ${name}`).record() };
  }
}

function describe(id: string, uses: readonly Use[], { origin, fault }: Found, now: number): WatchedCredential {
  const [{ name } = { name: '' }] = uses;
  const usedBy = [...new Set(uses.map(({ integration }) => integration))].sort();
  const base = { id, name, usedBy };
  if (fault !== undefined) return { ...base, state: 'unknown', fault };
  if (origin?.changedAt === undefined) return { ...base, state: 'missing' };
  const { store, changedAt } = origin;
  const aged = {
    ...base,
    store,
    changedAt: isoTime(changedAt),
    changedAtMs: changedAt,
    ageSeconds: Math.max(0, Math.floor((now - changedAt) / 1000)),
  };
  const policies = uses.flatMap(({ policy }) => policy ?? []);
  if (policies.length === 0) return { ...aged, state: 'ok' };
  const intervalMs = Math.min(...policies.map(({ interval = DEFAULT_INTERVAL }) => durationMs(interval)));
  const dueAtMs = changedAt + intervalMs;
  const soonMs = dueAtMs - Math.min(SOON_MS, intervalMs / 2);
  const toldFor = uses.filter(({ policy }) => policy && policy.notification !== false).map((use) => use.integration);
  const [first] = toldFor.sort();
  return {
    ...aged,
    intervalMs,
    dueAtMs,
    dueAt: isoTime(dueAtMs),
    state: now >= dueAtMs ? 'overdue' : now >= soonMs ? 'due_soon' : 'ok',
    ...(first !== undefined && { toldFor: first }),
  };
}

/** What everybody may see of it. */
export function viewCredential(watched: WatchedCredential): Credential {
  const { name, store, usedBy, changedAt, ageSeconds, dueAt, state, fault } = watched;
  return {
    name,
    usedBy,
    state,
    ...(store && { store }),
    ...(changedAt !== undefined && { changedAt }),
    ...(ageSeconds !== undefined && { ageSeconds }),
    ...(dueAt !== undefined && { dueAt }),
    ...(fault && { fault }),
  };
}
