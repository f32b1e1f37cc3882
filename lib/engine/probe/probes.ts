import { messageOf } from '../../core/fault';
import type { IntegrationDocument } from '../../core/integration';
import { type EngineContext, isHeld, newLease } from '../context';
import { listIntegrations } from '../integrations';
import { list, type Stored, update } from '../records';
import { keys, type Lease } from '../state';
import { longestProbeMs, type ProbeOutcome, probe } from './attempt';
import { dueProbes, type ProbeTimes } from './due';
import { afterProbe, NEVER_PROBED, type ProbeItem } from './item';
import { type ProbeSettings, probeSettings, whyNotProbed } from './settings';

/** Bounds of one look at what is due. */
export interface ProbeRound {
  /** Aborts the tests that go on; they count as not made. */
  readonly stop: AbortSignal;
  /** Tests at the same time. */
  readonly atOnce: number;
  /** What would be due within this time is due now: for homes that look rarely. */
  readonly slackMs?: number;
  /** No attempt goes on for longer than this; what there is no time for is left for the next look. */
  readonly budgetMs?: number;
}

interface Subject extends ProbeTimes {
  readonly id: string;
  readonly document: IntegrationDocument;
  readonly settings: ProbeSettings;
}

/** The regular tests of connections, by whoever calls. One connection is never tested twice at the same time. */
export class Probes {
  readonly #context: EngineContext;
  /** Integrations whose connections are open here, also those that do not close although they were told to. */
  readonly #open = new Set<string>();
  readonly #working = new Set<Promise<void>>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Begins what is due, as far as there is room, and gives when there is more to do; `Infinity` where never. */
  async begin(round: ProbeRound): Promise<number> {
    const { clock } = this.#context.ports;
    const { due, nextAt } = await this.#look(round);
    const room = Math.max(0, round.atOnce - this.#working.size);
    const free = due.filter(({ id }) => !this.#open.has(id));
    for (const subject of free.slice(0, room)) this.#start(subject, round, Number.POSITIVE_INFINITY);
    const now = clock.now();
    if (free.length > room) return now;
    // Those that are being tested are due again an interval from now.
    return due.reduce((next, { intervalMs }) => Math.min(next, now + intervalMs), nextAt);
  }

  /** Makes all that is due, in the time that there is. */
  async run(round: ProbeRound): Promise<void> {
    const { clock, log } = this.#context.ports;
    const until = clock.now() + (round.budgetMs ?? Number.POSITIVE_INFINITY);
    const { due } = await this.#look(round);
    const waiting = due.filter(({ id }) => !this.#open.has(id));
    const hasTime = ({ settings }: Subject) =>
      clock.now() + Math.min(settings.timeoutMs, round.budgetMs ?? settings.timeoutMs) <= until;
    const work = async () => {
      while (!round.stop.aborted && waiting[0] !== undefined && hasTime(waiting[0])) {
        const [subject] = waiting.splice(0, 1);
        if (subject) await this.#start(subject, round, until);
      }
    };
    await Promise.all(Array.from({ length: round.atOnce }, work));
    if (waiting.length > 0) log.warn('health checks are left for the next look', { left: waiting.length });
  }

  /** Resolves when what was begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#working);
  }

  async #look({ slackMs = 0 }: ProbeRound) {
    const { ports } = this.#context;
    // In this order: an item of one that was made in between would look as if it belonged to none.
    const items = await list<ProbeItem>(ports.state, keys.probes);
    const byId = new Map(items.map((item) => [item.key.sort, item.value]));
    const asked = (await listIntegrations(this.#context)).flatMap(({ key: { sort: id }, value }) => {
      const settings = probeSettings(value.document);
      return settings === undefined ? [] : [{ id, settings, ...value }];
    });
    await this.#forget(items, new Set(asked.map(({ id }) => id)));
    const subjects = asked
      .filter(({ document }) => whyNotProbed(ports, document) === undefined)
      .map(({ id, settings, document, updatedAt }): Subject => {
        const lastAt = byId.get(id)?.recent[0]?.at;
        return { id, document, settings, intervalMs: settings.intervalMs, changedAt: Date.parse(updatedAt), lastAt };
      });
    return dueProbes(subjects, ports.clock.now(), slackMs);
  }

  /** Drops what is stored of integrations that are gone or ask for no tests any more. */
  async #forget(items: readonly Stored<ProbeItem>[], asked: ReadonlySet<string>): Promise<void> {
    for (const { key, revision } of items) {
      if (!asked.has(key.sort)) await this.#context.ports.state.delete(key, revision);
    }
  }

  #start(subject: Subject, round: ProbeRound, until: number): Promise<void> {
    this.#open.add(subject.id);
    const working = this.#testOne(subject, round, until)
      .catch((error) => {
        this.#open.delete(subject.id);
        const { log } = this.#context.ports;
        log.error('a health check could not be made', { integration: subject.id, error: messageOf(error) });
      })
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
    return working;
  }

  async #testOne(subject: Subject, { stop }: ProbeRound, until: number): Promise<void> {
    const { id, document, settings } = subject;
    const lease = await this.#claim(subject);
    if (lease === undefined) {
      this.#open.delete(id);
      return;
    }
    const at = this.#context.ports.clock.now();
    const { outcome, closed } = await probe(this.#context, document, settings, { stop, until });
    void closed.finally(() => this.#open.delete(id));
    await this.#note(id, lease, at, outcome);
  }

  async #claim({ id, settings, lastAt }: Subject): Promise<Lease | undefined> {
    const { state, clock } = this.#context.ports;
    const lease = { ...newLease(this.#context), until: clock.now() + longestProbeMs(settings) };
    const { changed } = await update<ProbeItem>(state, keys.probe(id), (current = NEVER_PROBED) => {
      const isTaken = isHeld(this.#context, current.lease) || current.recent[0]?.at !== lastAt;
      return isTaken ? undefined : { ...current, lease };
    });
    return changed ? lease : undefined;
  }

  /** Gives the lease back, with what was found out. What was removed in the meantime stays removed. */
  async #note(id: string, { owner }: Lease, at: number, outcome: ProbeOutcome | undefined): Promise<void> {
    let before: boolean | undefined;
    const { changed } = await update<ProbeItem>(this.#context.ports.state, keys.probe(id), (current) => {
      if (current?.lease?.owner !== owner) return undefined;
      if (outcome === undefined) return { ...current, lease: undefined };
      before = current.recent[0]?.passed;
      const { fault, ...result } = outcome;
      return afterProbe(current, { at, ...result }, fault);
    });
    if (changed && outcome !== undefined && outcome.passed !== (before ?? true)) this.#tell(id, outcome);
  }

  #tell(integration: string, { passed, step, fault }: ProbeOutcome): void {
    const { log } = this.#context.ports;
    if (passed) log.info('the health check passes again', { integration });
    else log.warn('the health check fails', { integration, step, ...(fault && { fault: { ...fault } }) });
  }
}
