import { CHANNEL_NAMES, type Channel, type ChannelStatus, type Channels, type TestOutcome } from '../../core/channel';
import { nearest } from '../../core/config';
import { Fault, type FaultRecord, toFault } from '../../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../../core/integration';
import type { Notification } from '../../core/notification';
import { redacted } from '../../core/redacted';
import { json, list, read } from '../records';
import { type IntegrationItem, keys } from '../state';
import { type DeliveryPorts, deliver } from './deliver';
import { waitingIn } from './groups';
import { storeNotification } from './inbox';
import { type ChannelState, EMPTY_OUTBOX, NOTIFY_LIMITS, type NotifyLimits, notifyKeys, type Outbox } from './outbox';

/** What tells people, behind the channels of a home. */
export interface Notifications {
  /** See {@link import('../ports').EnginePorts.notify}. */
  notify(notification: Notification, channels?: readonly string[]): Promise<void>;
  /** Sends what is due; for every few seconds or minutes. Two processes do not send at the same time. */
  deliver(signal: AbortSignal): Promise<void>;
  /** How every channel stands that this home has or a document names. */
  channels(): Promise<readonly ChannelStatus[]>;
  /** Sends a test message at once, on one channel or on all that are configured. @throws Fault `config`/`not_found` */
  test(channel: string | undefined): Promise<readonly TestOutcome[]>;
  /** What of a document names a channel that is not there. */
  warnings(fields: IntegrationFields): Promise<readonly string[]>;
}

/** What notifications are made of. */
export type NotificationsOptions = Omit<DeliveryPorts, 'limits'> & { readonly limits?: Partial<NotifyLimits> };

interface TestItem {
  readonly at: string;
  readonly fault?: FaultRecord;
}

/** The dispatcher of one home. */
export function createNotifications(options: NotificationsOptions): Notifications {
  const ports: DeliveryPorts = { ...options, limits: { ...NOTIFY_LIMITS, ...options.limits } };
  let delivering: Promise<void> | undefined;
  return {
    notify: (notification, channels) => storeNotification(ports, notification, channels),
    deliver(signal) {
      // One at a time: the lease is that of the process.
      delivering ??= deliver(ports, signal).finally(() => {
        delivering = undefined;
      });
      return delivering;
    },
    channels: () => statuses(ports),
    test: (channel) => test(ports, channel),
    warnings: async (fields) => channelWarnings(fields, ports.channels),
  };
}

async function statuses({ state, channels }: DeliveryPorts): Promise<readonly ChannelStatus[]> {
  const all = await channels.list();
  const stored = (await read<Outbox>(state, notifyKeys.outbox))?.value ?? EMPTY_OUTBOX;
  const tests = new Map((await list<TestItem>(state, notifyKeys.tests)).map(({ key, value }) => [key.sort, value]));
  const users = await usersOf(state, channels);
  const names = [...new Set([...all.map(({ name }) => name), ...Object.keys(stored.channels), ...users.keys()])];
  return names.map((name) =>
    statusOf(name, {
      channel: all.find((one) => one.name === name),
      state: stored.channels[name],
      test: tests.get(name),
      usedBy: users.get(name) ?? [],
    }),
  );
}

interface Seen {
  readonly channel: Channel | undefined;
  readonly state: ChannelState | undefined;
  readonly test: TestItem | undefined;
  readonly usedBy: readonly string[];
}

function statusOf(name: string, { channel, state, test, usedBy }: Seen): ChannelStatus {
  const tested = test?.fault === undefined ? test?.at : undefined;
  const success = latest(state?.succeededAt, tested);
  const testFault = test?.fault && { ...test.fault, at: test.at };
  const fault = [state?.fault, testFault].filter((one) => one !== undefined).sort((l, r) => (l.at < r.at ? 1 : -1))[0];
  const isMissing = channel?.notifier === undefined;
  const isFailing = fault !== undefined && (success === undefined || fault.at >= success);
  return {
    channel: name,
    state: isMissing ? 'missing' : isFailing ? 'failing' : success === undefined ? 'idle' : 'ok',
    waiting: state === undefined ? 0 : waitingIn(state),
    sent: state?.sent ?? 0,
    givenUp: state?.givenUp ?? 0,
    ...(success !== undefined && { lastSuccess: success }),
    ...(fault && { lastFault: fault }),
    ...(isMissing && { missing: channel?.fault ?? unknownChannel(name) }),
    ...(state?.failing && state.sending && { nextAttempt: new Date(state.sending.retryAt).toISOString() }),
    usedBy,
  };
}

function latest(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left > right ? left : right;
}

function unknownChannel(name: string): FaultRecord {
  const near = nearest(name, CHANNEL_NAMES);
  return {
    kind: 'config',
    code: 'unknown_channel',
    message: `telling ${name}: there is no such channel`,
    hint: near === undefined ? `Channels are ${CHANNEL_NAMES.join(', ')}.` : `Did you mean "${near}"?`,
  };
}

/** Integrations whose alerts name a channel, by channel. */
async function usersOf(state: DeliveryPorts['state'], { aliases }: Channels): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>();
  for (const { key, value } of await list<IntegrationItem>(state, keys.integrations)) {
    for (const name of new Set(namedBy(value.document).map((one) => aliases[one] ?? one))) {
      users.set(name, [...(users.get(name) ?? []), key.sort]);
    }
  }
  return users;
}

function namedBy(document: IntegrationDocument): string[] {
  const alerts = document.alerts as unknown as IntegrationFields['alerts'];
  return (alerts ?? []).flatMap(({ notification_channels: names }) => names ?? []);
}

/** What of a document names a channel that is not configured. */
export async function channelWarnings(
  fields: IntegrationFields,
  { aliases, list: channels }: Channels,
): Promise<readonly string[]> {
  // Most documents name none, and a list may take requests.
  if (!fields.alerts?.some(({ notification_channels: names }) => names?.length)) return [];
  const all = await channels();
  return (fields.alerts ?? []).flatMap(({ notification_channels: names = [] }, index) =>
    names.flatMap((name, place) => {
      const channel = all.find((one) => one.name === (aliases[name] ?? name));
      if (channel?.notifier !== undefined) return [];
      const { message, hint } = channel?.fault ?? unknownChannel(name);
      return [`alerts[${index}].notification_channels[${place}]: ${message}${hint === undefined ? '' : `. ${hint}`}`];
    }),
  );
}

async function test(ports: DeliveryPorts, wanted: string | undefined): Promise<readonly TestOutcome[]> {
  const all = await ports.channels.list();
  const chosen = all.filter(({ name, notifier }) =>
    wanted === undefined ? notifier !== undefined : name === (ports.channels.aliases[wanted] ?? wanted),
  );
  if (wanted !== undefined && chosen.length === 0) {
    throw new Fault('config', 'not_found', `testing the channel ${wanted}: there is none of this name here`, {
      hint: `Channels here are ${all.map(({ name }) => name).join(', ')}.`,
    });
  }
  return Promise.all(chosen.map((channel) => testOne(ports, channel)));
}

async function testOne(ports: DeliveryPorts, { name, notifier, fault }: Channel): Promise<TestOutcome> {
  if (notifier === undefined) return { channel: name, sent: false, ...(fault && { fault }) };
  const { clock, redactor, state, random } = ports;
  const at = new Date(clock.now()).toISOString();
  let failed: FaultRecord | undefined;
  try {
    await notifier.send({
      id: `test/${at}/${Math.floor(random() * 1e9)}`,
      kind: 'test',
      severity: 'info',
      title: 'A test of ExplorerIO',
      text: `Somebody asked for this message. The channel ${name} works: notifications of integrations come this way.`,
      at,
      facts: {},
    });
  } catch (error) {
    failed = redacted(toFault(error, `testing the channel ${name}`).record(), redactor) as unknown as FaultRecord;
  }
  const item: TestItem = { at, ...(failed && { fault: failed }) };
  await state.put(notifyKeys.test(name), json(item), undefined);
  return { channel: name, sent: failed === undefined, ...(failed && { fault: failed }) };
}
