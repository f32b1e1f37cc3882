import type { StreamInfo } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Outcome } from './check-steps';

/** Something that could be read, or the reason why not. */
export interface Selected {
  readonly name: string;
  readonly unreadable?: Fault | undefined;
}

/** What of a stream counts here. */
export function selectedOf({ schema, unreadable }: Pick<StreamInfo, 'schema' | 'unreadable'>): Selected {
  return { name: schema.stream, unreadable };
}

/** How the permissions step speaks of a kind of system. */
export interface Wording {
  /** What is read there, such as `tables and views`. */
  readonly things: string;
  /** What can be done with those that are not refused. */
  readonly may?: string;
  /** What to do when nothing is selected. */
  readonly nothing: string;
  /** What to do about what is refused, where its fault does not say. */
  readonly grant: string;
}

const MOST_NAMED = 5;

/** How much of what is selected can be read. @throws Fault `config` when that is nothing */
export function readableOutcome(
  all: readonly Selected[],
  { things, may = 'be read', nothing, grant }: Wording,
): Outcome {
  const refused = all.filter(({ unreadable }) => unreadable !== undefined);
  const [first] = refused;
  if (all.length === 0)
    throw new Fault('config', 'nothing_selected', `none of the ${things} is selected`, { hint: nothing });
  if (first?.unreadable && refused.length === all.length) throw first.unreadable;
  const detail = `${all.length - refused.length} of ${all.length} ${things} can ${may}`;
  if (first === undefined) return detail;
  const names = refused.slice(0, MOST_NAMED).map(({ name }) => name);
  return {
    warning: `${detail}; not ${names.join(', ')}${refused.length > names.length ? ', ...' : ''}`,
    hint: first.unreadable?.hint ?? grant,
  };
}

/** What the last step found where it tried to read one. */
export function firstOutcome(name: string, found: boolean, thing = 'a row'): Outcome {
  return found ? `${thing} of ${name} was read` : `${name} is empty`;
}

/** The login that a step tried, for those after it. */
export class Login<S> {
  #result: PromiseSettledResult<S> | undefined;

  /** Tries it; its failure is that of the step which asks for the session. */
  async attempt(open: () => Promise<S>): Promise<PromiseSettledResult<S>> {
    const [result] = await Promise.allSettled([open()]);
    this.#result = result;
    return result;
  }

  /** The session, if there is one. */
  get opened(): S | undefined {
    return this.#result?.status === 'fulfilled' ? this.#result.value : undefined;
  }

  /** The session. @throws what the login failed with */
  get session(): S {
    if (this.#result === undefined) throw new Fault('bug', 'no_session', 'nobody is logged in');
    if (this.#result.status === 'rejected') throw this.#result.reason;
    return this.#result.value;
  }
}
