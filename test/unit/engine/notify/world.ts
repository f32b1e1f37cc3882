import type { Channels } from '../../../../lib/core/channel';
import type { Notification } from '../../../../lib/core/notification';
import type { Notifier, StateStore } from '../../../../lib/core/ports';
import { Redactor } from '../../../../lib/core/secret';
import { createNotifications, type Notifications } from '../../../../lib/engine/notify/notifications';
import type { NotifyLimits } from '../../../../lib/engine/notify/outbox';
import { recordingLogger } from '../../../contracts/recording-logger';
import { ManualClock } from '../../../memory/clock';
import { MemoryStateStore } from '../../../memory/state';

const NEVER = new AbortController().signal;
const TICK_MS = 5000;

/** A channel that keeps what it was sent, or fails as it is told. */
export class RecordingNotifier implements Notifier {
  readonly sent: Notification[] = [];
  fails: (() => unknown) | undefined;

  constructor(readonly channel: string) {}

  async send(notification: Notification): Promise<void> {
    const error = this.fails?.();
    if (error !== undefined) throw error;
    this.sent.push(notification);
  }

  /** Notifications that the messages stand for, each message once. */
  get told(): number {
    const once = new Map(this.sent.map((message) => [message.id, Number(message.facts.notifications ?? 1)]));
    return [...once.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** A dispatcher over memory with two channels, and a clock that stands still. */
export class World {
  readonly clock = new ManualClock();
  readonly state: StateStore;
  readonly email = new RecordingNotifier('email');
  readonly slack = new RecordingNotifier('slack');
  readonly redactor = new Redactor();
  readonly logger = recordingLogger();
  readonly channels: Channels = {
    aliases: { mail: 'email' },
    list: async () => [
      { name: 'email', notifier: this.email },
      { name: 'slack', notifier: this.slack },
      { name: 'webhook', fault: { kind: 'config', code: 'not_configured', message: 'no webhook', hint: 'Set it.' } },
    ],
  };

  constructor(state?: StateStore) {
    this.state = state ?? new MemoryStateStore(this.clock);
  }

  /** The dispatcher of a process. */
  process(owner = 'one', limits: Partial<NotifyLimits> = {}, state = this.state, publicUrl?: string): Notifications {
    const { clock, redactor, channels } = this;
    const { log } = this.logger;
    return createNotifications({
      ...{ state, clock, redactor, channels, log, owner, limits, publicUrl },
      random: () => 0.5,
      exclusive: false,
    });
  }

  /** Lets time go by, with a look every few seconds. */
  async pass(process: Notifications, ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      await process.deliver(NEVER);
      if (this.clock.now() >= end) return;
      await this.clock.advance(Math.min(TICK_MS, end - this.clock.now()));
    }
  }
}

let number = 0;

/** Something to be told. */
export function notification(more: Partial<Notification> = {}): Notification {
  number += 1;
  return {
    id: `n${number}`,
    kind: 'run_failed',
    severity: 'critical',
    title: `shop: the sync failed (${number})`,
    text: 'connecting: refused\nCheck the host.',
    integration: 'shop',
    at: '2026-01-01T00:00:00.000Z',
    facts: {},
    ...more,
  };
}
