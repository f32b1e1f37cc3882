import type { Notification } from '../../../../lib/core/notification';
import type { StateStore } from '../../../../lib/core/ports';
import type { Engine } from '../../../../lib/engine/engine';
import { keys, type RunItem, runId } from '../../../../lib/engine/state';
import { alertEvaluator } from '../../../../lib/health/evaluate';
import { document, Home } from '../home';

export const MINUTE = 60_000;

/** The alerts of the specification. */
export const SPECIFIED = [
  { name: 'Integration Failure', condition: "connection_status == 'failed'", severity: 'critical' },
  { name: 'High Error Rate', condition: 'error_rate > 0.05', duration: '5m', severity: 'warning' },
  { name: 'Data Staleness', condition: "last_sync_age > '2h'", severity: 'warning' },
];

/** One alert about the connection. */
export const failure = (more: object = {}) => ({ ...SPECIFIED[0], name: 'Failure', ...more });

/** A notification as it reached the dispatcher, and for whom. */
export interface ToldOne extends Notification {
  readonly channels: readonly string[] | undefined;
}

/** A run as it stands in the state. */
export function runItem(now: number, more: Partial<RunItem> = {}): RunItem {
  const integration = more.integration ?? 'shop';
  return {
    ...{ id: runId(integration, now, 0.5), integration, document: document(), trigger: 'manual', state: 'succeeded' },
    ...{ createdAt: now, startedAt: now, finishedAt: now, planned: true, attempts: 0, retryAt: 0, retries: 0 },
    ...{ cancelRequested: false, rows: 0, bytes: 0, slices: 1, quarantined: 0, skipped: 0 },
    ...(more.state === 'failed' && {
      fault: { kind: 'transient', code: 'refused', message: 'connecting to db: refused', hint: 'Start it.' } as const,
    }),
    ...more,
  } as RunItem;
}

/** An engine that looks at alerts, with a clock that stands still; runs are written as if they had just ended. */
export class AlertWorld {
  readonly home = new Home();
  readonly told: ToldOne[] = [];
  engine: Engine;
  tellingFails = false;

  constructor() {
    this.home.evaluator = alertEvaluator;
    const known = new Set<string>();
    this.home.notify = async (notification, channels) => {
      if (this.tellingFails) throw new Error('the state cannot be reached');
      // As the dispatcher does.
      if (known.has(notification.id)) return;
      known.add(notification.id);
      this.told.push({ ...notification, channels });
    };
    this.engine = this.home.engine();
  }

  get state(): StateStore {
    return this.home.state;
  }

  async create(alerts: readonly object[], more: object = {}): Promise<void> {
    await this.engine.service.create(document({ alerts, ...more }));
  }

  async change(alerts: readonly object[], more: object = {}): Promise<void> {
    await this.engine.service.update('shop', document({ alerts, ...more }), undefined);
  }

  /** A run ends now. */
  async ended(state: 'failed' | 'succeeded', more: Partial<RunItem> = {}): Promise<void> {
    const run = runItem(this.home.clock.now(), { state, ...more });
    await this.state.put(keys.run(run.id), JSON.parse(JSON.stringify(run)), undefined);
  }

  async look(): Promise<void> {
    await this.engine.lookAtAlerts();
  }

  /** Lets minutes go by, with a look after each, or after every few. */
  async minutes(count: number, every = 1): Promise<void> {
    for (let minute = 0; minute < count; minute += every) {
      await this.home.clock.advance(every * MINUTE);
      await this.look();
    }
  }

  /** Titles of what was told since the last time this was asked. */
  news(): string[] {
    return this.told.splice(0).map(({ title }) => title);
  }

  /** How the first alert stands. */
  async first() {
    const [alert] = await this.engine.service.alerts('shop');
    if (alert === undefined) throw new Error('there is no alert');
    return alert;
  }

  /** The history, oldest first: `failure firing`. */
  async history(): Promise<string[]> {
    const changes = await this.engine.service.alertHistory('shop', 100);
    return changes.map(({ alert, change, reason }) => [alert, change, reason].filter(Boolean).join(' ')).reverse();
  }
}
