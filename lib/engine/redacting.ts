import { Fault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import type { Json } from '../core/json';
import type { Notification } from '../core/notification';
import type { StateStore } from '../core/ports';
import { redacted } from '../core/redacted';
import type { Redactor } from '../core/secret';
import type { Service } from '../core/service';
import { connectorOfStored } from './document';
import { secretValues } from './masking';
import type { EnginePorts } from './ports';
import { isReference } from './resolve';

/**
 * Members that hold sentences. Names of streams, columns and tables are left alone: a password may well be the name of a
 * table, and a name with a hole in it names nothing.
 */
const SENTENCES = new Set(['message', 'hint', 'detail', 'reason', 'note', 'notes', 'changes', 'warnings', 'issues']);

/** A value in which the sentences hold no secrets. What an owner wrote or loaded (a document, a record) stays as it is. */
export function withoutSecrets<T>(value: T, redactor: Redactor): T {
  return cleaned(value, redactor) as T;
}

const OWN = new Set(['document', 'record', 'schema']);

function cleaned(value: unknown, redactor: Redactor): unknown {
  if (value instanceof Fault) return cleanFault(value, redactor);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, redactor));
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (OWN.has(key)) return [key, item];
      return [key, SENTENCES.has(key) && isText(item) ? redacted(item, redactor) : cleaned(item, redactor)];
    }),
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
}

/** The same fault, without secrets in what it says. Its cause stays: it goes to logs alone, which are redacted. */
function cleanFault(fault: Fault, redactor: Redactor): Fault {
  const { kind, code, message, cause, retryAfterMs, issues, run, hint } = fault;
  const said = [message, hint, ...(issues ?? []).flatMap((issue) => [issue.path, issue.message])];
  if (said.every((text) => text === undefined || redactor.redact(text) === text)) return fault;
  return new Fault(kind, code, redactor.redact(message), {
    ...(cause !== undefined && { cause }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(run !== undefined && { run }),
    ...(hint !== undefined && { hint: redactor.redact(hint) }),
    ...(issues && {
      issues: issues.map(({ path, message: what }) => ({
        path: redactor.redact(path),
        message: redactor.redact(what),
      })),
    }),
  });
}

/** Ports that store and tell no secrets in what they say of runs. */
export function redactingPorts(ports: EnginePorts): EnginePorts {
  const { redactor, notify } = ports;
  return {
    ...ports,
    state: redactingState(ports.state, redactor),
    ...(notify && {
      notify: (notification: Notification, channels?: readonly string[]) =>
        notify.call(ports, redactedNotification(notification, redactor), channels),
    }),
  };
}

function redactedNotification(notification: Notification, redactor: Redactor): Notification {
  const { title, text, facts } = notification;
  return {
    ...notification,
    title: redactor.redact(title),
    text: redactor.redact(text),
    facts: (redacted(facts, redactor) ?? {}) as Notification['facts'],
  };
}

/** Members of records of runs, streams and slices that hold sentences. */
const RECORDED = ['fault', 'notes', 'changes', 'reason'] as const;

function redactingState(state: StateStore, redactor: Redactor): StateStore {
  return {
    get: (key) => state.get(key),
    put: (key, value, expected, expiresAt) => state.put(key, recorded(value, redactor), expected, expiresAt),
    query: (partition, query) => state.query(partition, query),
    delete: (key, expected) => state.delete(key, expected),
  };
}

function recorded(value: Json, redactor: Redactor): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = value as { readonly [key: string]: Json };
  const said = Object.fromEntries(RECORDED.flatMap((key) => (fields[key] === undefined ? [] : [[key, fields[key]]])));
  return Object.keys(said).length === 0 ? value : { ...fields, ...withoutSecrets(said, redactor) };
}

/**
 * A service whose answers and faults hold no secrets. What stands in a document in plain is known to be secret before anything
 * is done with it.
 */
export function redactingService<S extends Partial<Service>>(service: S, { redactor, loadConnector }: EnginePorts): S {
  const learn = async (given: unknown): Promise<void> => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
    const document = given as IntegrationDocument;
    if (typeof document.type !== 'string') return;
    const connector = await connectorOfStored(document, loadConnector);
    if (connector === undefined) return;
    for (const value of secretValues(document, connector)) if (!isReference(value)) redactor.add(value);
  };
  const guarded = <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) => {
    return async (...given: A): Promise<R> => {
      try {
        for (const one of given) await learn(one);
        return withoutSecrets(await work(...given), redactor);
      } catch (error) {
        throw error instanceof Fault ? cleanFault(error, redactor) : error;
      }
    };
  };
  const names = Object.keys(service) as (keyof S)[];
  return Object.fromEntries(
    names.map((name) => [name, guarded(service[name] as (...given: readonly unknown[]) => Promise<unknown>)]),
  ) as unknown as S;
}
