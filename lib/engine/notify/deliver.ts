import type { Channel, Channels } from '../../core/channel';
import { Fault, toFault } from '../../core/fault';
import type { Logger } from '../../core/log';
import type { Notification } from '../../core/notification';
import type { Notifier } from '../../core/ports';
import { redacted } from '../../core/redacted';
import { json, list, read } from '../records';
import { added, isDue } from './groups';
import type { InboxPorts } from './inbox';
import {
  type ChannelState,
  EMPTY_OUTBOX,
  type InboxItem,
  type NotifyLimits,
  newChannel,
  notifyKeys,
  type Outbox,
  TOLD_MS,
} from './outbox';
import { isToBeTried, refused, taken, tokensAt, withMessage, withoutStale } from './sending';

/** What sending notifications needs. */
export interface DeliveryPorts extends InboxPorts {
  readonly log: Logger;
  readonly channels: Channels;
  /** 0 to 1, as Math.random. */
  random(): number;
  /** Names this process; the one that sends holds a lease of this name. */
  readonly owner: string;
  /** True when no other process can hold the lease. */
  readonly exclusive: boolean;
  readonly limits: NotifyLimits;
}

/** Of the inbox, taken up in one write. */
const BATCH = 100;
/** Longer than one attempt of every channel takes, which happen at the same time. */
const LEASE_FACTOR = 3;

/** Takes up what was stored, and sends what is due. Gives up when another process does so. */
export async function deliver(ports: DeliveryPorts, signal: AbortSignal): Promise<void> {
  const channels = await ports.channels.list();
  const seen = await read<Outbox>(ports.state, notifyKeys.outbox);
  if (!(await hasWork(ports, seen?.value ?? EMPTY_OUTBOX, channels))) return;
  const round = await Round.begin(ports, channels, seen?.value ?? EMPTY_OUTBOX, seen?.revision);
  if (round === undefined) return;
  await round.takeUp();
  await round.send(signal);
  await round.end();
}

/** A look that writes nothing, as mostly there is nothing to do. */
async function hasWork(ports: DeliveryPorts, outbox: Outbox, channels: readonly Channel[]): Promise<boolean> {
  const now = ports.clock.now();
  const configured = new Set(channels.filter(({ notifier }) => notifier).map(({ name }) => name));
  const busy = Object.entries(outbox.channels).some(([name, channel]) => {
    if (!configured.has(name)) return withoutStale(channel, now, ports.limits) !== channel;
    if (channel.sending !== undefined) return isToBeTried(channel, now);
    return (
      tokensAt(channel, now, ports.limits) >= 1 &&
      channel.groups.some((group) => isDue(group, channel, now, ports.limits))
    );
  });
  return busy || (await ports.state.query(notifyKeys.inbox, { limit: 1 })).length > 0;
}

/** One round of one process, which holds the lease. */
class Round {
  readonly #ports: DeliveryPorts;
  readonly #configured: ReadonlyMap<string, Notifier>;
  readonly #endsAt: number;
  #outbox: Outbox;
  #revision: number | undefined;

  private constructor(ports: DeliveryPorts, channels: readonly Channel[], outbox: Outbox, revision?: number) {
    this.#ports = ports;
    this.#configured = new Map(
      channels.flatMap(({ name, notifier }) => (notifier === undefined ? [] : [[name, notifier] as const])),
    );
    this.#outbox = outbox;
    this.#revision = revision;
    this.#endsAt = ports.clock.now() + ports.limits.roundMs;
  }

  /** Takes the lease; `undefined` when another process has it. */
  static async begin(
    ports: DeliveryPorts,
    channels: readonly Channel[],
    outbox: Outbox,
    revision: number | undefined,
  ): Promise<Round | undefined> {
    const { lease } = outbox;
    const isHeld = lease !== undefined && lease.until > ports.clock.now() && lease.owner !== ports.owner;
    if (isHeld && !ports.exclusive) return undefined;
    const round = new Round(ports, channels, outbox, revision);
    return (await round.#put(outbox, true)) ? round : undefined;
  }

  /** Moves what was stored into the channels. Whatever happens in between, each is moved once. */
  async takeUp(): Promise<void> {
    await this.#clearAbsorbed();
    // The other half of the time is for sending.
    const until = this.#endsAt - this.#ports.limits.roundMs / 2;
    while (this.#ports.clock.now() <= until) {
      const items = await list<InboxItem>(this.#ports.state, notifyKeys.inbox, { limit: BATCH });
      if (items.length === 0) return;
      const told = await Promise.all(items.map(({ key }) => this.#ports.state.get(notifyKeys.told(key.sort))));
      const fresh = items
        .filter((_, index) => told[index] === undefined)
        .sort(({ value: left }, { value: right }) => left.at - right.at || left.order - right.order);
      const channels = fresh.reduce((all, { value }) => this.#withItem(all, value), this.#outbox.channels);
      await this.#save({ ...this.#outbox, channels, absorbed: items.map(({ key }) => key.sort) });
      await this.#clearAbsorbed();
    }
  }

  /** What was taken up leaves the inbox, and is known not to come again. */
  async #clearAbsorbed(): Promise<void> {
    const { state, clock } = this.#ports;
    const clear = async (hash: string) => {
      await state.put(notifyKeys.told(hash), true, undefined, clock.now() + TOLD_MS);
      await state.delete(notifyKeys.waiting(hash));
    };
    await Promise.all(this.#outbox.absorbed.map(clear));
  }

  #withItem(channels: Outbox['channels'], { notification, channels: wanted, at }: InboxItem): Outbox['channels'] {
    const { clock, limits, log } = this.#ports;
    const now = clock.now();
    const { names, note } = this.#receivers(wanted);
    if (names.length === 0)
      log.info('nobody is told, as no channel is configured', { notification: notification.title });
    const told = note === undefined ? notification : { ...notification, text: `${notification.text}\n\n${note}` };
    const more = names.map(
      (name) => [name, added(channels[name] ?? newChannel(now, limits), told, at, limits)] as const,
    );
    return { ...channels, ...Object.fromEntries(more) };
  }

  /** The channels that are meant; all of them where none of those that are named is there. */
  #receivers(wanted: readonly string[] | undefined): { readonly names: readonly string[]; readonly note?: string } {
    const all = [...this.#configured.keys()];
    if (wanted === undefined) return { names: all };
    const { aliases } = this.#ports.channels;
    const there = new Set(wanted.map((name) => aliases[name] ?? name).filter((name) => this.#configured.has(name)));
    if (there.size > 0) return { names: [...there] };
    return { names: all, note: `This was meant for ${wanted.join(' and ')}, which is not configured here.` };
  }

  /** Sends until nothing is due, all channels at the same time. */
  async send(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted && clock.now() <= this.#endsAt) {
      await this.#prepare();
      const ready = [...this.#configured].flatMap(([name, notifier]) => {
        const channel = this.#outbox.channels[name];
        return channel?.sending && isToBeTried(channel, clock.now())
          ? [{ name, notifier, sending: channel.sending }]
          : [];
      });
      if (ready.length === 0) return;
      const faults = await Promise.all(
        ready.map(({ notifier, sending }) => this.#attempt(notifier, sending.notification)),
      );
      const changed = ready.map(({ name }, index) => [name, this.#after(name, faults[index])] as const);
      await this.#save({ ...this.#outbox, channels: { ...this.#outbox.channels, ...Object.fromEntries(changed) } });
    }
  }

  /** Makes messages of what is due, and stores them before they are sent: they must not change afterwards. */
  async #prepare(): Promise<void> {
    const { clock, limits } = this.#ports;
    const now = clock.now();
    let { sequence } = this.#outbox;
    const changed = Object.entries(this.#outbox.channels).flatMap(([name, channel]) => {
      const next = this.#configured.has(name)
        ? withMessage(channel, `${name}/${sequence + 1}`, now, limits)
        : withoutStale(channel, now, limits);
      if (next === undefined || next === channel) return [];
      sequence += 1;
      return [[name, next] as const];
    });
    if (changed.length === 0) return;
    const channels = { ...this.#outbox.channels, ...Object.fromEntries(changed) };
    await this.#save({ ...this.#outbox, sequence, channels });
  }

  /** Gives the fault, when it was not taken. */
  async #attempt(notifier: Notifier, notification: Notification): Promise<Fault | undefined> {
    const { redactor, clock, limits } = this.#ports;
    const doing = `telling ${notifier.channel}`;
    const done = new AbortController();
    const late = clock.sleep(limits.sendMs, done.signal).then(() => {
      if (done.signal.aborted) return;
      throw new Fault('transient', 'timeout', `${doing}: it takes longer than ${limits.sendMs / 1000} s`, {
        hint: 'It is tried again by itself; if it stays, look at the receiver.',
      });
    });
    try {
      // What was no secret when it was stored may be one now.
      await Promise.race([notifier.send(redacted(notification, redactor) as unknown as Notification), late]);
      return undefined;
    } catch (error) {
      const { kind, code, message, hint, retryAfterMs } = toFault(error, doing);
      return new Fault(kind, code, redactor.redact(message), {
        ...(hint !== undefined && { hint: redactor.redact(hint) }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    } finally {
      done.abort();
      await late.catch(() => undefined);
    }
  }

  #after(name: string, fault: Fault | undefined): ChannelState {
    const { clock, log, limits, random } = this.#ports;
    const now = clock.now();
    const channel = this.#outbox.channels[name] ?? newChannel(now, limits);
    if (fault === undefined) return taken(channel, new Date(now).toISOString());
    log.warn('a notification was not taken', { channel: name, fault: fault.message, hint: fault.hint });
    const after = refused(channel, fault, { now, random: random(), limits });
    if (after.givenUp > channel.givenUp) {
      log.error('notifications were given up', { channel: name, count: after.givenUp - channel.givenUp });
    }
    return after;
  }

  async end(): Promise<void> {
    await this.#put(this.#outbox, false);
  }

  /** @throws Fault `transient`/`outbox_taken` */
  async #save(next: Outbox): Promise<void> {
    if (await this.#put(next, true)) return;
    throw new Fault('transient', 'outbox_taken', 'sending notifications: another process has taken over');
  }

  async #put(next: Outbox, held: boolean): Promise<boolean> {
    const { state, clock, limits, owner } = this.#ports;
    const { lease: _lease, ...rest } = next;
    const until = clock.now() + limits.sendMs * LEASE_FACTOR;
    const written: Outbox = held ? { ...rest, lease: { owner, until } } : rest;
    const revision = await state.put(notifyKeys.outbox, json(written), this.#revision ?? 'absent');
    if (revision === undefined) return false;
    this.#outbox = written;
    this.#revision = revision;
    return true;
  }
}
