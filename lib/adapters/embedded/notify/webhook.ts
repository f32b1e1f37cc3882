import type { Network } from '../../../core/network';
import { fitted, type Notification } from '../../../core/notification';
import type { Clock, Notifier } from '../../../core/ports';
import type { Secret } from '../../../core/secret';
import { SIGNATURE_HEADER, signWebhook } from '../../../core/webhook-signature';
import { checkWebUrl, post } from './post';

/** Where notifications are posted, and the key that they are signed with. */
export interface WebhookNotifierOptions {
  readonly url: Secret;
  readonly signingKey: Secret;
  readonly clock: Clock;
  /** What may be connected to. */
  readonly network: Network;
  /** 10 seconds, unless it says otherwise. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const DOING = 'sending to the webhook';
const ADDRESS = 'the URL of the webhook';

/**
 * Posts notifications as JSON. The header `x-explorerio-signature: t=<seconds since 1970>,v1=<hex>` holds the HMAC-SHA256
 * of `<t>.<body>` under the signing key. A receiver computes it over the bytes as they came, compares in constant time,
 * and refuses a `t` that is minutes away from its clock; it drops a notification whose `id` it has seen.
 */
export class WebhookNotifier implements Notifier {
  readonly channel = 'webhook';
  readonly #options: WebhookNotifierOptions;

  /** @throws Fault `config`/`invalid_url` */
  constructor(options: WebhookNotifierOptions) {
    checkWebUrl(options.url.reveal(), DOING, ADDRESS);
    this.#options = options;
  }

  async send(notification: Notification): Promise<void> {
    const { url, signingKey, clock, network, timeoutMs = TIMEOUT_MS } = this.#options;
    const body = JSON.stringify(fitted(notification));
    await post({
      url: url.reveal(),
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'ExplorerIO',
        [SIGNATURE_HEADER]: signWebhook(body, signingKey.reveal(), clock.now()),
      },
      timeoutMs,
      clock,
      network,
      doing: DOING,
      address: ADDRESS,
    });
  }
}
