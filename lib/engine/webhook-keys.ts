import { Fault, messageOf } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import { secretsOf } from './credential-store';
import type { EnginePorts } from './ports';
import { insertValues, referencedNames } from './resolve';
import { readSecrets } from './secret-values';

/** Anybody may call: so often is asked at most for a key that was not there, or for a newer one than is remembered. */
const ASK_AGAIN_MS = 10_000;

type Ports = Pick<EnginePorts, 'secrets' | 'credentialStores' | 'redactor' | 'clock' | 'log'>;

interface Asked {
  readonly at: number;
  readonly key: Promise<string | undefined>;
}

/** The section `webhook_config` of a stored document, which was checked when it was stored. */
export function webhookOf(document: IntegrationDocument): IntegrationFields['webhook_config'] {
  return document.webhook_config as IntegrationFields['webhook_config'];
}

/** The keys with which calls of webhooks are signed. */
export class WebhookKeys {
  readonly #ports: Ports;
  readonly #asked = new Map<string, Asked>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Whether `isKey` takes the key of an integration, as it is remembered or as it is now. */
  async isKeyOf(document: IntegrationDocument, isKey: (key: string) => boolean): Promise<boolean> {
    const remembered = await this.#remembered(document);
    if (remembered === undefined) return false;
    if (isKey(remembered)) return true;
    const current = await this.#current(document);
    return current !== undefined && current !== remembered && isKey(current);
  }

  async #remembered(document: IntegrationDocument): Promise<string | undefined> {
    const asked = this.#lately(document);
    if (asked !== undefined && (await asked.key) === undefined) return undefined;
    const key = await this.#read(document);
    if (key === undefined) this.#remember(document, Promise.resolve(undefined));
    return key;
  }

  async #current(document: IntegrationDocument): Promise<string | undefined> {
    const asked = this.#lately(document);
    if (asked !== undefined) return asked.key;
    const secrets = secretsOf(this.#ports, document);
    for (const name of referencedNames(secretOf(document))) secrets.refresh?.(name);
    return this.#remember(document, this.#read(document));
  }

  #lately(document: IntegrationDocument): Asked | undefined {
    const asked = this.#asked.get(addressOf(document));
    return asked !== undefined && this.#ports.clock.now() - asked.at < ASK_AGAIN_MS ? asked : undefined;
  }

  /** Calls that come meanwhile wait for the same answer; one that failed is asked for again. */
  async #remember(document: IntegrationDocument, key: Promise<string | undefined>): Promise<string | undefined> {
    const address = addressOf(document);
    const now = this.#ports.clock.now();
    for (const [old, { at }] of this.#asked) if (now - at >= ASK_AGAIN_MS) this.#asked.delete(old);
    this.#asked.set(address, { at: now, key });
    try {
      return await key;
    } catch (error) {
      this.#asked.delete(address);
      throw error;
    }
  }

  /** What keeps the key from being read is for the owner to see, not for whoever calls. */
  async #read(document: IntegrationDocument): Promise<string | undefined> {
    const { redactor, log } = this.#ports;
    const refuse = (reason: string) => {
      log.warn('calls of a webhook are refused: its secret cannot be used', { integration: document.name, reason });
      return undefined;
    };
    try {
      const secret = secretOf(document);
      const values = await readSecrets(referencedNames(secret), secretsOf(this.#ports, document), redactor);
      const key = String(insertValues(secret, values));
      redactor.add(key);
      return key === '' ? refuse('it is empty') : key;
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== 'config') throw error;
      return refuse(messageOf(error));
    }
  }
}

function secretOf(document: IntegrationDocument): string {
  return webhookOf(document)?.authentication.secret ?? '';
}

function addressOf(document: IntegrationDocument): string {
  return JSON.stringify([document.name, document.credential_store ?? null, secretOf(document)]);
}
