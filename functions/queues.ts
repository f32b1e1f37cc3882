import { SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue } from '../lib/adapters/aws/queue';
import { type QueueUrls, readQueueUrls } from '../lib/adapters/aws/queue-addresses';
import { Fault } from '../lib/core/fault';
import type { Queue, StateStore } from '../lib/core/ports';
import { keys } from '../lib/engine/state';
import type { PortOptions } from './cloud-ports';
import { everyQueue } from './every-queue';

/** The queues of all connectors that this function may send to. */
export class Queues {
  readonly #client = new SQSClient({});
  readonly #urls: QueueUrls;
  readonly #ofType = new Map<string, Queue>();
  readonly all: Queue;

  constructor({ environment, connector: own, hop }: PortOptions, state: StateStore) {
    this.#urls = readQueueUrls(environment.EXPLORERIO_QUEUES);
    const sending = new SqsQueue({
      client: this.#client,
      urlOf: async (integration) => this.#url(own ?? (await typeOf(state, integration))),
      ...(own !== undefined && { own: this.#url(own) }),
      ...(hop && { hop }),
    });
    this.all = own === undefined ? everyQueue(sending, Object.keys(this.#urls), (type) => this.ofType(type)) : sending;
  }

  ofType(type: string): Queue {
    const url = this.#url(type);
    // Kept, as it remembers its dead-letter queue.
    const queue = this.#ofType.get(type) ?? new SqsQueue({ client: this.#client, urlOf: async () => url, own: url });
    this.#ofType.set(type, queue);
    return queue;
  }

  #url(type: string): string {
    const url = this.#urls[type];
    if (url !== undefined) return url;
    throw new Fault('config', 'unknown_type', `sending work: this stage has no queue for connectors of type ${type}`, {
      hint: 'Deploy the stage again: the connector is newer than its stacks.',
    });
  }
}

/** The connector type of a stored integration. */
export async function typeOf(state: StateStore, integration: string): Promise<string> {
  const stored = await state.get(keys.integration(integration));
  const document = (stored?.value as { readonly document?: { readonly type?: string } } | undefined)?.document;
  return document?.type ?? '';
}
