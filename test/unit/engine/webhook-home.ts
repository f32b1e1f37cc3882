import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../../lib/core/json';
import type { WebhookCall, WebhookRun } from '../../../lib/core/service';
import { signWebhook } from '../../../lib/core/webhook-signature';
import type { Engine } from '../../../lib/engine/engine';
import { MemorySecrets } from '../../memory/secrets';
import { document, gate, Home, MANUAL, NEVER } from './home';

/** Part of a document. */
export type Members = { readonly [name: string]: Json };

export const PATH = '/webhooks/data-update';
/** Is no UTF-8. */
export const BODY = Buffer.from([0, 255, 123]);
export const KEY = 'key-of-the-webhook';

/** What has a document read what is new. */
export const INCREMENTAL = { sync_strategy: { type: 'incremental', timestamp_field: 'changed' } };

/** A section `webhook_config`. */
export const section = (more: Members = {}, path = PATH, secret = '${HOOK}') => ({
  webhook_config: {
    endpoint: `https://explorerio.company.com${path}`,
    authentication: { type: 'hmac_sha256', secret },
    ...more,
  },
});

/** A home over memory whose integrations have webhooks. */
export class WebhookHome {
  readonly home: Home;
  readonly engine: Engine;

  constructor(secrets = new MemorySecrets({ HOOK: KEY, OTHER: 'another-key' })) {
    this.home = new Home(secrets);
    this.home.fill('orders', 3);
    this.engine = this.home.engine();
  }

  make(more: Record<string, unknown> = {}, name = 'shop') {
    return this.engine.service.create(document({ name, ...INCREMENTAL, ...section(), ...more }));
  }

  signed(more: Partial<WebhookCall> = {}, key = KEY): WebhookCall {
    return { path: PATH, body: BODY, signature: signWebhook(BODY, key, this.home.clock.now()), ...more };
  }

  async call(more: Partial<WebhookCall> = {}): Promise<WebhookRun> {
    const [first] = await this.engine.service.webhook(this.signed(more));
    if (first === undefined) throw new Error('a call gives at least one run');
    return first;
  }

  runs(id = 'shop') {
    return this.engine.service.runs(id, { limit: 500 });
  }

  async stateOf({ run }: WebhookRun) {
    return (await this.engine.service.run(run)).state;
  }

  async stepAll(): Promise<void> {
    while (await this.engine.step(0, NEVER));
  }

  /** Starts a run that has read its first batch and waits before the next. */
  async reading() {
    const { hooks } = this.home;
    const { promise: held, letGo } = gate();
    let reached = false;
    hooks.scan = async (_request, batch) => {
      if (batch !== 1) return;
      reached = true;
      await held;
    };
    const { id } = await this.engine.service.sync('shop', MANUAL);
    const working = this.engine.step(0, NEVER);
    while (!reached) await setImmediate();
    const end = async () => {
      hooks.scan = () => undefined;
      letGo();
      await working;
    };
    return { id, end };
  }
}
